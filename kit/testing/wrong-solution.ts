// A typical wrong solution of a stage: one change to the reference solution that a named test must catch.

export interface WrongSolution {
  /** What it does, in a few words. */
  name: string;
  /** The misunderstanding that leads to it. */
  misunderstanding: string;
  /** File in the chapter's solution folder, e.g. `store.ts`. */
  file: string;
  /** Text of that file; must occur exactly once. */
  replace: string;
  /** What stands there instead; must type-check: a wrong solution is wrong in meaning, not in form. */
  by: string;
  /** The `it` name of the test, in the stage's file, that goes red. */
  caughtBy: string;
}
