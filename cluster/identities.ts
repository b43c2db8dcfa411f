// Who is who: one CA, a certificate a component with the user and groups that real Kubernetes gives it, and a kubeconfig for each
// of those that talk to the API server.
// Kubernetes: cmd/kubeadm/app/phases/certs, and its documentation "PKI certificates and requirements"

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig } from '#kit/kubeconfig';
import { type CertificateAuthority, createCertificateAuthority, type KeyPair } from '#kit/pki';

export interface Identities {
  ca: string;
  /** Writes `<name>.crt` and `<name>.key`; returns their paths. */
  certificate(
    name: string,
    request: Parameters<CertificateAuthority['issue']>[0],
  ): Promise<{ certFile: string; keyFile: string } & KeyPair>;
  /** Writes a kubeconfig that speaks as `user`; returns its path. */
  kubeconfig(path: string, server: string, identity: { user: string; groups?: string[]; context?: string }): Promise<string>;
  caFile: string;
  /** With it the controller manager signs what others ask for. */
  caKeyFile: string;
  /** The key that service account tokens are signed with: it outlives every process of the API server. */
  signingKeyFile: string;
}

/** Makes a new CA in the folder. */
export async function createIdentities(folder: string): Promise<Identities> {
  await mkdir(folder, { recursive: true });
  const authority = await createCertificateAuthority('kubekata');
  const writeSecret = (path: string, text: string) => writeFile(path, text, { mode: 0o600 });
  const [caFile, caKeyFile] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  await Promise.all([writeFile(caFile, authority.cert), writeSecret(caKeyFile, authority.key)]);
  const signingKeyFile = join(folder, 'sa.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeSecret(signingKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return {
    ca: authority.cert,
    caFile,
    caKeyFile,
    signingKeyFile,
    async certificate(name, request) {
      const pair = await authority.issue(request);
      const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      await Promise.all([writeFile(certFile, pair.cert), writeSecret(keyFile, pair.key)]);
      return { ...pair, certFile, keyFile };
    },
    async kubeconfig(path, server, { user, groups = [], context = 'kubekata' }) {
      const pair = await authority.issue({ commonName: user, organizations: groups, usages: ['client'] });
      await writeSecret(path, writeKubeconfig({ name: context, server, ca: authority.cert, ...pair }));
      return path;
    },
  };
}
