// A member of an etcd cluster as a process of its own: `node etcd-member-process.ts '{"name": …}'`. Tells its parent where it serves;
// told `{ isolated: true }`, it sends its peers nothing and hears nothing of them.

import { type ClusterOptions, startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';

export interface MemberSettings extends Pick<ClusterOptions, 'listenPeers' | 'initialCluster' | 'heartbeatMs'> {
  name: string;
  dataDir: string;
  snapshotAfterBytes: number;
}

const { name, dataDir, snapshotAfterBytes, ...cluster } = JSON.parse(process.argv[2] ?? '') as MemberSettings;
let isIsolated = false;
process.on('message', ({ isolated }: { isolated: boolean }) => {
  isIsolated = isolated;
});
process.on('disconnect', () => process.exit());
try {
  const { url } = await startEtcd({
    name,
    dataDir,
    snapshotAfterBytes,
    listen: { host: '127.0.0.1', port: 0 },
    cluster: { ...cluster, passes: () => !isIsolated },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  process.send?.({ url });
} catch (error) {
  process.send?.({ failed: (error as Error).message });
}
