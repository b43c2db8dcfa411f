// etcd as a process of its own that can be killed: `node etcd-process.ts DATA-DIR`. Tells its parent where it serves. It writes a
// snapshot often, so that it is also killed while it does that.

import { startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';

const [dataDir = ''] = process.argv.slice(2);
const listen = { host: '127.0.0.1', port: 0 };
const context = { clock: systemClock, random: systemRandom, log: silentLogger };
const { url } = await startEtcd({ dataDir, listen, snapshotAfterBytes: 20_000, ...context });
process.send?.(url);
process.on('disconnect', () => process.exit());
