// Ages, as kubectl shows them: as short as can be, and finer the younger the thing is. `73s`, `4m12s`, `25m`, `3h7m`, `2d5h`, `412d`.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go

import type { Clock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Below `upTo`, a duration is told in `unit`s, and what is left of it in `rest`s. */
const scales = [
  { upTo: 2 * minute, unit: second, name: 's' },
  { upTo: 10 * minute, unit: minute, name: 'm', rest: second, restName: 's' },
  { upTo: 3 * hour, unit: minute, name: 'm' },
  { upTo: 8 * hour, unit: hour, name: 'h', rest: minute, restName: 'm' },
  { upTo: 2 * day, unit: hour, name: 'h' },
  { upTo: 8 * day, unit: day, name: 'd', rest: hour, restName: 'h' },
  { upTo: 2 * year, unit: day, name: 'd' },
  { upTo: 8 * year, unit: year, name: 'y', rest: day, restName: 'd' },
  { upTo: Number.POSITIVE_INFINITY, unit: year, name: 'y' },
];

/**
 * A duration in milliseconds, in the words of the first of `scales` that is long enough. Whole units only, rounded down;
 * no rest is told when it is 0 (`5m`, not `5m0s`). Clocks disagree a little: up to two seconds in the future count as `0s`,
 * anything further is `<invalid>`.
 */
export function humanDuration(milliseconds: number): string {
  throw new NotImplemented('2.8', 'Write a duration as kubectl shows it');
}

/** How long ago an API timestamp was. */
export function since(timestamp: string | undefined, clock: Clock): string {
  return timestamp ? humanDuration(clock.now() - Date.parse(timestamp)) : '<unknown>';
}
