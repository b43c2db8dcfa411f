// What stands between a file and jest in a proof: the change, then ts-jest. The cache is keyed by the changed text alone, so
// that all proofs share what they don't change.

import { createHash } from 'node:crypto';
import type { SyncTransformer, TransformOptions } from '@jest/transform';
import { TsJestTransformer, type TsJestTransformerOptions } from 'ts-jest';
import type { RawCompilerOptions } from 'ts-jest/dist/raw-compiler-options.js';
import { tsconfigForJest } from '../jest-projects.ts';
import { toStarter } from '../starter.ts';

export interface Change {
  chapter: string;
  /** The solution without its bodies; with `upTo`, only without those of the stages behind that one. */
  starter: { stages: string[]; upTo?: string };
}

function changed(source: string, path: string, change: Change): string {
  const [, chapter] = /[\\/]solutions[\\/]([^\\/]+)[\\/]/.exec(path) ?? [];
  if (chapter !== change.chapter) return source;
  const { stages, upTo } = change.starter;
  const written = upTo && { written: (stage: string) => stages.indexOf(stage) <= stages.indexOf(upTo) };
  return toStarter(source, { file: path, stages: new Set(stages), ...written }).text;
}

export default {
  createTransformer(change: Change): SyncTransformer<TsJestTransformerOptions> {
    const tsconfig = tsconfigForJest() as RawCompilerOptions;
    const inner = new TsJestTransformer({ transpilation: true, tsconfig });
    return {
      getCacheKey(source: string, path: string, { instrument }: TransformOptions<TsJestTransformerOptions>): string {
        const key = JSON.stringify([path, instrument, tsconfig, changed(source, path, change)]);
        return createHash('sha256').update(key).digest('hex');
      },
      process: (source, path, options) => inner.process(changed(source, path, change), path, options),
    };
  },
};
