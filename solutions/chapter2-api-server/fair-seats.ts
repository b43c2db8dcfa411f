// Some seats, shared fairly. Who finds all of them taken waits in a line of their own; a seat that becomes free goes to the user who holds
// the fewest, so somebody who asks for a thousand things delays themselves and hardly anybody else. No line is endless: who finds theirs
// full, or waits too long, gets none.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset/queueset.go

import type { Clock } from '#kit/clock';

export interface SeatLimits {
  seats: number;
  /** How many requests of one user may wait. */
  lineLength: number;
  /** Milliseconds that a request may wait. */
  waitMs: number;
}

interface Line {
  /** Seats that its user holds. */
  held: number;
  /** When its user was last given a seat, or first wanted one; a smaller number was earlier. */
  turn: number;
  /** Who calls one of these gives it a seat. */
  waiting: Set<() => void>;
}

export class FairSeats {
  readonly #limits: SeatLimits;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  #held = 0;
  #waiting = 0;
  #turns = 0;

  constructor(limits: SeatLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** True when it is this user's turn: a seat is theirs until `over` aborts. False when there is none for them in time. */
  async take(user: string, over: AbortSignal): Promise<boolean> {
    if (over.aborted) return false;
    const line = this.#lines.get(user) ?? { held: 0, turn: this.#turns++, waiting: new Set() };
    this.#lines.set(user, line);
    if (this.#held < this.#limits.seats) {
      this.#seat(user, line, over);
      return true;
    }
    return line.waiting.size < this.#limits.lineLength && this.#wait(user, line, over);
  }

  #wait(user: string, line: Line, over: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (isSeated: boolean) => {
        timer.cancel();
        over.removeEventListener('abort', giveUp);
        line.waiting.delete(call);
        this.#waiting--;
        if (isSeated) this.#seat(user, line, over);
        else this.#forgetIdle(user, line);
        resolve(isSeated);
      };
      const call = () => leave(true);
      const giveUp = () => leave(false);
      const timer = this.#clock.after(this.#limits.waitMs, giveUp);
      over.addEventListener('abort', giveUp);
      line.waiting.add(call);
      this.#waiting++;
    });
  }

  #seat(user: string, line: Line, over: AbortSignal): void {
    this.#held++;
    line.held++;
    line.turn = this.#turns++;
    over.addEventListener('abort', () => {
      this.#held--;
      line.held--;
      this.#callNext();
      this.#forgetIdle(user, line);
    });
  }

  #callNext(): void {
    if (this.#waiting === 0) return;
    const inLine = [...this.#lines.values()].filter(({ waiting }) => waiting.size > 0);
    const [call] = inLine.reduce((first, other) => (isBefore(other, first) ? other : first)).waiting;
    call?.();
  }

  #forgetIdle(user: string, line: Line): void {
    if (line.held === 0 && line.waiting.size === 0) this.#lines.delete(user);
  }
}

/** Who holds fewer; of two who hold as many, whose last turn is longer ago. */
function isBefore(one: Line, other: Line): boolean {
  return one.held === other.held ? one.turn < other.turn : one.held < other.held;
}
