// The set-up file of a chapter's tests. Under `npm test` it does nothing. Under the watch loop it waits, in the very world that the
// test will run in, with everything loaded and started that is not the learner's: so a run that follows a save has only their code
// and the test to load. CommonJS, because jest awaits what a set-up file exports only there. The channels are the process's own:
// the other end is ./tell-loop.ts.

const { channel, subscribe } = require('node:diagnostics_channel');

module.exports = async () => {
  const given = process.env.KUBEKATA_PRELOAD;
  if (!given) return;
  const modules = JSON.parse(given).map((name) => require(name));
  for (const { startAhead } of modules) await startAhead?.();
  const go = new Promise((resolve) => subscribe('kubekata.go', resolve));
  channel('kubekata.warm').publish({});
  await go;
};
