// The environment of a chapter's tests on the learner's code. Under the watch loop the test that failed last runs first: the word
// to go names it. What shares its `describe` follows it, and then the rest, in the file's order. Under `npm test` nothing is moved.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Circus } from '@jest/types';
import FailureEnvironment from '#kit/testing/failure-environment';

/** What the loop says when a run may begin. */
export interface Go {
  /** The full name of the test that runs first, if there is one of that name. */
  first?: string | undefined;
}

export default class LoopEnvironment extends FailureEnvironment {
  #first: string | undefined;
  readonly #onGo = (go: unknown): void => {
    this.#first = (go as Go).first;
  };

  override async setup(): Promise<void> {
    await super.setup();
    subscribe('kubekata.go', this.#onGo);
  }

  override async teardown(): Promise<void> {
    unsubscribe('kubekata.go', this.#onGo);
    await super.teardown();
  }

  override async handleTestEvent(event: Circus.Event, state: Circus.State): Promise<void> {
    if (event.name === 'run_start' && this.#first !== undefined) runFirst(this.#first, state.rootDescribeBlock);
    await super.handleTestEvent(event, state);
  }
}

type Entry = Circus.DescribeBlock['children'][number];

/** Moves the test of that full name, and each block that it stands in, to the front. Says whether the block has it. */
export function runFirst(fullName: string, block: Circus.DescribeBlock, outer: string[] = []): boolean {
  const at = block.children.findIndex((entry) => {
    const names = [...outer, entry.name];
    return entry.type === 'describeBlock' ? runFirst(fullName, entry, names) : names.join(' ') === fullName;
  });
  if (at < 0) return false;
  block.children.unshift(...(block.children.splice(at, 1) as Entry[]));
  return true;
}
