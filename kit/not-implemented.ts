// What a starter's function throws until you write it. The test harness looks at `NotImplemented.first` while it waits, so
// that a stage you have not written yet says so at once, even when the throw happened inside a server or a loop.

import { placesIn } from '#kit/places';

export class NotImplemented extends Error {
  /** The first one thrown in this process since `forget()`, or undefined. */
  static first: NotImplemented | undefined;

  readonly stage: string;

  /** @param stage the stage's id, as in the chapter's text: `'3.2'`; @param task what the function must do */
  constructor(stage: string, task: string) {
    super(`NotImplemented: ${stage} ${task}\n${whatNow(stage)}`);
    // The message says it already, also where only the message travels: in a gRPC status, in a Status object.
    this.name = '';
    this.stage = stage;
    NotImplemented.first ??= this;
  }

  static forget(): void {
    NotImplemented.first = undefined;
  }
}

/** The line to write is the one that throws; the text is beside it. */
function whatNow(stage: string): string {
  const thrown = placesIn(new Error().stack ?? '').find(({ file }) => file !== 'kit/not-implemented.ts');
  const chapter = /^chapters\/[^/]+(?=\/src\/)/.exec(thrown?.file ?? '')?.[0];
  const text = chapter ? `${chapter}/README.md` : "the chapter's text";
  return `  Write this function${thrown ? `: ${thrown.file}:${thrown.line}` : '.'}\n  What it is about: ${text}, section ${stage}.`;
}
