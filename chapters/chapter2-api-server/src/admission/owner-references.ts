// Owner references: whoever gives an object an owner lets that owner's end be its end, and whoever blocks the owner's deletion makes others wait.
// So the one needs the right to delete the object, the other the right to finalize the owner. Off by default, as upstream.
// Kubernetes: plugin/pkg/admission/gc/gc_admission.go

import type { OwnerReference } from 'kubernetes-types/meta/v1';
import type { ResourceAction } from '../access/actions.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { Definitions } from '../custom/definitions.ts';
import { forbidden } from '../errors.ts';
import { equalJson } from '../json.ts';
import type { ApiObject } from '../object.ts';
import { apiVersionOf, type ResourceDefinition } from '../resources.ts';
import type { AdmissionPlugin, Write } from './admission.ts';

export function ownerReferences(authorizer: Authorizer, definitions: Definitions): AdmissionPlugin {
  const mayDelete = async ({ user, target: { resource, namespace, name } }: Write) =>
    (await authorizer.authorize(user, actionOn(resource, { verb: 'delete', namespace, name }))).allowed;

  const mayFinalize = async ({ user, target }: Write, { resource, name }: { resource: ResourceDefinition; name: string }) => {
    const namespace = resource.namespaced ? target.namespace : undefined;
    return (await authorizer.authorize(user, actionOn(resource, { verb: 'update', namespace, name, subresource: 'finalizers' }))).allowed;
  };

  const anything = {
    verb: 'update',
    group: '*',
    version: '*',
    resource: '*',
    subresource: 'finalizers',
    namespace: '',
    name: '*',
    fieldSelector: '',
  };
  const mayFinalizeAnything = async ({ user }: Write) => (await authorizer.authorize(user, anything)).allowed;

  return {
    name: 'OwnerReferencesPermissionEnforcement',
    isOnByDefault: false,
    async validate(write) {
      const { target, object, old, subresource } = write;
      // The status of a pod is written by its kubelet, and its strategy keeps the owners as they are.
      const isPodStatus = target.resource.plural === 'pods' && subresource === 'status';
      if (!object || isPodStatus || equalJson(ownersOf(object), ownersOf(old))) return;
      const refuse = (why: string) => forbidden(target.resource, target.name, why);
      // Who creates an object could as well not have created it.
      if (old && !(await mayDelete(write))) throw refuse("cannot set an ownerRef on a resource you can't delete: , <nil>");
      const blocking = newlyBlocking(object, old);
      if (blocking.length === 0 || (await mayFinalizeAnything(write))) return;
      await definitions.ready();
      for (const { apiVersion, kind, name } of blocking) {
        const owners = definitions.all().filter((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
        if (owners.length === 0) {
          throw refuse(
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`,
          );
        }
        for (const resource of owners) {
          if (await mayFinalize(write, { resource, name })) continue;
          throw refuse("cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>");
        }
      }
    },
  };
}

/** What is sent to a subresource, a TokenRequest or an Eviction, may have no metadata. */
function ownersOf(object: Partial<ApiObject> | undefined): readonly OwnerReference[] {
  return object?.metadata?.ownerReferences ?? [];
}

/** The owners whose deletion waits for this object from now on. */
function newlyBlocking(object: ApiObject, old: ApiObject | undefined): OwnerReference[] {
  const before = new Set(ownersOf(old).flatMap(({ uid, blockOwnerDeletion }) => (blockOwnerDeletion ? uid : [])));
  return ownersOf(object).filter(({ uid, blockOwnerDeletion }) => blockOwnerDeletion && !before.has(uid));
}

function actionOn(
  { group, version, plural }: ResourceDefinition,
  { verb, namespace, name, subresource = '' }: { verb: string; namespace: string | undefined; name: string; subresource?: string },
): ResourceAction {
  return { verb, group, version, resource: plural, subresource, namespace: namespace ?? '', name, fieldSelector: '' };
}
