// How far a follower is, as its leader knows it, and how much may be sent to it without waiting.
//   probe      we don't know where its log parts from ours: one message at a time
//   replicate  it accepts what we send: many messages at a time, up to a limit
//   snapshot   what it needs next is compacted: a snapshot is on its way, and nothing else
// etcd: raft/tracker/progress.go

const mostInflight = 64;

export interface Progress {
  mode: 'probe' | 'replicate' | 'snapshot';
  /** Up to here its log is ours, and on its disk. */
  match: number;
  /** The next entry to send. */
  next: number;
  /** Probe: a message is on its way, wait for the answer. */
  isProbing: boolean;
  /** Replicate: the last index of each message on its way. */
  inflight: number[];
  /** Snapshot: the index of the one on its way, and for how many heartbeats it has been. */
  snapshot: { index: number; beats: number };
  /** It was heard of since the leader last looked. */
  isActive: boolean;
  /** The latest round of heartbeats that it answered. */
  round: number;
}

export function newProgress(next: number): Progress {
  return {
    mode: 'probe',
    match: 0,
    next,
    isProbing: false,
    inflight: [],
    snapshot: { index: 0, beats: 0 },
    isActive: false,
    round: 0,
  };
}

/** Whether to wait for an answer before anything more is sent. */
export function isPaused({ mode, isProbing, inflight }: Progress): boolean {
  if (mode === 'probe') return isProbing;
  return mode === 'snapshot' || inflight.length >= mostInflight;
}

/** Entries up to `index`, at least one, were just sent. */
export function sent(progress: Progress, index: number): void {
  if (progress.mode === 'probe') {
    progress.isProbing = true;
    return;
  }
  progress.next = index + 1;
  progress.inflight.push(index);
}

export function startProbe(progress: Progress, next: number): void {
  Object.assign(progress, { mode: 'probe', next, isProbing: false, inflight: [] } satisfies Partial<Progress>);
}

export function startSnapshot(progress: Progress, index: number): void {
  Object.assign(progress, { mode: 'snapshot', snapshot: { index, beats: 0 }, inflight: [] } satisfies Partial<Progress>);
}

/** It has all up to `index`: the next entries may follow at once. An answer that comes late changes nothing. */
export function acknowledged(progress: Progress, index: number): void {
  progress.match = Math.max(progress.match, index);
  if (progress.mode === 'snapshot' && progress.match < progress.snapshot.index) return;
  if (progress.mode !== 'replicate') Object.assign(progress, { mode: 'replicate', next: progress.match + 1, isProbing: false });
  progress.next = Math.max(progress.next, progress.match + 1);
  progress.inflight = progress.inflight.filter((last) => last > index);
}
