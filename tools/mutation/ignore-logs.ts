// A Stryker plugin: what is logged is no promise, so no mutant is made of it.

import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

interface Path {
  node: { type: string };
  get(key: string): Path;
  toString(): string;
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'logs', {
    shouldIgnore(path: Path): string | undefined {
      const isLog = path.node.type === 'CallExpression' && /\blog\.(debug|info|warn|error)$/.test(path.get('callee').toString());
      return isLog ? 'a log is no promise' : undefined;
    },
  }),
];
