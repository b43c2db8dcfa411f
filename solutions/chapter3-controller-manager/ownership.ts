// Who controls what. A selector says which objects a controller may have; the owner reference marked `controller` says which
// ones it has. Two controllers with overlapping selectors therefore never fight over a pod: at most one can be its controller.
// Kubernetes: pkg/controller/controller_ref_manager.go

import type { KubernetesObject, LabelSelector, OwnerReference, Resource } from '#kit/api';
import type { Client } from '#kit/client';
import { isNotFound } from '#kit/status';
import { matchesSelector } from './label-selector.ts';

/** The one owner reference that is marked as controller. */
export function controllerOf({ metadata }: KubernetesObject): OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller);
}

export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return controllerOf(object)?.uid === owner.metadata?.uid;
}

/** The reference to write into an object that `owner` creates or adopts. */
export function controllerReference({ apiVersion = '', kind = '', metadata = {} }: KubernetesObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

export interface Claims<T> {
  /** Controlled by the owner already, and rightly. */
  keep: T[];
  /** Orphans that the selector chooses. */
  adopt: T[];
  /** Controlled by the owner, but the selector does not choose them any more. */
  release: T[];
}

/**
 * Sorts candidates by what is to be done about them. What another controller controls is nobody else's business. An owner that is
 * being deleted adopts and releases nothing: everything it controls stays in `keep`. An object that is being deleted is neither
 * adopted nor released.
 *
 * @exercise 3.3 Say which objects the owner keeps, adopts and releases
 */
export function planClaims<T extends KubernetesObject>(owner: KubernetesObject, selector: LabelSelector, candidates: T[]): Claims<T> {
  const claims: Claims<T> = { keep: [], adopt: [], release: [] };
  const ownerLeaves = owner.metadata?.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const matches = matchesSelector(selector, object.metadata?.labels);
    const leaves = ownerLeaves || object.metadata?.deletionTimestamp !== undefined;
    if (isControlledBy(object, owner)) {
      if (matches || ownerLeaves) claims.keep.push(object);
      else if (!leaves) claims.release.push(object);
    } else if (matches && !leaves && !controllerOf(object)) {
      claims.adopt.push(object);
    }
  }
  return claims;
}

export interface Claimants<O extends KubernetesObject, T extends KubernetesObject> {
  ownerResource: Resource<O>;
  owner: O;
  resource: Resource<T>;
}

/** Carries the plan out and answers the objects that the owner has now. Every patch names the version it was decided on. */
export async function claim<O extends KubernetesObject, T extends KubernetesObject>(
  client: Client,
  { ownerResource, owner, resource }: Claimants<O, T>,
  { keep, adopt, release }: Claims<T>,
): Promise<T[]> {
  if (adopt.length > 0) await mustStillExist(client, ownerResource, owner);
  const setOwners = async (object: T, owners: OwnerReference[]): Promise<T[]> => {
    const { name = '', namespace, uid, resourceVersion } = object.metadata ?? {};
    const ownerReferences = owners.length > 0 ? owners : null;
    try {
      return [await client.patch(resource, { name, namespace }, 'merge', { metadata: { uid, resourceVersion, ownerReferences } })];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  const ownersOf = (object: T) => object.metadata?.ownerReferences ?? [];
  const adopted = await Promise.all(adopt.map((object) => setOwners(object, [...ownersOf(object), controllerReference(owner)])));
  await Promise.all(
    release.map((object) =>
      setOwners(
        object,
        ownersOf(object).filter(({ uid }) => uid !== owner.metadata?.uid),
      ),
    ),
  );
  return [...keep, ...adopted.flat()];
}

/** The cache may not have heard yet that the owner was deleted, and a dead owner's adoptions would be collected as garbage. */
async function mustStillExist<O extends KubernetesObject>(client: Client, resource: Resource<O>, owner: O): Promise<void> {
  const { name = '', namespace, uid } = owner.metadata ?? {};
  const { metadata } = await client.get(resource, { name, namespace });
  if (metadata?.uid !== uid || metadata?.deletionTimestamp) throw new Error(`${owner.kind} ${name} is gone or going: it adopts nothing`);
}
