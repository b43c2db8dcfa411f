import { describe, expect, it } from '@jest/globals';
import { pod } from '#kit/testing/builders';
import '#kit/testing/matchers';

describe('matchers in the words of a cluster', () => {
  it('toBeReady says what the pod waits for, and why that matters', () => {
    const waiting = {
      name: 'web',
      image: 'nginx',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ErrImagePull' } },
    };
    const web = { ...pod('web').boundTo('node-1'), status: { phase: 'Pending', containerStatuses: [waiting] } };
    expect(() => expect(web).toBeReady()).toThrow(
      /web is not Ready: phase Pending, on node-1; container web is in ErrImagePull\n.*stages 5\.3/,
    );
    const ready = { ...web, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    expect(ready).toBeReady();
    expect(() => expect(ready).not.toBeReady()).toThrow('is Ready, and should not be');
  });

  it('toBeAllOf counts what was lost', () => {
    expect(30).toBeAllOf(30);
    expect(() => expect(6).toBeAllOf(30)).toThrow('24 of 30 changes were lost');
  });
});
