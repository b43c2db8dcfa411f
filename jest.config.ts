// Plain jest: one project a chapter. Project N resolves `#…` names with the condition `learner-N` and no other,
// so `npm test -- chapter3` tests *your* chapter 3 over the reference's other chapters.
// The module map is derived from package.json's `imports`; there is no second map anywhere.
import { chapterProjects, testTimeout } from './tools/jest-projects.ts';

// Which chapters `npm test` was asked for: jest looks at every file of a project before it runs the first test.
const only = process.env.KUBEKATA_CHAPTERS?.split(',');

export default {
  projects: chapterProjects({ learner: true }).filter(({ displayName }) => !only || only.includes(displayName)),
  reporters: ['<rootDir>/tools/progress.ts'],
  testTimeout,
};
