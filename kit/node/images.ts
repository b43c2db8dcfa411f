// Images that are simply there: present, or pulled, or, for the course's own, made on the spot.

import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { imageArchive, tarOf } from '#kit/node/image-archive';
import { type ImageRecipe, imageRecipes } from '#kit/node/image-recipes';

/** Resolves when the engine has the image. Rejects with the engine's own words when it can be neither pulled nor made. */
export async function ensureImage(docker: Docker, name: string, recipe: ImageRecipe | undefined = imageRecipes[name]): Promise<void> {
  if (await hasImage(docker, name)) return;
  if (recipe) await makeImage(docker, name, recipe);
  else await pullImage(docker, name);
}

async function hasImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

async function pullImage(docker: Docker, name: string): Promise<void> {
  // Without a tag the engine would pull every tag there is.
  const reference = /[:@][^/]+$/.test(name) ? name : `${name}:latest`;
  await finished(docker, await docker.pull(reference));
}

async function makeImage(docker: Docker, name: string, recipe: ImageRecipe): Promise<void> {
  const { Arch: architecture } = await docker.version();
  try {
    requireSameSystem(recipe, architecture);
    const archive = await imageArchive(name, architecture, await recipe.content(architecture));
    await finished(docker, (await docker.loadImage(Readable.from([archive]))) as NodeJS.ReadableStream);
  } catch (error) {
    if (!recipe.dockerfile) throw error;
    await buildImage(docker, name, recipe.dockerfile).catch((buildError) => {
      throw new Error(
        `the image ${name} can't be made: ${messageOf(error)} (Debian: apt-get install ${recipe.packages.join(' ')}), ` +
          `and building it from a registry's base image failed too: ${messageOf(buildError)}`,
      );
    });
  }
}

/** The machine's own programs run in the engine only where it is Linux on the same processor. */
function requireSameSystem({ packages }: ImageRecipe, architecture: string): void {
  const own = process.arch === 'x64' ? 'amd64' : process.arch;
  if (packages.length > 0 && (process.platform !== 'linux' || own !== architecture)) {
    throw new Error(`this machine (${process.platform} ${own}) can't lend programs to a linux ${architecture} engine`);
  }
}

async function buildImage(docker: Docker, name: string, dockerfile: string): Promise<void> {
  const context = await tarOf([{ path: 'Dockerfile', content: dockerfile }]);
  await finished(docker, await docker.buildImage(Readable.from([context]), { t: name }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function finished(docker: Docker, progress: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())));
}
