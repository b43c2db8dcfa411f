// JSON values whose shape is not known yet.

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON, whatever the order of fields; a field that is undefined is none. */
export function equalJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => equalJson(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const fields = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...fields].every((field) => equalJson(one[field], other[field]));
}

/** The same text for values that are equal as JSON, and for no others: to find one among many. */
export function canonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (isObject(part) ? Object.fromEntries(Object.entries(part).sort()) : part));
  return text ?? 'undefined';
}
