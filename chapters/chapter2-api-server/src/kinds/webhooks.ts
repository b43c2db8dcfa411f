// Webhook configurations: who outside of this server is asked about which writes.
// Kubernetes: pkg/apis/admissionregistration/v1/defaults.go and pkg/apis/admissionregistration/validation/validation.go

import type { MutatingWebhook, ValidatingWebhook } from 'kubernetes-types/admissionregistration/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import { duplicateValue, invalidValue, required } from './field-errors.ts';
import { validateMatchConditions } from './match-conditions.ts';
import { type Rule, validateRule } from './match-resources.ts';
import { oneOf } from './pod-validation.ts';
import type { KindStrategy } from './strategy.ts';
import { validateWebhookService } from './webhook-service.ts';

export type Webhook = (MutatingWebhook | ValidatingWebhook) & { rules?: Rule[] };

export interface WebhookConfiguration extends KubernetesObject {
  webhooks?: Webhook[];
}

export const webhookConfigurations: KindStrategy<WebhookConfiguration> = {
  setDefaults({ kind, webhooks = [] }) {
    for (const webhook of webhooks) {
      webhook.failurePolicy ??= 'Fail';
      webhook.matchPolicy ??= 'Equivalent';
      webhook.namespaceSelector ??= {};
      webhook.objectSelector ??= {};
      webhook.timeoutSeconds ??= 10;
      if (kind === 'MutatingWebhookConfiguration') (webhook as MutatingWebhook).reinvocationPolicy ??= 'Never';
      for (const rule of webhook.rules ?? []) rule.scope ??= '*';
      if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
    }
  },

  validate({ webhooks = [] }) {
    const names = webhooks.map(({ name }) => name);
    return webhooks.flatMap((webhook, index) => [
      ...validateWebhook(webhook, `webhooks[${index}]`),
      ...(names.indexOf(webhook.name) < index ? [duplicateValue(`webhooks[${index}].name`, webhook.name)] : []),
    ]);
  },
};

function validateWebhook(webhook: Webhook, field: string): StatusCause[] {
  const { name = '', admissionReviewVersions = [], sideEffects, timeoutSeconds = 10, rules = [], matchConditions = [] } = webhook;
  const isDomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}$/.test(name);
  const sideEffectsAllowed = ['None', 'NoneOnDryRun'];
  return [
    ...(isDomain ? [] : [invalidValue(`${field}.name`, name, 'should be a domain with at least three segments separated by dots')]),
    ...(sideEffects ? oneOf(`${field}.sideEffects`, sideEffects, sideEffectsAllowed) : [required(`${field}.sideEffects`)]),
    ...(admissionReviewVersions.includes('v1')
      ? []
      : [invalidValue(`${field}.admissionReviewVersions`, admissionReviewVersions, 'must include at least one of v1')]),
    ...oneOf(`${field}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']),
    ...(timeoutSeconds >= 1 && timeoutSeconds <= 30
      ? []
      : [invalidValue(`${field}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]),
    ...rules.flatMap((rule, index) => validateRule(rule, `${field}.rules[${index}]`)),
    ...validateClientConfig(webhook, `${field}.clientConfig`),
    ...validateMatchConditions(matchConditions, `${field}.matchConditions`),
  ];
}

function validateClientConfig({ clientConfig }: Webhook, field: string): StatusCause[] {
  const { url, service } = clientConfig ?? {};
  if ((url === undefined) === (service === undefined)) return [required(field, 'exactly one of url or service is required')];
  if (service) return validateWebhookService(service, `${field}.service`);
  const { protocol = '', username = '', search = '' } = URL.parse(url ?? '') ?? {};
  const form = 'desired format: https://host[/path]';
  if (protocol !== 'https:')
    return [invalidValue(`${field}.url`, protocol.replace(':', ''), `'https' is the only allowed URL scheme; ${form}`)];
  return username || search ? [invalidValue(`${field}.url`, url, `neither a user nor a query is permitted in the URL; ${form}`)] : [];
}
