import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '#kit/clock';
import { createLogger } from '#kit/log';
import { Complaints } from '#kit/testing/complaints';

function complainingComponent() {
  const complaints = new Complaints();
  return { complaints, log: createLogger('test', complaints.sink, new FakeClock()).with({ controller: 'scheduler' }) };
}

/** What the language throws. */
function mistake(): unknown {
  try {
    return (undefined as unknown as { spec: unknown }).spec;
  } catch (error) {
    return error;
  }
}

describe('complaints', () => {
  it('tell warnings and errors, and nothing that is in order', () => {
    const { complaints, log } = complainingComponent();
    expect(complaints.story()).toBe('');
    log.info('started');
    log.debug('somebody else wrote first');
    log.warn('reconciling failed', { key: 'default/web', error: new Error('pods "web" not found') });
    expect(complaints.story()).toBe('  warn reconciling failed controller=scheduler key=default/web\n    pods "web" not found');
  });

  it('say where a mistake in the code is', () => {
    const { complaints, log } = complainingComponent();
    log.error('reconciling failed', { error: mistake() });
    expect(complaints.story()).toMatch(
      /TypeError: Cannot read properties of undefined.*\n +in mistake \(kit.testing.complaints\.test\.ts:/,
    );
    expect(complaints.story()).not.toContain('node_modules');
  });

  it('are told once, with how often, the latest last', () => {
    const { complaints, log } = complainingComponent();
    for (const key of ['a', 'b', 'c']) log.warn('reconciling failed', { key, error: new Error('no') });
    log.error('another');
    log.warn('reconciling failed', { key: 'd', error: new Error('no') });
    expect(complaints.story().split('\n')).toEqual([
      '  error another controller=scheduler',
      '  warn (4 times) reconciling failed controller=scheduler key=d',
      '    no',
    ]);
    complaints.begin();
    expect(complaints.story()).toBe('');
  });
});
