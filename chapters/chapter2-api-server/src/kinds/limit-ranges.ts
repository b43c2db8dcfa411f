// LimitRanges: what one container, pod or claim in a namespace may ask for, and what it gets when it does not ask.
// Kubernetes: pkg/apis/core/v1/defaults.go and pkg/apis/core/validation/validation.go, ValidateLimitRange

import type { LimitRange, LimitRangeItem } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { formatQuantity, type Quantity } from '#kit/quantity';
import { validateQuantities } from './container-validation.ts';
import { forbiddenField, invalidValue, required } from './field-errors.ts';
import type { KindStrategy } from './strategy.ts';

const types = ['Container', 'PersistentVolumeClaim', 'Pod'];
const lists = ['min', 'max', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type List = (typeof lists)[number];

/** The first may not be more than the second; how people call them. */
const orders: [List, List, string][] = [
  ['min', 'max', 'min value % is greater than max value %'],
  ['min', 'defaultRequest', 'min value % is greater than default request value %'],
  ['min', 'default', 'min value % is greater than default value %'],
  ['defaultRequest', 'max', 'default request value % is greater than max value %'],
  ['defaultRequest', 'default', 'default request value % is greater than default limit value %'],
  ['default', 'max', 'default value % is greater than max value %'],
];

export const limitRanges: KindStrategy<LimitRange> = {
  /** Who may use at most so much gets that as a limit; who gets a limit gets it as a request, and at least the minimum. */
  setDefaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      if (item.type !== 'Container') continue;
      const limits = { ...item.max, ...item.default };
      const requests = { ...item.min, ...limits, ...item.defaultRequest };
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    }
  },

  validate: ({ spec }) => (spec?.limits ?? []).flatMap((item, index) => validateItem(item, `spec.limits[${index}]`)),
};

function validateItem(item: LimitRangeItem, field: string): StatusCause[] {
  const { type } = item;
  if (!type) return [required(`${field}.type`)];
  const isKnown = types.includes(type) || type.includes('/');
  const read = lists.map((list) => [list, validateQuantities(item[list] ?? {}, `${field}.${list}`)] as const);
  const amounts = Object.fromEntries(read.map(([list, { amounts }]) => [list, amounts])) as Record<List, Map<string, Quantity>>;
  const onlyForContainers = type === 'Pod' ? (['default', 'defaultRequest'] as const).filter((list) => item[list]) : [];
  return [
    ...(isKnown ? [] : [invalidValue(`${field}.type`, type, 'must be a standard limit type or fully qualified')]),
    ...onlyForContainers.map((list) => forbiddenField(`${field}.${list}`, `may not be specified when \`type\` is '${type}'`)),
    ...read.flatMap(([, { causes }]) => causes),
    ...orders.flatMap(([less, more, why]) => validateOrder(amounts, less, more, why, field)),
  ];
}

function validateOrder(amounts: Record<List, Map<string, Quantity>>, less: List, more: List, why: string, field: string): StatusCause[] {
  return [...amounts[less]].flatMap(([name, amount]) => {
    const bound = amounts[more].get(name);
    if (bound === undefined || amount <= bound) return [];
    const words = [amount, bound].map((quantity) => formatQuantity(quantity));
    return [
      invalidValue(
        `${field}.${less}[${name}]`,
        words[0],
        why.replaceAll('%', () => words.shift() ?? ''),
      ),
    ];
  });
}
