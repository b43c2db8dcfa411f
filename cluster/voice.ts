// What is said about one component's process while the cluster runs. Of the reference: every death and every return. Of yours: the
// same words once, however often it fails with them; what goes wrong inside while it goes on; and when it is up again to stay.

import type { ProcessObserver } from '#cluster/supervisor';
import type { Clock, Timer } from '#kit/clock';

const upToStayAfterMs = 10_000;

export interface VoiceOptions {
  /** Its name in the start-up table: `kubelet (node-1)`. */
  title: string;
  /** Where its code is, when it is the learner's: `chapters/chapter5-kubelet/src`. */
  source: string | undefined;
  clock: Clock;
  say(text: string): void;
}

export function voiceOf(options: VoiceOptions): Voice {
  return options.source === undefined ? new ReferenceVoice(options) : new LearnersVoice(options, options.source);
}

export interface Voice extends ProcessObserver {
  /** It is started anew, because its code has changed. */
  renewed(): void;
}

class ReferenceVoice implements Voice {
  readonly #options: VoiceOptions;
  #died = false;

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  serves(url: string): void {
    const { title, say } = this.#options;
    if (this.#died) say(`${title} is back at ${url}`);
    this.#died = false;
  }

  failed(reason: string, againInMs: number): void {
    const { title, say } = this.#options;
    this.#died = true;
    say(`${title} ${reason}; it is started again in ${againInMs / 1000} s`);
  }

  complains(): void {}
  renewed(): void {}
}

class LearnersVoice implements Voice {
  readonly #options: VoiceOptions;
  readonly #source: string;
  #lastFailure: string | undefined;
  #repeated = 0;
  #toldAdvice = false;
  #toldComplaints = new Set<string>();
  #isNews = false;
  #staying: Timer | undefined;

  constructor(options: VoiceOptions, source: string) {
    this.#options = options;
    this.#source = source;
  }

  serves(url: string): void {
    const { clock } = this.#options;
    if (this.#isNews) {
      if (this.#repeated === 0) this.#say(`is up at ${url}`);
      const wasRepeated = this.#repeated > 0;
      this.#staying = clock.after(upToStayAfterMs, () => {
        if (wasRepeated) this.#say(`is up at ${url}, for ${upToStayAfterMs / 1000} s now`);
        this.#forget();
      });
    }
    this.#isNews = false;
  }

  failed(reason: string, againInMs: number): void {
    this.#staying?.cancel();
    this.#isNews = true;
    if (reason === this.#lastFailure) {
      this.#repeated += 1;
      if (this.#repeated === 1)
        this.#say('failed in the same way again; it goes on being started, every 10 s at most, and you hear when it stays up');
      return;
    }
    this.#lastFailure = reason;
    this.#repeated = 0;
    this.#say(`failed: ${indented(reason)}`);
    if (!this.#toldAdvice)
      this.#options.say(`  It is started again in ${againInMs / 1000} s, and at once when you save a file in ${this.#source}`);
    this.#toldAdvice = true;
  }

  complains(text: string): void {
    if (this.#toldComplaints.has(text)) return;
    this.#toldComplaints.add(text);
    this.#say(`goes on, but: ${indented(text)}`);
  }

  renewed(): void {
    this.#forget();
    this.#isNews = true;
    this.#say('is started anew: you saved a file');
  }

  #forget(): void {
    this.#staying?.cancel();
    this.#lastFailure = undefined;
    this.#repeated = 0;
    this.#toldComplaints.clear();
  }

  #say(text: string): void {
    this.#options.say(`your ${this.#options.title} ${text}`);
  }
}

function indented(text: string): string {
  return text.trimEnd().replaceAll('\n', '\n      ');
}
