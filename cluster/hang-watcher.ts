// The thread of hang-watch.ts. It shares nothing with the component but a number that grows while all is well; when that stands
// still it stops the component's thread, reads its stack, and lets it say so itself.

import { type Debugger, Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { hangEvent, patienceMs } from '#cluster/hang-watch';
import { systemClock } from '#kit/clock';

const beats = workerData as Int32Array;
const root = `file://${process.cwd()}/`;
let last = Atomics.load(beats, 0);
let since = systemClock.now();

let hasReported = false;

// It goes on for ever: a thread with nothing to wait for would end before the answer comes.
systemClock.every(patienceMs / 10, () => {
  const now = Atomics.load(beats, 0);
  if (now !== last) {
    last = now;
    since = systemClock.now();
  } else if (systemClock.now() - since > patienceMs && !hasReported) {
    hasReported = true;
    report();
  }
});

function report(): void {
  const session = new Session();
  const urls = new Map<string, string>();
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url));
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    const [innermost] = callFrames;
    if (!innermost) return;
    const place = placeOf(callFrames, urls);
    const expression = `process.emit(${JSON.stringify(hangEvent)}, ${JSON.stringify(place)})`;
    session.post('Debugger.evaluateOnCallFrame', { callFrameId: innermost.callFrameId, expression });
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

/** The innermost frame in our own code. */
function placeOf(frames: Debugger.CallFrame[], urls: Map<string, string>): string {
  for (const { location, functionName } of frames) {
    const url = urls.get(location.scriptId) ?? '';
    if (!url.startsWith(root) || url.includes('/node_modules/')) continue;
    const place = `${url.slice(root.length)}:${location.lineNumber + 1}`;
    return functionName ? `${functionName} (${place})` : place;
  }
  return 'code that is not yours';
}
