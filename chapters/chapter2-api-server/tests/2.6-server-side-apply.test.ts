import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { changesBetween, type FieldManager, ownersAfterUpdate, readOwners, writeOwners } from '#api-server/field-managers';
import { type FieldsV1, fieldsOf, fromFieldsV1, inWords, toFieldsV1 } from '#api-server/field-set';
import type { ApiObject } from '#api-server/object';
import { applied, appliedToNothing, conflictsOf, givenUp, merged } from '#api-server/server-side-apply';
import { ConfigMaps, Deployments } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { type ApiServerUnderTest, type RawAnswer, startApiServerUnderTest } from '#kit/testing/api-server';

const namespace = 'default';

/** Paths are written with blanks here: `f:data f:a`. */
const paths = (...texts: string[]) => new Set(texts.map((text) => text.replaceAll(' ', '\n')));
const texts = (set: Iterable<string>) => [...set].map((path) => path.replaceAll('\n', ' '));

const object = (rest: object, metadata: object = {}): ApiObject =>
  ({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', ...metadata }, ...rest }) as ApiObject;

const applier = (name: string): FieldManager => ({ name, operation: 'Apply', apiVersion: 'v1' });
const updater = (name: string): FieldManager => ({ name, operation: 'Update', apiVersion: 'v1' });
const noon = '2026-03-01T12:00:00Z';
const one = '2026-03-01T13:00:00Z';

/** Who owns what: `{ 'Apply me': ['f:data f:a'] }`. */
const ownership = ({ metadata }: Pick<ApiObject, 'metadata'>) =>
  Object.fromEntries(
    readOwners(metadata.managedFields).map(({ name, operation, subresource, fields }) => [
      [operation, name, subresource].filter(Boolean).join(' '),
      texts(fields).sort(),
    ]),
  );

describe('API server', () =>
  describe('2.6 server-side apply', () => {
    beforeEach(() => NotImplemented.forget());

    describe('the fields of an object', () => {
      it('are its texts and numbers, each with the way to it', () => {
        const fields = fieldsOf(object({ data: { a: '1', b: '2' }, spec: { replicas: 2, template: { spec: { hostNetwork: false } } } }));
        expect(texts(fields.keys())).toEqual(['f:data f:a', 'f:data f:b', 'f:spec f:replicas', 'f:spec f:template f:spec f:hostNetwork']);
        expect([...fields.values()]).toEqual(['1', '2', 2, false]);
      });

      it('are its labels and annotations, but not what says which object it is', () => {
        const metadata = { namespace, uid: 'u', resourceVersion: '7', generation: 1, creationTimestamp: noon, labels: { app: 'echo' } };
        expect(texts(fieldsOf(object({}, { ...metadata, managedFields: [{ manager: 'me' }] })).keys())).toEqual([
          'f:metadata f:labels f:app',
        ]);
      });

      it('of a keyed list are the items and what is in them, wherever an item stands', () => {
        const [a, b] = [
          { name: 'a', image: 'i:1' },
          { name: 'b', image: 'i:2', ports: [{ containerPort: 80 }] },
        ];
        const expected = [
          'f:spec f:containers k:{"name":"a"}',
          'f:spec f:containers k:{"name":"a"} f:image',
          'f:spec f:containers k:{"name":"a"} f:name',
          'f:spec f:containers k:{"name":"b"}',
          'f:spec f:containers k:{"name":"b"} f:image',
          'f:spec f:containers k:{"name":"b"} f:name',
          'f:spec f:containers k:{"name":"b"} f:ports k:{"containerPort":80,"protocol":"TCP"}',
          'f:spec f:containers k:{"name":"b"} f:ports k:{"containerPort":80,"protocol":"TCP"} f:containerPort',
        ];
        expect(texts(fieldsOf(object({ spec: { containers: [a, b] } })).keys()).sort()).toEqual(expected);
        expect(texts(fieldsOf(object({ spec: { containers: [b, a] } })).keys()).sort()).toEqual(expected);
      });

      it('of a set are its items', () => {
        expect(texts(fieldsOf(object({}, { finalizers: ['a/b'] })).keys())).toEqual(['f:metadata f:finalizers v:"a/b"']);
      });

      it.each<[string, object]>([
        ['an atomic list', { command: ['sh', '-c'] }],
        ['an atomic map: half a selector is another selector', { selector: { matchLabels: { app: 'echo' } } }],
        ['a keyed list with two items of one key', { containers: [{ name: 'a' }, { name: 'a' }] }],
        ['a keyed list with an item without its key', { containers: [{ image: 'a' }] }],
        ['an empty map', { emptyDir: {} }],
        ['an empty list', { containers: [] }],
      ])('are one: %s', (_, spec) => {
        const [[field, value] = []] = Object.entries(spec);
        expect([...fieldsOf(object({ spec }))]).toEqual([[`f:spec\nf:${field}`, value]]);
      });

      it('are written as a tree, with a dot where a member has others below it', () => {
        const tree = {
          'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {} } }, 'f:replicas': {} },
        } as unknown as FieldsV1;
        const set = paths('f:spec f:containers k:{"name":"a"} f:image', 'f:spec f:containers k:{"name":"a"}', 'f:spec f:replicas');
        expect(toFieldsV1(set)).toEqual(tree);
        expect(fromFieldsV1(tree)).toEqual(set);
      });

      it('are told to people in words', () => {
        const [path = ''] = paths('f:spec f:containers k:{"name":"a"} f:ports k:{"containerPort":80,"protocol":"TCP"} f:hostPort');
        expect(inWords(path)).toBe('.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].hostPort');
      });
    });

    describe('whoever changes a field', () => {
      const begun = () => ownersAfterUpdate([], changesBetween({}, object({ data: { a: '1', b: '2' } })), updater('first'), noon);
      const entriesWhen = (next: object, manager: FieldManager) =>
        writeOwners(ownersAfterUpdate(begun(), changesBetween(object({ data: { a: '1', b: '2' } }), object({ data: next })), manager, one));
      const ownersWhen = (next: object, manager: FieldManager) => ownership({ metadata: { managedFields: entriesWhen(next, manager) } });

      it('owns it from then on, alone', () => {
        expect(ownersWhen({ a: '9', b: '2' }, updater('second'))).toEqual({
          'Update first': ['f:data f:b'],
          'Update second': ['f:data f:a'],
        });
      });

      it('owns what is new', () => {
        expect(ownersWhen({ a: '1', b: '2', c: '3' }, updater('second'))).toEqual({
          'Update first': ['f:data f:a', 'f:data f:b'],
          'Update second': ['f:data f:c'],
        });
      });

      it('takes from all what is not there any more', () => {
        expect(ownersWhen({ a: '1' }, updater('second'))).toEqual({ 'Update first': ['f:data f:a'] });
      });

      it('keeps what it had', () => {
        expect(ownersWhen({ a: '9', b: '2' }, updater('first'))).toEqual({ 'Update first': ['f:data f:a', 'f:data f:b'] });
        expect(entriesWhen({ a: '9', b: '2' }, updater('first'))).toHaveLength(1);
      });

      it('says when it last took a field; giving one up is no taking', () => {
        const timeWhen = (next: object) => entriesWhen(next, updater('first')).map(({ time }) => time);
        expect(timeWhen({ a: '9', b: '2' })).toEqual([one]);
        expect(timeWhen({ a: '1' })).toEqual([noon]);
      });

      it('is another one when it applies', () => {
        expect(ownersWhen({ a: '9', b: '2' }, applier('first'))).toEqual({ 'Update first': ['f:data f:b'], 'Apply first': ['f:data f:a'] });
      });

      it('changes nothing with a change of nothing, not even the time', () => {
        const same = object({ data: { a: '1' } });
        expect(ownersAfterUpdate(begun(), changesBetween(same, same), updater('x'), one)).toEqual(begun());
      });
    });

    describe('merging', () => {
      it('takes maps field by field, and leaves alone what the config does not name', () => {
        const live = { data: { a: '1', b: '2' }, spec: { replicas: 3 } };
        expect(merged(live, { data: { b: '9', c: '3' } })).toEqual({ data: { a: '1', b: '9', c: '3' }, spec: { replicas: 3 } });
        expect(live).toEqual({ data: { a: '1', b: '2' }, spec: { replicas: 3 } });
      });

      it('takes keyed lists item by item', () => {
        const live = {
          spec: {
            containers: [
              { name: 'a', image: 'i:1', tty: true },
              { name: 'b', image: 'i:2' },
            ],
          },
        };
        expect(merged(live, { spec: { containers: [{ name: 'a', image: 'i:9' }] } })).toEqual({
          spec: {
            containers: [
              { name: 'a', image: 'i:9', tty: true },
              { name: 'b', image: 'i:2' },
            ],
          },
        });
      });

      it.each<[string, string[], string[], string[]]>([
        ['in the order of the config', ['a', 'b'], ['b', 'a'], ['b', 'a']],
        ['new ones where the config has them', ['b'], ['a', 'b', 'c'], ['a', 'b', 'c']],
        ['others behind those they were behind', ['a', 'x', 'b'], ['a', 'b'], ['a', 'x', 'b']],
        ['others first if they were first', ['x', 'a'], ['a', 'b'], ['x', 'a', 'b']],
      ])('puts items %s', (_, live, config, expected) => {
        const list = (names: string[]) => ({ spec: { initContainers: names.map((name) => ({ name })) } });
        expect(merged(list(live), list(config))).toEqual(list(expected));
      });

      it('unites sets', () => {
        expect(merged({ metadata: { finalizers: ['a'] } }, { metadata: { finalizers: ['b'] } })).toEqual({
          metadata: { finalizers: expect.arrayContaining(['a', 'b']) },
        });
      });

      it('takes atomic lists and maps whole', () => {
        const live = { spec: { command: ['a', 'b'], selector: { matchLabels: { a: '1' } } } };
        const config = { spec: { command: ['c'], selector: { matchLabels: { b: '2' } } } };
        expect(merged(live, config)).toEqual(config);
      });
    });

    describe('applying', () => {
      const options = { force: false, time: noon };
      const mine = { ...options, manager: applier('me') };
      const theirs = { ...options, manager: applier('them') };
      const first = () => appliedToNothing(object({ data: { a: '1', b: '2' } }), mine);

      it('to nothing makes the object, and owns all of it', () => {
        expect(first()).toMatchObject({ data: { a: '1', b: '2' } });
        expect(first().metadata.managedFields).toEqual([
          {
            manager: 'me',
            operation: 'Apply',
            apiVersion: 'v1',
            time: noon,
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } },
          },
        ]);
      });

      it('removes what was applied before, and is wanted no more', () => {
        const next = applied(first(), object({ data: { b: '2' } }), mine);
        expect(next.data).toEqual({ b: '2' });
        expect(ownership(next)).toEqual({ 'Apply me': ['f:data f:b'] });
      });

      it('removes what has nothing left in it', () => {
        expect(applied(first(), object({}), mine)).not.toHaveProperty('data');
      });

      it('leaves what others have added', () => {
        const live = { ...first(), data: { a: '1', b: '2', c: '3' } };
        expect(applied(live, object({ data: { a: '9' } }), mine).data).toEqual({ a: '9', c: '3' });
      });

      it('leaves what others have applied too: it has two owners, and then one', () => {
        const both = applied(first(), object({ data: { a: '1' } }), theirs);
        expect(ownership(both)).toEqual({ 'Apply me': ['f:data f:a', 'f:data f:b'], 'Apply them': ['f:data f:a'] });
        const next = applied(both, object({}), mine);
        expect(next.data).toEqual({ a: '1' });
        expect(ownership(next)).toEqual({ 'Apply them': ['f:data f:a'] });
      });

      it('of the same thing again changes nothing', () => {
        const live = first();
        expect(applied(live, object({ data: { a: '1', b: '2' } }), { ...mine, time: one })).toBe(live);
      });

      it('gives up what another one owns too, though nothing changes with it', () => {
        const both = applied(first(), object({ data: { b: '2' } }), theirs);
        const next = applied(both, object({ data: { a: '1' } }), mine);
        expect(next.data).toEqual({ a: '1', b: '2' });
        expect(ownership(next)).toEqual({ 'Apply me': ['f:data f:a'], 'Apply them': ['f:data f:b'] });
        const moved = applied(next, object({ data: { a: '1' } }), theirs);
        expect(ownership(applied(moved, object({ data: { a: '1' } }), theirs))).toEqual({
          'Apply me': ['f:data f:a'],
          'Apply them': ['f:data f:a'],
        });
      });

      it('owns what it wants now, and not as much of something else', () => {
        const all = applied(first(), object({ data: { a: '1', b: '2' } }), theirs);
        const onlyA = applied(all, object({ data: { a: '1' } }), mine);
        expect(ownership(applied(onlyA, object({ data: { b: '2' } }), mine))).toEqual({
          'Apply me': ['f:data f:b'],
          'Apply them': ['f:data f:a', 'f:data f:b'],
        });
      });

      it('brings maps and lists where there are none', () => {
        const ports = [{ containerPort: 80, protocol: 'TCP' }];
        const config = object({ spec: { containers: [{ name: 'a', image: 'i:1', ports }], nodeSelector: { disk: 'fast' } } });
        const live = appliedToNothing(object({ spec: { containers: [{ name: 'a' }] } }), theirs);
        expect(applied(live, config, mine).spec).toEqual(config.spec);
      });

      it('says of each field whose it is, in order, and through which door and in which version it was written', () => {
        const owner = (manager: FieldManager) => ({ ...manager, time: noon, fields: paths('f:data f:b', 'f:data f:a') });
        const others = [owner(applier('them')), owner({ ...updater('kubelet'), subresource: 'status' })];
        const conflicts = conflictsOf(others, paths('f:data f:b', 'f:data f:a'));
        expect(conflicts.map(({ message, field }) => `${message}: ${field}`)).toEqual([
          'conflict with "them": .data.a',
          'conflict with "them": .data.b',
          'conflict with "kubelet" with subresource "status" using v1: .data.a',
          'conflict with "kubelet" with subresource "status" using v1: .data.b',
        ]);
      });

      it('is refused when it would change what belongs to another one', () => {
        const conflict = () => applied(first(), object({ data: { a: '9', c: '3' } }), theirs);
        expect(conflict).toThrow('Apply failed with 1 conflict: conflict with "me": .data.a');
      });

      it('takes it all the same when it is forced, and then the other one has lost it', () => {
        const next = applied(first(), object({ data: { a: '9' } }), { ...theirs, force: true });
        expect(next.data).toEqual({ a: '9', b: '2' });
        expect(ownership(next)).toEqual({ 'Apply me': ['f:data f:b'], 'Apply them': ['f:data f:a'] });
      });

      it('of the same value as another one is no conflict', () => {
        expect(() => applied(first(), object({ data: { a: '1' } }), theirs)).not.toThrow();
      });

      it('removes an item of a list whole, with what nobody owns in it', () => {
        const container = (name: string, more = {}) => ({ name, image: 'i:1', ...more });
        const created = appliedToNothing(object({ spec: { containers: [container('a'), container('b')] } }), mine);
        const defaulted = { ...created, spec: { containers: [container('a'), container('b', { imagePullPolicy: 'Always' })] } };
        expect(applied(defaulted, object({ spec: { containers: [container('a')] } }), mine).spec).toEqual({ containers: [container('a')] });
      });

      it('leaves an item in which another one owns a field', () => {
        const item = paths('f:spec f:containers k:{"name":"b"}', 'f:spec f:containers k:{"name":"b"} f:image');
        const others = [{ ...updater('x'), time: noon, fields: paths('f:spec f:containers k:{"name":"b"} f:tty') }];
        expect(texts(givenUp(item, new Set(), others))).toEqual(['f:spec f:containers k:{"name":"b"} f:image']);
      });
    });

    describe('over HTTP', () => {
      let server: ApiServerUnderTest | undefined;
      beforeAll(async () => {
        server = await startApiServerUnderTest();
      });
      afterAll(() => server?.stop());
      const api = () => {
        if (!server) throw new Error('the API server did not start');
        return server;
      };
      const configMap = (name: string, data?: object, metadata: object = {}) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, ...metadata },
        ...(data ? { data } : {}),
      });
      const apply = (body: { kind: string; metadata: { name: string } } | string, query: string, below = ''): Promise<RawAnswer> => {
        const { kind, name } =
          typeof body === 'string' ? { kind: 'ConfigMap', name: 'yaml' } : { kind: body.kind, name: body.metadata.name };
        const group = kind === 'Deployment' ? '/apis/apps/v1' : '/api/v1';
        const path = `${group}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}${below}?${query}`;
        return api().send({ method: 'PATCH', path, body, headers: { 'content-type': 'application/apply-patch+yaml' } });
      };
      const read = (name: string) => api().client.get(ConfigMaps, { name, namespace });

      it('makes the object with 201, and changes it with 200', async () => {
        const created = await apply(configMap('new', { a: '1' }), 'fieldManager=me');
        expect([created.code, created.body.data]).toEqual([201, { a: '1' }]);
        const changed = await apply(configMap('new', { a: '2' }), 'fieldManager=me');
        expect([changed.code, changed.body.data]).toEqual([200, { a: '2' }]);
        expect(changed.body.metadata.uid).toBe(created.body.metadata.uid);
      });

      it('writes nothing when nothing changes', async () => {
        const first = await apply(configMap('same', { a: '1' }), 'fieldManager=me');
        const second = await apply(configMap('same', { a: '1' }), 'fieldManager=me');
        expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
      });

      it('reads YAML', async () => {
        const { code, body } = await apply(
          'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n',
          'fieldManager=me',
        );
        expect([code, body.data]).toEqual([201, { a: '1' }]);
      });

      it('wants to know who applies', async () => {
        const { code, body } = await apply(configMap('anonymous', { a: '1' }), '');
        expect([code, body.message]).toEqual([
          422,
          'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        ]);
      });

      it('answers a conflict with 409, and a cause for each field', async () => {
        await api().client.create(ConfigMaps, { metadata: { name: 'contested', namespace }, data: { a: '1', b: '2', c: '3' } });
        const { code, body } = await apply(configMap('contested', { a: '9', b: '9', c: '3' }), 'fieldManager=me');
        expect([code, body.reason]).toEqual([409, 'Conflict']);
        const causes = ['.data.a', '.data.b'].map((field) => ({
          reason: 'FieldManagerConflict',
          message: 'conflict with "test" using v1',
          field,
        }));
        expect(body.details.causes).toEqual(causes);
        expect(body.message).toBe('Apply failed with 2 conflicts: conflicts with "test" using v1:\n- .data.a\n- .data.b');
        expect((await read('contested')).data).toEqual({ a: '1', b: '2', c: '3' });
        const forced = await apply(configMap('contested', { a: '9', b: '9', c: '3' }), 'fieldManager=me&force=true');
        expect([forced.code, forced.body.data]).toEqual([200, { a: '9', b: '9', c: '3' }]);
      });

      it('gives a default back to a field that is applied no more', async () => {
        const labels = { app: 'echo' };
        const template = { metadata: { labels }, spec: { containers: [{ name: 'echo', image: 'kubekata/echo:v1' }] } };
        const deployment = (replicas: object) => ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'echo' },
          spec: { ...replicas, selector: { matchLabels: labels }, template },
        });
        await apply(deployment({ replicas: 3 }), 'fieldManager=me');
        const { body } = await apply(deployment({}), 'fieldManager=me');
        expect(body.spec.replicas).toBe(1);
      });

      it('knows who has changed the object by other means', async () => {
        const { body } = await apply(configMap('mixed', { a: '1', b: '2' }), 'fieldManager=me');
        await api().client.patch(ConfigMaps, { name: 'mixed', namespace }, 'merge', { data: { b: '9', c: '3' } });
        expect(ownership({ metadata: (await read('mixed')).metadata as ApiObject['metadata'] })).toEqual({
          'Apply me': ['f:data f:a'],
          'Update test': ['f:data f:b', 'f:data f:c'],
        });
        expect(body.metadata.managedFields).toHaveLength(1);
      });

      it('takes the status through its own door only, from another manager', async () => {
        const labels = { app: 'two' };
        const template = { metadata: { labels }, spec: { containers: [{ name: 'echo', image: 'kubekata/echo:v1' }] } };
        const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'two' } };
        await apply(
          { ...deployment, ...{ spec: { selector: { matchLabels: labels }, template }, status: { replicas: 7 } } },
          'fieldManager=me',
        );
        const reported = await apply({ ...deployment, ...{ status: { replicas: 2 } } }, 'fieldManager=me', '/status');
        expect([reported.code, reported.body.status]).toEqual([200, { replicas: 2 }]);
        expect(ownership(reported.body)['Apply me status']).toEqual(['f:status f:replicas']);
        expect((await api().client.get(Deployments, { name: 'two', namespace })).spec?.replicas).toBe(1);
      });

      it('is meant for one version when it names one', async () => {
        const { body } = await apply(configMap('version', { a: '1' }), 'fieldManager=me');
        const { resourceVersion } = body.metadata;
        expect((await apply(configMap('version', { a: '2' }, { resourceVersion }), 'fieldManager=me')).code).toBe(200);
        expect((await apply(configMap('version', { a: '3' }, { resourceVersion }), 'fieldManager=me')).code).toBe(409);
      });

      it('is all done but the writing on dryRun=All', async () => {
        await apply(configMap('rehearsed', { a: '1' }), 'fieldManager=me');
        const { body } = await apply(configMap('rehearsed', { b: '2' }), 'fieldManager=me&dryRun=All');
        expect(body.data).toEqual({ b: '2' });
        expect((await read('rehearsed')).data).toEqual({ a: '1' });
      });

      it('lets many apply at once, each its own field', async () => {
        const names = Array.from({ length: 10 }, (_, index) => `m${index}`);
        const answers = await Promise.all(names.map((name) => apply(configMap('crowd', { [name]: '1' }), `fieldManager=${name}`)));
        expect(answers.map(({ body }) => body.message)).toEqual(names.map(() => undefined));
        expect(Object.keys((await read('crowd')).data ?? {}).sort()).toEqual(names);
      });

      it('begins anew for a client that empties managedFields', async () => {
        await apply(configMap('reset', { a: '1' }), 'fieldManager=me');
        const { body } = await api().send({
          method: 'PATCH',
          path: `/api/v1/namespaces/${namespace}/configmaps/reset`,
          body: { metadata: { managedFields: [{}] } },
          headers: { 'content-type': 'application/merge-patch+json' },
        });
        expect(body.metadata.managedFields ?? []).toEqual([]);
      });

      it('does not take managedFields from the one who applies', async () => {
        const { code, body } = await apply(configMap('forged', {}, { managedFields: [{ manager: 'other' }] }), 'fieldManager=me');
        expect([code, body.message]).toEqual([400, 'metadata.managedFields must be nil']);
      });
    });
  }));
