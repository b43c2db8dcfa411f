// Is a history of concurrent operations linearizable? That is: can each operation be placed at one moment between its call and its answer
// so that, one after the other, they do what a single copy of the data would do?
// The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of what was tried; as in Porcupine,
// keys are checked one by one, because a history is linearizable if each key's part of it is.

export type Operation =
  | { type: 'put'; value: string }
  | { type: 'delete' }
  /** `undefined`: there is no such key. */
  | { type: 'get'; value: string | undefined }
  /** Writes only if the value is the expected one. `succeeded` is what the answer said, if there was one. */
  | { type: 'replace'; expected: string | undefined; value: string; succeeded: boolean | undefined };

export type Recorded = Operation & {
  key: string;
  client: string;
  /** Any clock that never goes back. */
  called: number;
  /** Infinity: never answered. A put may have been carried out then, at any time, or never. */
  answered: number;
};

export type Verdict = { linearizable: true } | { linearizable: false; key: string; history: Recorded[] };

export function check(history: readonly Recorded[]): Verdict {
  for (const [key, operations] of Map.groupBy(history, (operation) => operation.key)) {
    // A get without an answer says nothing.
    const telling = operations.filter(({ type, answered }) => type !== 'get' || Number.isFinite(answered));
    if (!isLinearizable(telling)) return { linearizable: false, key, history: telling };
  }
  return { linearizable: true };
}

interface Place {
  /** The operations that are placed already, as bits. */
  placed: bigint;
  value: string | undefined;
}

function isLinearizable(operations: readonly Recorded[]): boolean {
  const mustBePlaced = bits(operations, ({ answered }) => Number.isFinite(answered));
  const tried = new Set<string>();
  const open: Place[] = [{ placed: 0n, value: undefined }];
  for (let place = open.pop(); place; place = open.pop()) {
    const { placed, value } = place;
    if ((placed & mustBePlaced) === mustBePlaced) return true;
    const memory = `${placed}=${value}`;
    if (tried.has(memory)) continue;
    tried.add(memory);
    open.push(...nextPlaces(operations, placed, value));
  }
  return false;
}

/** Next may come whatever was called before any of those that are left was answered. */
function nextPlaces(operations: readonly Recorded[], placed: bigint, value: string | undefined): Place[] {
  const left = operations.map((operation, index) => ({ operation, bit: 1n << BigInt(index) })).filter(({ bit }) => (placed & bit) === 0n);
  const firstAnswer = Math.min(...left.map(({ operation }) => operation.answered));
  return left.flatMap(({ operation, bit }) => {
    if (operation.called > firstAnswer) return [];
    const after = carriedOut(operation, value);
    return after ? [{ placed: placed | bit, value: after.value }] : [];
  });
}

/** What the key's value is then, or nothing if the operation could not have been answered as it was. */
function carriedOut(operation: Operation, value: string | undefined): Pick<Place, 'value'> | undefined {
  if (operation.type === 'put') return { value: operation.value };
  if (operation.type === 'delete') return { value: undefined };
  if (operation.type === 'get') return operation.value === value ? { value } : undefined;
  const isReplaced = operation.expected === value;
  if (operation.succeeded !== undefined && operation.succeeded !== isReplaced) return undefined;
  return { value: isReplaced ? operation.value : value };
}

function bits<T>(items: readonly T[], isSet: (item: T) => boolean): bigint {
  return items.reduce((sum, item, index) => (isSet(item) ? sum | (1n << BigInt(index)) : sum), 0n);
}
