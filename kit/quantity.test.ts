import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatQuantity, InvalidQuantity, milliValue, parseQuantity, wholeValue } from '#kit/quantity';

describe('quantities', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000_000n],
    ['250m', 250_000_000n],
    ['0.5', 500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    ['+1.25', 1_250_000_000n],
    ['-1', -1_000_000_000n],
    ['1n', 1n],
    ['1u', 1_000n],
    ['1e3', 1_000_000_000_000n],
    ['1E3', 1_000_000_000_000n],
    ['12e-1', 1_200_000_000n],
    ['1k', 1_000_000_000_000n],
    ['1E', 10n ** 27n],
    ['1Ki', 1024n * 10n ** 9n],
    ['1.5Gi', 1_610_612_736n * 10n ** 9n],
    ['1Ei', 2n ** 60n * 10n ** 9n],
  ])('reads %s exactly', (text, billionths) => {
    expect(parseQuantity(text)).toBe(billionths);
  });

  it.each(['', ' 1', '1 ', '.', '-', '1K', '1ki', '1mi', '1e', '1e1.5', '1Gi3', '0x10', 'Infinity', '1,5', '1mm'])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(InvalidQuantity);
  });

  it('rounds what is finer than a billionth away from zero', () => {
    expect(parseQuantity('0.0000000001')).toBe(1n);
    expect(parseQuantity('-0.0000000001')).toBe(-1n);
    expect(parseQuantity('1e-999999999')).toBe(1n);
  });

  it('cuts what does not fit into 63 bits, however many digits it has', () => {
    expect(parseQuantity('1e999999999')).toBe((2n ** 63n - 1n) * 10n ** 9n);
    expect(parseQuantity('9Ei')).toBe((2n ** 63n - 1n) * 10n ** 9n);
  });

  it('rounds up to thousandths and to whole units', () => {
    expect(milliValue(parseQuantity('0.1'))).toBe(100);
    expect(milliValue(parseQuantity('1u'))).toBe(1);
    expect(wholeValue(parseQuantity('1m'))).toBe(1);
    expect(wholeValue(parseQuantity('-1500m'))).toBe(-1);
    expect(wholeValue(parseQuantity('128Mi'))).toBe(134_217_728);
  });

  it('gives back every decimal number that has at most nine decimals', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), (billionths) => {
        const text = `${billionths / 10n ** 9n}.${(billionths % 10n ** 9n).toString().padStart(9, '0')}`;
        expect(parseQuantity(text)).toBe(billionths);
      }),
    );
  });

  it.each([
    ['0', '0'],
    ['1.5', '1500m'],
    ['2000m', '2'],
    ['0.1m', '100u'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['2e6', '2M'],
    ['-1500m', '-1500m'],
    ['2048Mi', '2Gi'],
    ['1.5Gi', '1536Mi'],
    ['1Gi', '1Gi'],
    ['0.5Ki', '512'],
    ['1000Ki', '1000Ki'],
  ])('writes %s as %s', (text, canonical) => {
    expect(formatQuantity(parseQuantity(text), text)).toBe(canonical);
  });
});
