import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readContinueToken, writeContinueToken } from '#api-server/continue-token';
import { matchesLabels, parseLabelSelector } from '#api-server/label-selector';
import { listObjects, momentOf } from '#api-server/list';
import { type ConfigMap, ConfigMaps, type KubernetesList, Pods } from '#kit/api';
import type { ListOptions } from '#kit/client';
import { NotImplemented } from '#kit/not-implemented';
import { type ApiServerUnderTest, refusal, startApiServerUnderTest } from '#kit/testing/api-server';
import { pod } from '#kit/testing/builders';

/** By name: the labels that the selectors below choose from. */
const labelled: Record<string, Record<string, string>> = {
  blue: { app: 'web', tier: 'front', colour: 'blue' },
  green: { app: 'web', tier: 'front', colour: 'green', canary: '' },
  cache: { app: 'cache', tier: 'back', size: '5' },
  queue: { app: 'queue', tier: 'back', 'example.com/size': '12' },
  plain: {},
};
const everybody = Object.keys(labelled).sort();

function namesOf({ items }: KubernetesList<{ metadata?: { name?: string } }>): string[] {
  return items.map(({ metadata }) => metadata?.name ?? '');
}

function configMap(name: string, namespace: string, labels: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace, labels } };
}

describe('API server', () =>
  describe('2.2 lists and selectors', () => {
    let server: ApiServerUnderTest | undefined;
    const api = () => {
      if (!server) throw new Error('the API server did not start');
      return server;
    };
    const client = () => api().client;
    const createNamespace = (name: string) => api().send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
    const list = (options: ListOptions) => client().list(ConfigMaps, options);

    /** A namespace with the ConfigMaps `a-00` … of one test alone. */
    async function namespaceWith(namespace: string, count: number): Promise<{ namespace: string; names: string[] }> {
      await createNamespace(namespace);
      const names = Array.from({ length: count }, (_, index) => `a-${String(index).padStart(2, '0')}`);
      for (const name of names) await client().create(ConfigMaps, configMap(name, namespace));
      return { namespace, names };
    }

    /** All pages, one after the other. `between` runs after each of them. */
    async function pages(options: ListOptions, between: () => Promise<unknown> = async () => {}): Promise<KubernetesList<ConfigMap>[]> {
      const found = [await list(options)];
      for (let token = found[0]?.metadata.continue; token; token = found.at(-1)?.metadata.continue) {
        await between();
        found.push(await list({ ...options, continue: token }));
        if (found.length > 50) throw new Error('the list has no end: every page leads to another one');
      }
      return found;
    }

    beforeAll(async () => {
      server = await startApiServerUnderTest();
      await createNamespace('labelled');
      for (const [name, labels] of Object.entries(labelled)) {
        await api().send({ method: 'POST', path: '/api/v1/namespaces/labelled/configmaps', body: configMap(name, 'labelled', labels) });
      }
    });
    beforeEach(() => NotImplemented.forget());
    afterAll(() => server?.stop());

    it('answers a list: its kind, its items in the order of their names, and the revision that it shows', async () => {
      const found = await list({ namespace: 'labelled' });
      expect(found).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
      expect(namesOf(found)).toEqual(everybody);
      const newest = Math.max(...found.items.map(({ metadata }) => Number(metadata?.resourceVersion)));
      expect(Number(found.metadata.resourceVersion)).toBeGreaterThanOrEqual(newest);
    });

    it('answers an empty list where there is nothing, and no error', async () => {
      const { body } = await api().send({ path: '/apis/apps/v1/namespaces/labelled/deployments' });
      expect(body).toMatchObject({ kind: 'DeploymentList', apiVersion: 'apps/v1', items: [] });
    });

    it('lists one namespace, or all of them', async () => {
      const first = await namespaceWith('lists-one', 2);
      const second = await namespaceWith('lists-one-more', 1);
      expect(namesOf(await list({ namespace: 'lists-one' }))).toEqual(first.names);
      const places = (await list({})).items.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
      expect(places).toEqual(expect.arrayContaining(['lists-one/a-00', 'lists-one/a-01', `${second.namespace}/a-00`]));
    });

    describe('selects by labels', () => {
      it.each<[selector: string, names: string[]]>([
        ['', everybody],
        ['app=web', ['blue', 'green']],
        ['app==web', ['blue', 'green']],
        ['app=web,colour=blue', ['blue']],
        ['app=web , colour = blue', ['blue']],
        ['app=', []],
        ['canary=', ['green']],
        ['app!=web', ['cache', 'plain', 'queue']],
        ['app in (cache,queue)', ['cache', 'queue']],
        ['app in ( cache , queue ),size', ['cache']],
        ['app notin (cache,queue)', ['blue', 'green', 'plain']],
        ['canary', ['green']],
        ['!canary,app', ['blue', 'cache', 'queue']],
        ['!app', ['plain']],
        ['example.com/size', ['queue']],
        ['example.com/size>9', ['queue']],
        ['example.com/size>12', []],
        ['size<9', ['cache']],
        ['size<5', []],
        ['tier=front,app in (web),!canary', ['blue']],
        // A label that every JavaScript object seems to have.
        ['constructor', []],
      ])('%s', async (labelSelector, names) => {
        expect(namesOf(await list({ namespace: 'labelled', labelSelector }))).toEqual(names);
      });

      it.each(['app=web=blue', 'app in web', 'app in (web', 'app in (web,a b)', '=web', 'a b', 'app=we b', ',app=web', '!'])(
        'and refuses %s, which is no selector',
        async (labelSelector) => {
          const status = await refusal(list({ namespace: 'labelled', labelSelector }));
          expect(status).toMatchObject({ code: 400, reason: 'BadRequest' });
        },
      );

      it('and says what it could not read', () => {
        expect(() => parseLabelSelector('app=web,a b')).toThrow('app=web,a b');
      });

      it('and takes blanks for no selector at all', () => {
        expect([parseLabelSelector(''), parseLabelSelector('  ')]).toEqual([[], []]);
      });

      it('and finds what is no whole number neither greater nor less than anything', () => {
        const sizes = ['5', '-5', '1e3', '0x10', ''];
        const matching = (operator: 'gt' | 'lt') => sizes.filter((size) => matchesLabels([{ key: 'size', operator, value: 1 }], { size }));
        expect([matching('gt'), matching('lt')]).toEqual([['5'], ['-5']]);
      });
    });

    describe('selects by fields', () => {
      const pods = (fieldSelector: string) => client().list(Pods, { namespace: 'fields', fieldSelector });
      beforeAll(async () => {
        await createNamespace('fields');
        for (const [name, nodeName] of [
          ['left', 'node-1'],
          ['right', 'node-2'],
          ['waiting', undefined],
        ] as const) {
          const { metadata, spec } = pod(name, 'fields');
          const body = { metadata, spec: { ...spec, ...(nodeName ? { nodeName } : {}) } };
          await api().send({ method: 'POST', path: '/api/v1/namespaces/fields/pods', body });
        }
      });

      it.each<[selector: string, names: string[]]>([
        ['metadata.name=left', ['left']],
        ['metadata.name==left', ['left']],
        ['metadata.name!=left', ['right', 'waiting']],
        ['metadata.name!=left,', ['right', 'waiting']],
        ['spec.nodeName=node-2', ['right']],
        ['spec.nodeName=', ['waiting']],
        ['spec.nodeName!=', ['left', 'right']],
        ['spec.nodeName!=,metadata.namespace=fields', ['left', 'right']],
        ['status.phase=Pending,spec.nodeName=node-1', ['left']],
        ['status.phase=Running', []],
        ['spec.hostNetwork=false', ['left', 'right', 'waiting']],
      ])('%s', async (fieldSelector, names) => {
        expect(namesOf(await pods(fieldSelector))).toEqual(names);
      });

      it('and refuses fields that are not made to be selected by', async () => {
        const status = await refusal(pods('spec.containers=1'));
        expect(status).toMatchObject({ code: 400, reason: 'BadRequest' });
        expect(status.message).toContain('field label not supported: spec.containers');
      });

      it.each([
        ['metadata.name', "can't understand 'metadata.name'"],
        ['metadata.name=left,right', "can't understand 'right'"],
        ['metadata.name!left', "can't understand 'metadata.name!left'"],
        ['no!metadata.name=left', 'no!metadata.name'],
        ['=left', 'field label not supported'],
      ])('and refuses %s, which is no selector', async (fieldSelector, words) => {
        const status = await refusal(pods(fieldSelector));
        expect(status).toMatchObject({ code: 400, reason: 'BadRequest' });
        expect(status.message).toContain(words);
      });

      it('and refuses a field of another kind', async () => {
        const status = await refusal(list({ fieldSelector: 'spec.nodeName=node-1' }));
        expect(status).toMatchObject({ code: 400, reason: 'BadRequest' });
        expect(status.message).toContain('spec.nodeName');
      });

      it('together with labels: both must hold', async () => {
        const found = await client().list(ConfigMaps, {
          namespace: 'labelled',
          labelSelector: 'app=web',
          fieldSelector: 'metadata.name!=blue',
        });
        expect(namesOf(found)).toEqual(['green']);
      });
    });

    describe('long lists come in pages', () => {
      it('each with at most as many items as asked for, together with every item once', async () => {
        const { namespace, names } = await namespaceWith('pages', 7);
        const found = await pages({ namespace, limit: 3 });
        expect(found.map(namesOf)).toEqual([names.slice(0, 3), names.slice(3, 6), names.slice(6)]);
      });

      it('and the last one leads nowhere, also when it is full', async () => {
        const { namespace } = await namespaceWith('full-pages', 4);
        const [, last] = await pages({ namespace, limit: 2 });
        expect(last?.metadata).not.toHaveProperty('continue');
      });

      it('and say how many items are behind them', async () => {
        const { namespace } = await namespaceWith('remaining', 5);
        const found = await pages({ namespace, limit: 2 });
        expect(found.map(({ metadata }) => metadata.remainingItemCount)).toEqual([3, 1, undefined]);
      });

      it('and show one moment: what is written between two pages is in none of them', async () => {
        const { namespace, names } = await namespaceWith('moment', 6);
        let round = 0;
        const found = await pages({ namespace, limit: 2 }, async () => {
          round++;
          await client().create(ConfigMaps, configMap(`a-05-${round}`, namespace));
          await client().delete(ConfigMaps, { namespace, name: `a-0${6 - round}` });
        });
        expect(found.flatMap(namesOf)).toEqual(names);
        expect(new Set(found.map(({ metadata }) => metadata.resourceVersion)).size).toBe(1);
      });

      it('and go on with the last item gone', async () => {
        const { namespace, names } = await namespaceWith('last-gone', 4);
        const [first, second] = await pages({ namespace, limit: 2 }, () => client().delete(ConfigMaps, { namespace, name: 'a-01' }));
        expect([first, second].map((page) => page && namesOf(page))).toEqual([names.slice(0, 2), names.slice(2)]);
      });

      it('and are filled with items that match, not thinned out by those that do not', async () => {
        const { namespace } = await namespaceWith('selected-pages', 4);
        for (const name of ['b-0', 'b-1', 'b-2']) await client().create(ConfigMaps, configMap(name, namespace, { wanted: 'yes' }));
        const found = await pages({ namespace, limit: 2, labelSelector: 'wanted' });
        expect(found.flatMap(namesOf)).toEqual(['b-0', 'b-1', 'b-2']);
        expect(found[0]?.items).toHaveLength(2);
      });

      it('and are read on behind what was read last, until enough objects match', async () => {
        const keys = Array.from({ length: 7 }, (_, index) => `/registry/configmaps/many/a-${index}`);
        const reads: (string | undefined)[] = [];
        /** Reads three objects at a time, whatever the limit. */
        const storage = {
          list: async ({ from = '' }: { from?: string }) => {
            reads.push(from);
            const behind = keys.filter((key) => key >= from);
            const entries = behind.slice(0, 3).map((key) => ({ key, object: { metadata: { name: key.slice(-3) } } }));
            return { revision: 7, entries, remaining: behind.length - entries.length };
          },
        };
        const collection = { resource: { group: '', plural: 'configmaps' }, namespace: 'many' };
        const odd = ({ metadata }: { metadata: { name?: string } }) => Number(metadata.name?.slice(-1)) % 2 === 1;
        const found = async (limit: number) => {
          const { items } = await listObjects(storage as never, collection as never, { limit, selector: odd });
          return items.map(({ object }) => object.metadata.name);
        };
        expect(await found(2)).toEqual(['a-1', 'a-3']);
        expect(reads).toHaveLength(2);
        expect(await found(10)).toEqual(['a-1', 'a-3', 'a-5']);
        expect(reads).toHaveLength(5);
      });

      it('and run through all namespaces', async () => {
        await namespaceWith('across-1', 2);
        await namespaceWith('across-2', 2);
        const labels = (await pages({ limit: 1 })).flatMap(({ items }) =>
          items.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`),
        );
        expect(labels.filter((label) => label.startsWith('across'))).toEqual([
          'across-1/a-00',
          'across-1/a-01',
          'across-2/a-00',
          'across-2/a-01',
        ]);
        expect(new Set(labels).size).toBe(labels.length);
      });

      it('and the way to the next is one word that fits into a URL', () => {
        const token = { revision: 12345, after: 'default/web-1' };
        const word = writeContinueToken(token);
        expect(word).toMatch(/^[\w-]+$/);
        expect(readContinueToken(word)).toEqual(token);
      });

      const token = { v: 'meta.k8s.io/v1', rv: 1, start: 'a' };
      const noTokens = [{}, { ...token, v: 'meta.k8s.io/v2' }, { ...token, rv: '1' }, { ...token, rv: 1.5 }, { ...token, start: 5 }];
      const wrong = noTokens.map((each) => Buffer.from(JSON.stringify(each)).toString('base64url'));
      it.each(['nonsense', '%%%', ...wrong])('and a word that is no such way (%s) is refused', async (word) => {
        const status = await refusal(list({ namespace: 'labelled', limit: 1, continue: word }));
        expect(status).toMatchObject({ code: 400, reason: 'BadRequest' });
        expect(status.message).toContain('continue key is not valid');
      });

      it('and end with 410 Expired when the moment that they show is forgotten, with a way to go on all the same', async () => {
        const { namespace, names } = await namespaceWith('expired-pages', 4);
        const first = await list({ namespace, limit: 2 });
        const { metadata } = await client().create(ConfigMaps, configMap('a-99', namespace));
        await api().etcd.client.compact(Number(metadata?.resourceVersion));
        const status = await refusal(list({ namespace, limit: 2, continue: first.metadata.continue ?? '' }));
        expect(status).toMatchObject({ code: 410, reason: 'Expired' });
        const rest = await list({ namespace, continue: status.metadata?.continue ?? '' });
        expect(namesOf(rest)).toEqual([...names.slice(2), 'a-99']);
      });
    });

    describe('resourceVersion chooses the moment', () => {
      /** A namespace in two moments: with `before`, and with `before` and `after`. */
      async function twoMoments(namespace: string): Promise<{ earlier: string; latest: string }> {
        await createNamespace(namespace);
        await client().create(ConfigMaps, configMap('before', namespace));
        const { metadata } = await list({ namespace });
        await client().create(ConfigMaps, configMap('after', namespace));
        const { metadata: later } = await list({ namespace });
        return { earlier: metadata.resourceVersion ?? '', latest: later.resourceVersion ?? '' };
      }

      it('none: the latest', async () => {
        await twoMoments('latest');
        expect(namesOf(await list({ namespace: 'latest' }))).toEqual(['after', 'before']);
      });

      it('Exact: the state at that revision', async () => {
        const { earlier } = await twoMoments('exact');
        const found = await list({ namespace: 'exact', resourceVersion: earlier, resourceVersionMatch: 'Exact' });
        expect(namesOf(found)).toEqual(['before']);
        expect(found.metadata.resourceVersion).toBe(earlier);
      });

      it('NotOlderThan: that revision or a later one', async () => {
        const { latest } = await twoMoments('not-older');
        const found = await list({ namespace: 'not-older', resourceVersion: latest, resourceVersionMatch: 'NotOlderThan' });
        expect(namesOf(found)).toEqual(['after', 'before']);
        expect(Number(found.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(latest));
      });

      it('NotOlderThan what is forgotten: the latest will do', async () => {
        const { earlier, latest } = await twoMoments('not-older-than-forgotten');
        await api().etcd.client.compact(Number(latest));
        const found = await list({ namespace: 'not-older-than-forgotten', resourceVersion: earlier, resourceVersionMatch: 'NotOlderThan' });
        expect(namesOf(found)).toEqual(['after', 'before']);
      });

      it('without a match and with a limit: exactly that revision', async () => {
        const { earlier } = await twoMoments('limited');
        expect(namesOf(await list({ namespace: 'limited', resourceVersion: earlier, limit: 5 }))).toEqual(['before']);
      });

      it('without a match and without a limit, or with NotOlderThan and a limit: that revision or a later one', async () => {
        const { earlier: resourceVersion } = await twoMoments('or-later');
        for (const how of [{}, { limit: 5, resourceVersionMatch: 'NotOlderThan' as const }]) {
          expect(namesOf(await list({ namespace: 'or-later', resourceVersion, ...how }))).toEqual(['after', 'before']);
        }
      });

      it('0 with a limit: no revision in particular', () => {
        expect(momentOf({ resourceVersion: '0', limit: 5 }, {} as never)).toEqual({ atLeast: 0 });
      });

      it('0: any moment will do', async () => {
        await twoMoments('any');
        expect(namesOf(await list({ namespace: 'any', resourceVersion: '0' }))).toContain('before');
      });

      it('to come (NotOlderThan): 504 Timeout, and never a state that is older', async () => {
        const resourceVersion = '1000000';
        const status = await refusal(list({ namespace: 'labelled', resourceVersion, resourceVersionMatch: 'NotOlderThan' }));
        expect(status).toMatchObject({ code: 504, reason: 'Timeout' });
        expect(status.message).toMatch(/Too large resource version: 1000000, current: \d+/);
      });

      it('to come (Exact): a failure, and never a state that is older', async () => {
        const status = await refusal(list({ namespace: 'labelled', resourceVersion: '1000000', resourceVersionMatch: 'Exact' }));
        expect(status.code).toBeGreaterThanOrEqual(500);
      });

      it('forgotten: 410 Expired', async () => {
        const { earlier, latest } = await twoMoments('forgotten');
        await api().etcd.client.compact(Number(latest));
        const status = await refusal(list({ namespace: 'forgotten', resourceVersion: earlier, resourceVersionMatch: 'Exact' }));
        expect(status).toMatchObject({ code: 410, reason: 'Expired' });
        expect(status.message).toBe('The resourceVersion for the provided list is too old.');
      });

      it.each<[query: string, code: number, why: string]>([
        ['resourceVersionMatch=Exact', 422, 'forbidden unless resourceVersion is provided'],
        ['resourceVersion=5&resourceVersionMatch=Sometimes', 422, 'Unsupported value: "Sometimes"'],
        ['resourceVersion=0&resourceVersionMatch=Exact', 422, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
      ])('%s makes no sense: %i', async (query, code, why) => {
        const answer = await api().send({ path: `/api/v1/configmaps?${query}` });
        expect(answer.code).toBe(code);
        expect((answer.body as { message: string }).message).toContain(why);
      });

      it.each(['abc', '5abc', 'abc5'])('resourceVersion=%s makes no sense, and the refusal says so', async (text) => {
        const { code, body } = await api().send({ path: `/api/v1/configmaps?resourceVersion=${text}` });
        expect(code).toBeGreaterThanOrEqual(400);
        expect(body.message).toContain(text);
      });
    });
  }));
