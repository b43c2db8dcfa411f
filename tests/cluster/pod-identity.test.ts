// A pod that talks to the API server as itself, on real containers: found by name, trusted by its certificate, known by its token,
// and allowed what roles allow; and the volumes that bring it all there.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { removeInContainer } from '#kit/node/remove-folder';
import { TestCluster } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';

jest.setTimeout(120_000);

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: robot, labels: { app: robot } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: tools
      image: kubekata/tools:1
      command: [sleep, '1000']
      volumeMounts:
        - { name: scratch, mountPath: /scratch }
        - { name: settings, mountPath: /etc/settings }
        - { name: machine, mountPath: /machine }
    - name: neighbour
      image: kubekata/tools:1
      command: [sleep, '1000']
      securityContext: { runAsUser: 1000 }
      volumeMounts:
        - { name: scratch, mountPath: /scratch }
        - { name: settings, mountPath: /etc/color, subPath: color }
  volumes:
    - { name: scratch, emptyDir: {} }
    - { name: settings, configMap: { name: settings } }
    - { name: machine, hostPath: { path: /var/shared } }
`;

describe('a pod that is somebody', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '1']);
    await cluster.kubectl('create configmap settings --from-literal=color=red');
    await cluster.kubectl('apply -f -', pod);
    await cluster.kubectl('wait --for=condition=Ready pod/robot --timeout=60s');
  });
  afterAll(() => cluster?.stop());

  const run = (script: string, container = 'tools') => cluster.kubectl(['exec', 'robot', '-c', container, '--', 'sh', '-c', script]);

  /**
   * Asks the API server from the pod's network, with the pod's token, trusting the pod's CA and nobody else; the status code. The pod has
   * `nc`, but nothing that speaks TLS as well as we do: so it is spoken here, and every byte of it goes through the pod.
   */
  const ask = async (path: string, { host = 'kubernetes.default.svc.cluster.local', token = '' } = {}) => {
    const [ca, own] = await Promise.all([run(`cat ${account}/ca.crt`), run(`cat ${account}/token`)]);
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
    const tunnels: ChildProcess[] = [];
    const entrance = createServer((socket) => {
      const { stdin, stdout } = spawnTunnel(tunnels, ['exec', '-i', 'robot', '-c', 'tools', '--', 'nc', host, '443'], env);
      // Who has answered is gone; that we close the connection, too, reaches nobody any more.
      stdin.on('error', () => socket.destroy());
      socket.pipe(stdin);
      stdout.pipe(socket);
    });
    entrance.listen(0, '127.0.0.1');
    await once(entrance, 'listening');
    try {
      const { port } = entrance.address() as AddressInfo;
      const trust = { ca, checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate) };
      const question = get({ host: '127.0.0.1', port, path, agent: false, ...trust, headers: { authorization: `Bearer ${token || own}` } });
      const [answer] = (await once(question, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      return answer.statusCode;
    } finally {
      entrance.close();
      for (const tunnel of tunnels) tunnel.kill();
    }
  };

  it('finds the API server by name and by its environment, and is told what its roles do not allow', async () => {
    expect(await ask('/api/v1/namespaces/default/pods')).toBe(403);
    expect(await ask('/api/v1/namespaces/default/pods', { host: await run('printf $KUBERNETES_SERVICE_HOST') })).toBe(403);
    expect(await ask('/api', { token: 'nonsense' })).toBe(401);
  });

  it('may do what a role binding lets its account do, and no more', async () => {
    await cluster.kubectl('create rolebinding robot --clusterrole=view --serviceaccount=default:default');
    await cluster.eventually('it reads pods', async () => (await ask('/api/v1/namespaces/default/pods')) === 200);
    expect(await ask('/api/v1/namespaces/default/secrets')).toBe(403);
    expect(await ask('/api/v1/namespaces/kube-system/pods')).toBe(403);
  });

  it('has a token that says which pod on which node it belongs to', async () => {
    const [, claims = ''] = (await run(`cat ${account}/token`)).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: 'system:serviceaccount:default:default',
      'kubernetes.io': { namespace: 'default', pod: { name: 'robot' }, node: { name: 'node-1' }, serviceaccount: { name: 'default' } },
    });
    expect(await run(`cat ${account}/namespace`)).toBe('default');
  });

  it('may come with a token from a Secret, too', async () => {
    const metadata = { name: 'lasting', annotations: { 'kubernetes.io/service-account.name': 'default' } };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' };
    await cluster.kubectl('apply -f -', JSON.stringify(secret));
    const token = await cluster.eventually('a token', () => cluster.kubectl('get secret lasting -o jsonpath={.data.token}'));
    expect(await ask('/api/v1/namespaces/default/pods', { token: Buffer.from(token, 'base64').toString() })).toBe(200);
  });

  it('cannot write where Kubernetes writes', async () => {
    const { stderr } = await cluster.kubectlOutcome(['exec', 'robot', '-c', 'tools', '--', 'sh', '-c', `echo x > ${account}/token`]);
    expect(stderr).toMatch(/Read-only file system/);
  });

  it('shares an emptyDir among its containers, whoever they run as, and mounts a part of a volume', async () => {
    await run('echo hello > /scratch/from-tools');
    expect(await run('cat /scratch/from-tools; id -u; echo back > /scratch/from-neighbour; cat /etc/color', 'neighbour')).toBe(
      'hello\n1000\nred',
    );
  });

  it('keeps hostPath files on the node when it goes, and nothing else', async () => {
    await run('echo stays > /machine/file');
    const disk = join(cluster.folder, 'data/kubelet-node-1');
    expect(existsSync(join(disk, 'disk/var/shared/file'))).toBe(true);
    expect(readdirSync(join(disk, 'pods'))).toHaveLength(1);
    await cluster.kubectl('delete pod robot');
    await cluster.eventually('its folder is gone', () => readdirSync(join(disk, 'pods')).length === 0);
    expect(existsSync(join(disk, 'disk/var/shared/file'))).toBe(true);
    await removeInContainer(join(disk, 'disk'), cluster.docker);
    expect(existsSync(join(disk, 'disk'))).toBe(false);
  });

  it('does not start without what it mounts, says why, and starts when it is there', async () => {
    const waiting = { ...podOf('waiting'), spec: { ...podOf('waiting').spec, volumes: [{ name: 'late', configMap: { name: 'late' } }] } };
    await cluster.kubectl('apply -f -', JSON.stringify(waiting));
    await cluster.eventually('an event that says why', async () => {
      const events = await cluster.kubectl('get events --field-selector involvedObject.name=waiting');
      return /FailedMount.*MountVolume\.SetUp failed for volume "late" : configmap "late" not found/.test(events);
    });
    await cluster.kubectl('create configmap late --from-literal=a=b');
    await cluster.kubectl('wait --for=condition=Ready pod/waiting --timeout=60s');
  });
});

function spawnTunnel(tunnels: ChildProcess[], args: string[], env: NodeJS.ProcessEnv) {
  const tunnel = spawn(kubectlPath(), args, { env });
  tunnels.push(tunnel);
  return tunnel;
}

function podOf(name: string) {
  const volumeMounts = [{ name: 'late', mountPath: '/late' }];
  const containers = [{ name: 'app', image: 'kubekata/tools:1', command: ['sleep', '1000'], volumeMounts }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 0, containers } };
}
