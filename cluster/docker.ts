// Finds the Docker Engine, or says in one sentence why there is none and what to do.

import Docker from 'dockerode';
import { UsageError } from '#cluster/flags';

const remedies: Record<string, string> = {
  ENOENT:
    'Docker is not running, or not installed: `npm run setup -- --yes` installs and starts it on Debian and Ubuntu; elsewhere start Docker Desktop',
  ECONNREFUSED: 'Docker is installed but not running: start Docker Desktop, or the daemon with `npm run setup -- --yes`',
  EACCES: 'you may not talk to Docker: add yourself to its group (`sudo usermod -aG docker $USER`) and log in again',
};

export async function connectDocker(): Promise<Docker> {
  const docker = new Docker();
  try {
    await docker.ping();
    return docker;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = remedies[code] ?? `Docker does not answer: ${message}`;
    throw new UsageError(
      `${reason}.\nWithout Docker, \`npm start -- --runtime hollow\` runs a cluster whose containers only pretend to run.`,
    );
  }
}
