// A real browser for what can only be judged by looking. It is the machine's own Chromium or Chrome; nothing is downloaded.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe'];

export function launchChromium(): Promise<Browser> {
  // Chromium's own sandbox wants a kernel feature that containers and CI often lack; only the project's own pages are opened.
  return chromium.launch({ executablePath: programPath(), args: ['--no-sandbox'] });
}

function programPath(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (!found)
    throw new Error(
      'There is no Chromium, which the tests of the docs site need. `npm run setup` says how to get it; or name its program: CHROMIUM=<path> npm run test:solutions',
    );
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
