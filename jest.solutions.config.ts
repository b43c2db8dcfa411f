// Every suite against the reference solutions, then the whole cluster and the repository's own rules.
import { chapterProjects, wholeProjects } from './tools/jest-projects.ts';

export default { projects: [...chapterProjects({ learner: false }), ...wholeProjects()], maxWorkers: 2 };
