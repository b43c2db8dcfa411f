// Some random requests; `npm run fuzz -- --requests 1000000` sends as many as you like.

import { describe, expect, it } from '@jest/globals';
import { startTestControlPlane } from '#kit/testing/control-plane';
import { Transport } from '#kit/transport';
import { describeFinding, fuzz } from './fuzz.ts';

describe('API server: random requests', () => {
  it('each have an answer, and no 500', async () => {
    const plane = await startTestControlPlane();
    const transport = new Transport(plane.serverUrl, { ca: plane.ca, ...(await plane.issue('admin', ['system:masters'])) });
    try {
      const { findings, codes } = await fuzz({ transport, seed: 1, requests: 1500 });
      expect(findings.map(describeFinding)).toEqual([]);
      // Not all of them are turned away at the door.
      for (const code of [200, 201, 400, 404, 405, 409, 415, 422]) expect([code, codes.get(code)]).toEqual([code, expect.any(Number)]);
    } finally {
      transport.close();
      await plane.stop();
    }
  });
});
