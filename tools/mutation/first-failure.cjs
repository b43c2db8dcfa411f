// A test environment for mutants: once a test has failed with a mutant, the other tests are left out, in this file and the next.
// Without a mutant, when Stryker looks which test covers what, all of them run. (Stryker asks for a CommonJS module.)

const { TestEnvironment } = require('jest-environment-node');

/** The mutant that has been caught last. All files of a run share it. */
let caught;

module.exports = class FirstFailure extends TestEnvironment {
  handleTestEvent({ name, test }) {
    const mutant = process.env.__STRYKER_ACTIVE_MUTANT__;
    if (mutant === undefined) return;
    if (name === 'test_start' && caught === mutant) test.mode = 'skip';
    if (name === 'test_done' && test.errors.length > 0) caught = mutant;
  }
};
