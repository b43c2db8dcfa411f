// Webhooks: admission by servers of somebody else's. Mutating ones are asked one after the other and may patch the object; validating ones
// all at once, and last of all but the quota. A webhook that does not answer refuses (Fail), or does not count (Ignore).
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook

import type { MutatingWebhook } from 'kubernetes-types/admissionregistration/v1';
import { ApiError, failure } from '#kit/status';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { badRequest, forbidden } from '../errors.ts';
import { ExpressionFailure } from '../expressions.ts';
import { checkFields, ignoring } from '../field-validation.ts';
import { equalJson } from '../json.ts';
import { strategyFor } from '../kinds/index.ts';
import type { Webhook, WebhookConfiguration } from '../kinds/webhooks.ts';
import { namespaceTarget } from '../namespaces.ts';
import type { ApiObject } from '../object.ts';
import { uuid } from '../object-meta.ts';
import { applyJsonPatch } from '../patch.ts';
import { apiVersionOf, findResource, type ResourceDefinition } from '../resources.ts';
import { eachWithinBudget } from '../time-budget.ts';
import type { AdmissionPlugin, Write } from './admission.ts';
import { admissionRequest, valuesOf } from './admission-request.ts';
import { areMet } from './match-conditions.ts';
import { type AdmissionResponse, ask, type WayToWebhooks, WebhookFailure } from './webhook-client.ts';
import { namespaceLabels, wants } from './webhook-rules.ts';

const group = 'admissionregistration.k8s.io';
/** What a webhook is shown as it is stored. Other doors take objects of their own kinds, of which the plugins see nothing. */
const doors = ['', 'status'];

export type WebhookOptions = LiveSource & WayToWebhooks;

export function mutatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  const hooks = new Hooks('mutatingwebhookconfigurations', true, options);
  return {
    name: 'MutatingAdmissionWebhook',
    async admit(write) {
      const asked: Webhook[] = [];
      const again = new Set<Webhook>();
      const askEach = async (webhooks: Iterable<Webhook>) => {
        for (const webhook of webhooks) {
          // Only now: those before it may have changed what its conditions are about.
          const [met] = hooks.met([webhook], write);
          if (!met) continue;
          const response = await hooks.ask(met, write);
          if (response?.patch && change(write, webhook, response.patch)) for (const one of asked) again.add(one);
          if ((webhook as MutatingWebhook).reinvocationPolicy === 'IfNeeded') asked.push(webhook);
        }
      };
      await askEach(await hooks.for(write));
      // Somebody changed what they had seen. That happens once: two who never agree must not go on for ever.
      await askEach([...again]);
    },
  };
}

export function validatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  const hooks = new Hooks('validatingwebhookconfigurations', false, options);
  return {
    name: 'ValidatingAdmissionWebhook',
    async validate(write) {
      const webhooks = await hooks.for(write);
      await Promise.all(webhooks.map((webhook) => hooks.ask(webhook, write)));
    },
  };
}

class Hooks {
  readonly #configurations: LiveObjects<WebhookConfiguration & ApiObject>;
  readonly #namespaces: LiveObjects;
  readonly #options: WebhookOptions;
  readonly #mayPatch: boolean;

  constructor(plural: string, mayPatch: boolean, options: WebhookOptions) {
    this.#options = options;
    this.#mayPatch = mayPatch;
    this.#configurations = new LiveObjects(findResource(group, 'v1', plural) as ResourceDefinition, options);
    this.#namespaces = new LiveObjects(namespaceTarget('').resource, options);
  }

  /** In the order of the configurations' names. What configures webhooks is never shown to one: else nobody could take a broken one away. */
  async for(write: Write): Promise<Webhook[]> {
    if (write.target.resource.group === group || !doors.includes(write.subresource)) return [];
    await this.#configurations.ready();
    const configurations = [...this.#configurations.values()];
    if (configurations.length === 0) return [];
    await this.#namespaces.ready();
    const labels = namespaceLabels(write, this.#namespaces);
    configurations.sort((one, other) => ((one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1));
    const webhooks = configurations.flatMap(({ webhooks = [] }) => webhooks).filter((webhook) => wants(webhook, write, labels));
    return this.#mayPatch ? webhooks : this.met(webhooks, write);
  }

  /** Those whose conditions are true of the write. Throws ApiError for one that fails, unless that does not count. */
  met(webhooks: Webhook[], write: Write): Webhook[] {
    if (!webhooks.some(({ matchConditions = [] }) => matchConditions.length > 0)) return webhooks;
    const values = valuesOf(write);
    const answers = eachWithinBudget(webhooks, ({ matchConditions = [] }) => areMet(matchConditions, values));
    return webhooks.filter(({ failurePolicy }, index) => {
      const answer = answers[index];
      if (!(answer instanceof ExpressionFailure)) return answer;
      if (failurePolicy === 'Ignore') return false;
      throw forbidden(write.target.resource, write.target.name, answer.message);
    });
  }

  /** The response of a webhook that allows the write; undefined for one that cannot be asked and does not count. Throws ApiError. */
  async ask(webhook: Webhook, write: Write): Promise<AdmissionResponse | undefined> {
    const { name, failurePolicy } = webhook;
    try {
      const response = await ask(webhook, reviewOf(write, uuid(this.#options.random)), { ...this.#options, mayPatch: this.#mayPatch });
      for (const warning of response.warnings ?? []) write.warn(warning);
      if (response.allowed) return response;
      throw denial(name, response);
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error;
      if (failurePolicy === 'Ignore') return undefined;
      throw failed(name, error.message);
    }
  }
}

function reviewOf(write: Write, uid: string) {
  return { uid, ...admissionRequest(write), object: write.object ?? null, oldObject: write.old ?? null };
}

/** The patched object takes the other one's place; what the webhook left out is filled in, as for any author. Tells whether it is another one now. */
function change({ target, object }: Write, { name }: Webhook, patch: string): boolean {
  if (!object) return false;
  const { resource } = target;
  const before = structuredClone(object);
  try {
    const patched = checkFields(
      applyJsonPatch(object, JSON.parse(Buffer.from(patch, 'base64').toString('utf8'))),
      resource,
      ignoring,
    ) as ApiObject;
    const { apiVersion = apiVersionOf(resource), metadata = {}, ...rest } = patched;
    const { name: oldName, namespace } = object.metadata;
    if (metadata.name !== oldName || metadata.namespace !== namespace) throw badRequest('an object keeps its name and its namespace');
    for (const field of Object.keys(object)) delete object[field];
    Object.assign(object, { apiVersion, metadata, ...rest });
    strategyFor(resource).setDefaults?.(object);
    return !equalJson(object, before);
  } catch (error) {
    if (error instanceof ApiError || error instanceof SyntaxError) throw failed(name, `the patch cannot be applied: ${error.message}`);
    throw error;
  }
}

function failed(name: string, why: string): ApiError {
  return new ApiError(
    failure(500, 'InternalError', `Internal error occurred: failed calling webhook "${name}": ${why}`, { causes: [{ message: why }] }),
  );
}

/** Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go */
function denial(name: string, { status }: AdmissionResponse): ApiError {
  const { message, reason, code = 0 } = status ?? {};
  const denied = `admission webhook "${name}" denied the request`;
  const why = message || reason;
  const text = why ? `${denied}: ${why}` : `${denied} without explanation`;
  return new ApiError({ ...failure(Math.max(code, 400), reason ?? '', text), ...(status?.details ? { details: status.details } : {}) });
}
