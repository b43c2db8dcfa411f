// The real kube-controller-manager and kube-scheduler, each as itself: with a certificate and a kubeconfig of its own, the roles that
// every cluster gives it, and leader election on. KATA_UPSTREAM_CONTROLLER_MANAGER and KATA_UPSTREAM_SCHEDULER name the programs
// (`npm run test:upstream -- control-plane` sets them).
// Kubernetes: cmd/kubeadm/app/phases/controlplane/manifests.go

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '#kit/free-ports';
import { writeKubeconfig } from '#kit/kubeconfig';
import type { TestControlPlane } from '#kit/testing/control-plane';
import { startProgram, type UpstreamProgram } from '#kit/testing/upstream-program';

export const upstreamControllerManager = process.env.KATA_UPSTREAM_CONTROLLER_MANAGER;
export const upstreamScheduler = process.env.KATA_UPSTREAM_SCHEDULER;

/** Short, so that a test sees a failover; upstream's own are 15, 10 and 2 seconds. */
const elections = {
  'leader-elect': 'true',
  'leader-elect-lease-duration': '5s',
  'leader-elect-renew-deadline': '4s',
  'leader-elect-retry-period': '1s',
};

/** Many tests at once ask for more than the usual 20 requests a second. */
const traffic = { 'kube-api-qps': '200', 'kube-api-burst': '400' };

/** Seconds without a heartbeat until a node is given up: our kubelets send one every ten. */
const nodeMonitorGracePeriod = '16s';

/** @param folder where its files are put; it is made */
export async function startUpstreamControllerManager(program: string, plane: TestControlPlane, folder: string): Promise<UpstreamProgram> {
  const flags = await commonFlags(plane, folder, 'system:kube-controller-manager');
  const files = {
    'ca.crt': plane.ca,
    'ca.key': plane.caKey,
    'sa.key': plane.signingKey,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  const file = (name: keyof typeof files) => join(folder, name);
  return startProgram(program, {
    ...flags,
    'root-ca-file': file('ca.crt'),
    'cluster-signing-cert-file': file('ca.crt'),
    'cluster-signing-key-file': file('ca.key'),
    'service-account-private-key-file': file('sa.key'),
    'use-service-account-credentials': 'true',
    controllers: '*,bootstrapsigner,tokencleaner',
    'horizontal-pod-autoscaler-sync-period': '2s',
    // It makes this folder, on the machine.
    'flex-volume-plugin-dir': join(folder, 'volume-plugins'),
    'node-monitor-period': '1s',
    'node-monitor-grace-period': nodeMonitorGracePeriod,
  });
}

/** @param folder where its files are put; it is made */
export async function startUpstreamScheduler(program: string, plane: TestControlPlane, folder: string): Promise<UpstreamProgram> {
  return startProgram(program, await commonFlags(plane, folder, 'system:kube-scheduler'));
}

async function commonFlags(plane: TestControlPlane, folder: string, user: string): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true });
  const [port] = await freePorts(1);
  const kubeconfig = join(folder, 'kubeconfig');
  const text = writeKubeconfig({ name: 'test', server: plane.serverUrl, ca: plane.ca, ...(await plane.issue(user)) });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'secure-port': `${port}`,
    'cert-dir': folder,
    ...elections,
    ...traffic,
  };
}
