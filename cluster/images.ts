// Makes the course's own images where they are missing; `npm run setup` calls it.

import { connectDocker } from '#cluster/docker';
import { runCommand } from '#cluster/flags';
import { imageRecipes } from '#kit/node/image-recipes';
import { ensureImage } from '#kit/node/images';

await runCommand(async () => {
  const docker = await connectDocker();
  for (const name of Object.keys(imageRecipes)) await ensureImage(docker, name);
  process.stdout.write(`images: ${Object.keys(imageRecipes).join(', ')}\n`);
  return 0;
});
