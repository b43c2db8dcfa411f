// What a starter's function throws until you write it. The test harness looks at `NotImplemented.first` while it waits, so
// that a stage you have not written yet says so at once, even when the throw happened inside a server or a loop.

export class NotImplemented extends Error {
  /** The first one thrown in this process since `forget()`, or undefined. */
  static first: NotImplemented | undefined;

  readonly stage: string;

  /** @param stage the stage's id, as in the chapter's text: `'3.2'`; @param task what the function must do */
  constructor(stage: string, task: string) {
    super(`NotImplemented: ${stage} ${task}\n  Write this function; the chapter's text explains it under stage ${stage}.`);
    // The message says it already, also where only the message travels: in a gRPC status, in a Status object.
    this.name = '';
    this.stage = stage;
    NotImplemented.first ??= this;
  }

  static forget(): void {
    NotImplemented.first = undefined;
  }
}
