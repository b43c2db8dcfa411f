import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'starts behind the start revision',
    misunderstanding: 'The start revision is the last one that the client has seen.',
    file: 'watch-stream.ts',
    replace: 'Number(request.startRevision) || this.#store.revision + 1',
    by: '(Number(request.startRevision) || this.#store.revision) + 1',
    caughtBy: 'tells the past from the start revision on, oldest first, and goes on with the present',
  },
  {
    name: 'knows only the present',
    misunderstanding: 'A watch tells what happens from now on.',
    file: 'watch-stream.ts',
    replace: 'Number(request.startRevision) || this.#store.revision + 1',
    by: 'Math.max(Number(request.startRevision), this.#store.revision + 1)',
    caughtBy: 'answers that the watch was created, before any event',
  },
  {
    name: 'tells the latest of each key',
    misunderstanding: 'Who watches wants to know how things are; how they came to be is of no interest.',
    file: 'watcher.ts',
    replace: 'return { compacted: false, events };',
    by: 'return { compacted: false, events: [...new Map(events.map((event) => [keyText(event.kv.key), event])).values()] };',
    caughtBy: 'tells the past from the start revision on, oldest first, and goes on with the present',
  },
  {
    name: 'sends each event by itself',
    misunderstanding: 'A response is an event.',
    file: 'watch-stream.ts',
    replace: 'for (const part of fragmentsOf(watcher, told.events)) this.#sink.send({ watchId: watcher.id, ...part });',
    by: 'for (const event of told.events) this.#sink.send({ watchId: watcher.id, events: [event] });',
    caughtBy: 'sends all that a transaction did in one response: nobody sees half of it',
  },
  {
    name: 'begins where history begins, and keeps silent about it',
    misunderstanding: 'What is compacted is gone, so there is nothing to say about it.',
    file: 'watcher.ts',
    replace: 'if (this.#next < store.compactedRevision) return { compacted: true };',
    by: 'if (this.#next < store.compactedRevision) this.#next = store.compactedRevision;',
    caughtBy: 'cancels a watch whose start was compacted away, and says where a new one can start',
  },
  {
    name: 'takes a filter for a wish',
    misunderstanding: 'A filter names what comes through.',
    file: 'watcher.ts',
    replace: '!this.#filters.has(',
    by: '(this.#filters.size === 0) !== this.#filters.has(',
    caughtBy: 'leaves out what a filter excludes: ["NOPUT"]',
  },
  {
    name: 'goes on telling after the cancellation',
    misunderstanding: 'Cancelling is answered; the client will not listen any more anyway.',
    file: 'watch-stream.ts',
    replace: `    this.#remove(watcher);
    this.#sink.send({ watchId: id, canceled: true });`,
    by: '    this.#sink.send({ watchId: id, canceled: true });',
    caughtBy: 'says that a watch was cancelled, and nothing more of it; the others go on',
  },
  {
    name: 'gives out ids that are taken',
    misunderstanding: "The server's ids and the client's ids are two kinds of ids.",
    file: 'watch-stream.ts',
    replace: 'while (this.#watchers.has(String(this.#nextId))) this.#nextId += 1;',
    by: 'while (this.#nextId < 0) this.#nextId += 1;',
    caughtBy: 'chooses no id that a client has chosen',
  },
];
