// Some random requests; `npm run fuzz -- --requests 1000000` sends as many as you like.

import { describe, expect, it } from '@jest/globals';
import { startTestControlPlane } from '#kit/testing/control-plane';
import { describeFinding, fuzz } from './fuzz.ts';

describe('API server: random requests', () => {
  it('each have an answer, and no 500', async () => {
    const plane = await startTestControlPlane();
    try {
      const tls = { ca: plane.ca, ...(await plane.issue('admin', ['system:masters'])) };
      const { findings, codes } = await fuzz({ url: plane.serverUrl, tls, seed: 1, requests: 1500 });
      expect(findings.map(describeFinding)).toEqual([]);
      // Not all of them are turned away at the door.
      for (const code of [200, 201, 400, 404, 405, 409, 415, 422]) expect([code, codes.get(code)]).toEqual([code, expect.any(Number)]);
    } finally {
      await plane.stop();
    }
  });
});
