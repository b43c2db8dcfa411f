// Tokens for those who ask for one that has no end: who makes a Secret of type kubernetes.io/service-account-token that names an account finds
// in it a token, the cluster's CA and the namespace. When the account goes, such Secrets go; when a Secret goes, its account forgets it.
// Kubernetes: pkg/controller/serviceaccount/tokens_controller.go

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Secret, Secrets, type ServiceAccount, ServiceAccounts } from '#kit/api';
import type { Client, ObjectName } from '#kit/client';
import { keyId, signToken } from '#kit/json-web-tokens';
import { accountNameAnnotation, accountUidAnnotation, legacyClaim, legacyIssuer, tokenSecretType } from '#kit/legacy-tokens';
import { isNotFound } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

export interface TokensOptions {
  /** PEM: whom the API server believes. */
  tokenKey: string;
  /** PEM; absent: what a Secret has for a CA is left as it is. */
  rootCa: string | undefined;
}

export class TokensController implements Controller {
  readonly name = 'serviceaccount-token-controller';
  readonly workers = 5;
  /** Keys are `namespace/secret/account`: which account a Secret named cannot be asked any more when it is gone. */
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #secrets: Informer<Secret>;
  readonly #key: KeyObject;
  readonly #keyId: string;
  readonly #rootCa: string | undefined;

  constructor(context: ControllerContext, { tokenKey, rootCa }: TokensOptions) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#key = createPrivateKey(tokenKey);
    this.#keyId = keyId(createPublicKey(this.#key));
    this.#rootCa = rootCa;
    this.#secrets = context.informers.for(Secrets);
    const look = (secret: Secret) => {
      if (secret.type === tokenSecretType) this.queue.add(keyFor(secret));
    };
    this.#secrets.onChange({ added: look, updated: look, deleted: look });
    const lookAtAll = ({ metadata }: ServiceAccount) => {
      const named = this.#secrets.list(metadata?.namespace).filter((secret) => accountNameOf(secret) === metadata?.name);
      for (const secret of named) look(secret);
    };
    context.informers.for(ServiceAccounts).onChange({ deleted: lookAtAll });
  }

  async reconcile(key: string): Promise<void> {
    const [namespace = '', name = '', ...rest] = key.split('/');
    const accountName = rest.join('/');
    const secret = this.#secrets.get(`${namespace}/${name}`);
    // Not from a cache: who makes an account and then its Secret must not lose the Secret because we have heard of one of them only.
    const account = await this.#account({ namespace, name: accountName });
    if (!secret) return account && this.#forget(account, name);
    if (accountNameOf(secret) !== accountName) return;
    const uid = secret.metadata?.annotations?.[accountUidAnnotation];
    if (account && (!uid || uid === account.metadata?.uid)) return this.#fill(secret, account);
    await this.#delete(secret);
  }

  async #account(name: ObjectName): Promise<ServiceAccount | undefined> {
    try {
      return await this.#client.get(ServiceAccounts, name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }

  async #fill(secret: Secret, account: ServiceAccount): Promise<void> {
    const { namespace = '', annotations } = secret.metadata ?? {};
    const { data = {} } = secret;
    const encode = (text: string) => Buffer.from(text).toString('base64');
    const ca = this.#rootCa ? { 'ca.crt': encode(this.#rootCa) } : {};
    const wanted = {
      ...data,
      ...ca,
      namespace: data.namespace || encode(namespace),
      token: data.token || encode(this.#sign(secret, account)),
    };
    const isWhole = data.token && data.namespace && (!this.#rootCa || data['ca.crt'] === wanted['ca.crt']);
    if (isWhole) return;
    const whose = { [accountNameAnnotation]: account.metadata?.name ?? '', [accountUidAnnotation]: account.metadata?.uid ?? '' };
    const metadata = { ...secret.metadata, annotations: { ...annotations, ...whose } };
    await this.#client.update(Secrets, { ...secret, metadata, data: wanted });
  }

  #sign({ metadata }: Secret, account: ServiceAccount): string {
    const { namespace = '', name = '', uid = '' } = account.metadata ?? {};
    const claims = {
      iss: legacyIssuer,
      sub: `system:serviceaccount:${namespace}:${name}`,
      [legacyClaim.namespace]: namespace,
      [legacyClaim.secretName]: metadata?.name,
      [legacyClaim.accountName]: name,
      [legacyClaim.accountUid]: uid,
    };
    return signToken(claims, this.#key, this.#keyId);
  }

  async #delete({ metadata }: Secret): Promise<void> {
    const { name = '', namespace, uid = '' } = metadata ?? {};
    try {
      await this.#client.delete(Secrets, { name, namespace }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #forget(account: ServiceAccount, name: string): Promise<void> {
    const { secrets = [] } = account;
    const left = secrets.filter((reference) => reference.name !== name);
    if (left.length < secrets.length) await this.#client.update(ServiceAccounts, { ...account, secrets: left });
  }
}

function keyFor(secret: Secret): string {
  const { namespace, name } = secret.metadata ?? {};
  return `${namespace}/${name}/${accountNameOf(secret)}`;
}

function accountNameOf({ metadata }: Secret): string {
  return metadata?.annotations?.[accountNameAnnotation] ?? '';
}
