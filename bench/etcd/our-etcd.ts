// Our etcd as a process of its own, for measurements: `node our-etcd.ts OPTIONS-AS-JSON`. Tells its parent where it serves.

import { startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';

const options = JSON.parse(process.argv[2] ?? '{}');
const context = { clock: systemClock, random: systemRandom, log: silentLogger };
const { url } = await startEtcd({ listen: { host: '127.0.0.1', port: 0 }, quotaBytes: 0, ...context, ...options });
process.send?.(url);
process.on('disconnect', () => process.exit());
