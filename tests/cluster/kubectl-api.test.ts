// What newcomers try with kubectl that no stage is about: the answers must be right, or say clearly what is not there yet.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeSchema, readDescriptions } from '#api-server/schema-descriptions';
import { Pods } from '#kit/api';
import { pod } from '#kit/testing/builders';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';

describe('API server: kubectl', () => {
  let plane: TestControlPlane;
  let kubectl: Kubectl;
  const run = (command: string) => kubectl(command.split(' '));

  beforeAll(async () => {
    plane = await startTestControlPlane();
    kubectl = await kubectlFor(plane, 'jane', ['system:masters']);
    const created = await plane.client.create(Pods, pod('web'));
    await plane.client.updateStatus(Pods, { ...created, status: { phase: 'Running' } });
  });

  afterAll(async () => {
    await kubectl?.dispose();
    await plane?.stop();
  });

  it('auth says what who asks may do', async () => {
    expect(await run('auth can-i create pods')).toBe('yes\n');
    expect(await run('auth can-i --list')).toMatch(/\*\.\* +\[\] +\[\] +\[\*\]/);
    await expect(run('auth can-i create pods --as=joe')).rejects.toThrow('exit code 1');
  });

  it('api-resources tells also of what can only be asked', async () => {
    const text = await run('api-resources --api-group=authorization.k8s.io -o wide');
    expect(text).toMatch(/^selfsubjectaccessreviews +authorization\.k8s\.io\/v1 +false +SelfSubjectAccessReview +create/m);
    expect(text).toMatch(/^localsubjectaccessreviews +authorization\.k8s\.io\/v1 +true +LocalSubjectAccessReview +create/m);
    expect(await run('api-resources --api-group=authentication.k8s.io -o name')).toBe(
      'selfsubjectreviews.authentication.k8s.io\ntokenreviews.authentication.k8s.io\n',
    );
  });

  it('top says that nobody measures', async () => {
    await expect(run('top pods')).rejects.toThrow('Metrics API not available');
  });

  it('label says which rule a label breaks', async () => {
    await expect(kubectl(['label', 'pod', 'web', 'bad key=1'])).rejects.toThrow(
      'metadata.labels: Invalid value: "bad key": name part must',
    );
  });
});

describe('API server: descriptions of fields', () => {
  it('are what stands above a type or a field', () => {
    const text = [
      '/** A dish. */',
      'export interface Dish {',
      '    /** What it is called. */',
      '    name?: string;',
      '    /**',
      '     * How it is doing.',
      '     *',
      '     * Hot, or cold.',
      '     */',
      '    readonly status?: string;',
      '    silent?: string;',
      '}',
      '/** Grams. */',
      'export type Weight = number;',
    ].join('\n');
    expect(Object.fromEntries(readDescriptions(text))).toEqual({
      Dish: 'A dish.',
      'Dish.name': 'What it is called.',
      'Dish.status': 'How it is doing.\n\nHot, or cold.',
      Weight: 'Grams.',
    });
  });

  it('are left out where nobody wrote any', () => {
    const schema = { type: 'object', properties: { name: { type: 'string' } } };
    expect(describeSchema('io.k8s.api.kitchen.v1.Dish', schema)).toEqual(schema);
  });
});
