// How much a client may still send, on one stream or on all of them. When half of it is used up, the client is told to go on.

export class ReceiveWindow {
  readonly #size: number;
  #left: number;

  /** In bytes. */
  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** False: the client has sent more than it may. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** By how many bytes the client is to be told that the window is open again; 0: it still has enough. */
  reopen(): number {
    if (this.#left >= this.#size / 2) return 0;
    const used = this.#size - this.#left;
    this.#left = this.#size;
    return used;
  }
}
