// Every suite against the reference solutions, the whole cluster and the repository's own rules; and the proofs of the suites
// themselves: red on the starters, red on every wrong solution.
import { chapterProjects, leanTransportProject, testTimeout, wholeProjects } from './tools/jest-projects.ts';
import { proofProjects } from './tools/proof/projects.ts';

export default {
  projects: [...chapterProjects({ learner: false }), leanTransportProject(), ...wholeProjects(), ...proofProjects()],
  // One more than a small machine has processors: much of the time a suite waits, for Docker or for a process to start.
  maxWorkers: 3,
  // A process that has run hundreds of files holds gigabytes, and to collect its garbage takes seconds: tests of memory do that.
  workerIdleMemoryLimit: '800MB',
  testTimeout,
};
