// Finds the Docker Engine, or says why there is none and what to do, in the words of `npm run doctor`.

import Docker from 'dockerode';
import { UsageError } from '#cluster/flags';
import { dockerRemedy } from '../tools/machine.mjs';

export async function connectDocker(): Promise<Docker> {
  const docker = new Docker();
  try {
    await docker.ping();
    return docker;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [what, remedy] = dockerRemedy({ code: code ?? message });
    throw new UsageError(
      `${what}. ${remedy}\nWithout Docker, \`npm start -- --runtime hollow\` runs a cluster whose containers only pretend to run.`,
    );
  }
}
