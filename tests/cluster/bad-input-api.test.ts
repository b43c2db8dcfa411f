// Whatever a client sends, the API server answers with the Status that Kubernetes gives, and goes on serving.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { columnsOf } from '#api-server/columns';
import { checkFields, ignoring } from '#api-server/field-validation';
import { objectProblems, strategyFor } from '#api-server/kinds/index';
import type { ApiObject } from '#api-server/object';
import { type ResourceDefinition, resources } from '#api-server/resources';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from '#api-server/schemas';
import { ConfigMaps, type KubernetesObject, Services } from '#kit/api';
import { FakeClock } from '#kit/clock';
import type { Status } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { readText } from '#kit/transport';

const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';

describe('API server: bad input', () => {
  let plane: TestControlPlane;

  beforeAll(async () => {
    plane = await startTestControlPlane();
    await plane.client.create(ConfigMaps, { metadata: { name: 'there', namespace: 'default' }, data: { a: 'b' } });
  });

  afterAll(() => plane?.stop());

  /** The Status that a request is refused with. */
  async function refusal(
    method: string,
    path: string,
    wanted?: string | Buffer | object,
    contentType = 'application/json',
  ): Promise<Status> {
    const body = typeof wanted === 'string' || wanted instanceof Buffer ? wanted : JSON.stringify(wanted);
    try {
      const sent = body === undefined ? {} : { body, headers: { 'content-type': contentType } };
      const { code, body: answer } = await plane.client.send({ method, path, ...sent });
      throw new Error(`${method} ${path} was not refused, but answered with ${code}: ${(await readText(answer)).slice(0, 500)}`);
    } catch (error) {
      if ((error as { status?: Status }).status === undefined) throw error;
      return (error as { status: Status }).status;
    }
  }

  const configMap = (metadata: object, rest: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...rest });
  const protobuf = (...bytes: number[]) =>
    Buffer.concat([Buffer.from('k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap', 'latin1'), Buffer.from(bytes)]);
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  it('is told without details where there are none to tell', async () => {
    const tooLong = `"${'a'.repeat(4_000_000)}"`;
    const without = [
      await refusal('POST', configMaps, '{'),
      await refusal('POST', configMaps, tooLong),
      await refusal('POST', configMaps, '{}', 'text/plain'),
      await refusal('GET', `${configMaps}?fieldSelector=spec.x%3Da`),
    ];
    expect(without.map(({ code }) => code)).toEqual([400, 413, 415, 400]);
    for (const status of without) expect(status).not.toHaveProperty('details');
    const empty = [await refusal('PUT', configMaps, '{}'), await refusal('GET', '/api/v1/nothings')];
    expect(empty.map(({ code, details }) => [code, details])).toEqual([
      [405, {}],
      [404, {}],
    ]);
  });

  it('has numbers that are numbers', async () => {
    for (const query of ['limit=x', 'timeoutSeconds=x&watch=1', 'limit=1.5']) {
      const wrong = /=([^&]*)/.exec(query)?.[1];
      expect(await refusal('GET', `${configMaps}?${query}`)).toMatchObject({
        code: 400,
        message: `strconv.ParseInt: parsing "${wrong}": invalid syntax`,
      });
    }
  });

  describe('a body', () => {
    it.each<[what: string, body: string | Buffer, contentType: string]>([
      ['malformed JSON', '{"a":', 'application/json'],
      ['malformed YAML', 'a: [b\nc: d: e', 'application/yaml'],
      ['YAML that grows without end', `a: &a [x,x]\n${aliases(30)}`, 'application/yaml'],
      ['a list', '[]', 'application/json'],
      ['null', 'null', 'application/json'],
      ['nothing', '', 'application/json'],
      ['protobuf without its magic number', 'ConfigMap', 'application/vnd.kubernetes.protobuf'],
      ['protobuf that ends too early', protobuf(0x12, 0x40, 0x0a), 'application/vnd.kubernetes.protobuf'],
      ['protobuf with a length that does not end', protobuf(0x12, ...Array(12).fill(0xff)), 'application/vnd.kubernetes.protobuf'],
      ['protobuf with a number for its metadata', protobuf(0x12, 0x02, 0x08, 0x07), 'application/vnd.kubernetes.protobuf'],
      ['lists in lists in lists', `{"metadata":{"name":"deep"},"data":${nested(50_000)}}`, 'application/json'],
      ['a field of the wrong type', '{"metadata":{"name":"x"},"data":{"a":1}}', 'application/json'],
      ['metadata that is a list', '{"metadata":[]}', 'application/json'],
      ['a name that is a number', '{"metadata":{"name":7}}', 'application/json'],
      ['another kind', '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}', 'application/json'],
      ['an unknown kind', '{"apiVersion":"v1","kind":"Sandwich","metadata":{"name":"x"}}', 'application/json'],
      ['another version', '{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"x"}}', 'application/json'],
      ['another namespace', '{"metadata":{"name":"x","namespace":"other"}}', 'application/json'],
      ['a resourceVersion, though it is new', '{"metadata":{"name":"x","resourceVersion":"7"}}', 'application/json'],
    ])('with %s is a BadRequest', async (_, body, contentType) => {
      expect(await refusal('POST', configMaps, body, contentType)).toMatchObject({ status: 'Failure', reason: 'BadRequest', code: 400 });
    });

    it.each(['text/plain', 'constructor', '__proto__'])('of the type %s is an UnsupportedMediaType', async (contentType) => {
      expect(await refusal('POST', configMaps, 'a: b', contentType)).toMatchObject({ reason: 'UnsupportedMediaType', code: 415 });
    });

    it('of more than 3 MiB is too large', async () => {
      const body = configMap({ name: 'large' }, { data: { a: 'a'.repeat(3 * 1024 * 1024) } });
      expect(await refusal('POST', configMaps, body)).toMatchObject({ reason: 'RequestEntityTooLarge', code: 413 });
    });

    it('with more data than a ConfigMap may hold is Invalid', async () => {
      const body = configMap({ name: 'large' }, { data: { a: 'a'.repeat(1024 * 1024 + 1) } });
      const status = await refusal('POST', configMaps, body);
      expect(status).toMatchObject({ reason: 'Invalid', code: 422 });
      expect(status.message).toContain('Too long: may not be more than 1048576 bytes');
    });

    it.each([
      [1.7, 'etcdserver: request is too large'],
      [2.1, 'larger than max'],
    ])('of %d MiB, which etcd finds too large, is refused in its words', async (megabytes, words) => {
      const annotations = { a: 'a'.repeat(megabytes * 1024 * 1024) };
      const template = { metadata: { annotations }, spec: { containers: [{ name: 'a', image: 'a' }] } };
      const status = await refusal('POST', '/api/v1/namespaces/default/podtemplates', { metadata: { name: 'large' }, template });
      expect(status).toMatchObject({ code: 500, message: expect.stringContaining(words) });
    });

    it.each<[format: string, contentType: string, body: (fields: number) => string | Buffer]>([
      ['YAML', 'application/yaml', (fields) => `data:\n${many(fields, (index) => `  a${index}: b\n`).join('')}`],
      ['protobuf', 'application/vnd.kubernetes.protobuf', (fields) => protobufWithData(many(fields, (index) => `a${index}`))],
    ])('in %s takes no longer for each of many fields than of few', async (_, contentType, body) => {
      // Without a name: read, and refused.
      const status = await refusal('POST', configMaps, body(40_000), contentType);
      expect(status).toMatchObject({ reason: 'Invalid', details: { causes: [{ field: 'metadata.name' }] } });
    });

    it('in YAML that has a field twice means the last', async () => {
      const headers = { 'content-type': 'application/yaml' };
      const twice = 'metadata: {name: twice}\ndata: {a: b, a: c}';
      const { body } = await plane.client.send({ method: 'POST', path: configMaps, headers, body: twice });
      expect(JSON.parse(await readText(body)).data).toEqual({ a: 'c' });
    });

    it('in YAML that has a field twice says in which lines, when the client wants to know', async () => {
      const body =
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twofold\n  labels:\n    x: a\n    x: b\ndata:\n  a: b\n  b: c\n  a: d\n';
      const lines = ['line 7: key "x" already set in map', 'line 11: key "a" already set in map'];
      const status = await refusal('POST', `${configMaps}?fieldValidation=Strict`, body, 'application/yaml');
      expect(status.message).toBe(
        `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`,
      );
      const send = (mode: string) => {
        const path = `${configMaps}?dryRun=All&fieldValidation=${mode}`;
        return plane.client.send({ method: 'POST', path, headers: { 'content-type': 'application/yaml' }, body });
      };
      const [warned, ignored] = [await send('Warn'), await send('Ignore')];
      expect(warned.headers.warning).toBe(lines.map((line) => `299 - ${JSON.stringify(line)}`).join(', '));
      expect(ignored.headers.warning).toBeUndefined();
      for (const { body } of [warned, ignored]) body.destroy();
    });

    it('that is a patch and has a field twice is refused as that, when the client wants to know', async () => {
      const strict = `${configMaps}/there?fieldValidation=Strict&fieldManager=me`;
      const twice = '{"data":{"c":"1","c":"2"}}';
      for (const language of ['merge-patch+json', 'strategic-merge-patch+json']) {
        const status = await refusal('PATCH', strict, twice, `application/${language}`);
        expect(status).toMatchObject({ code: 422, reason: 'Invalid', details: { causes: [{ field: 'patch' }] } });
        expect(status.message).toMatch(/^ "" is invalid: patch: Invalid value: ".*": strict decoding error: duplicate field "data\.c"$/);
      }
      const operations = '[{"op":"add","op":"add","path":"/data/c","value":"1"}]';
      const ofJson = await refusal('PATCH', strict, operations, 'application/json-patch+json');
      expect(ofJson.message).toMatch(/strict decoding error: json patch duplicate field "\[0]\.op"$/);
      const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: there\ndata:\n  c: d\n  c: e\n';
      const ofApply = await refusal('PATCH', strict, config, 'application/apply-patch+yaml');
      expect(ofApply.message).toBe(
        'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "c" already set in map',
      );
    });

    it('that is a patch in no language is refused before anybody looks whether the object is there', async () => {
      expect(await refusal('PATCH', `${configMaps}/missing`, {})).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' });
    });

    it('with a misspelt field is a BadRequest, when the client wants to know', async () => {
      const status = await refusal('POST', `${configMaps}?fieldValidation=Strict`, configMap({ name: 'x' }, { constructor: 1, dta: {} }));
      expect(status.message).toContain('unknown field "dta"');
      expect(status.message).toContain('unknown field "constructor"');
    });

    it('may hold null for what its author left empty', async () => {
      const body = {
        metadata: { name: 'nulls', labels: null },
        spec: { containers: [{ name: 'a', image: 'a', ports: null }], volumes: null },
      };
      const { body: answer } = await plane.client.send({ method: 'POST', path: pods, body: JSON.stringify(body) });
      expect(JSON.parse(await readText(answer)).spec).not.toHaveProperty('volumes');
      expect(await refusal('POST', pods, { metadata: { name: 'nulls-2' }, spec: { containers: [null] } })).toMatchObject({
        reason: 'Invalid',
        message: expect.stringContaining('spec.containers[0].name: Required value'),
      });
    });
  });

  describe('metadata', () => {
    it.each<[what: string, metadata: object, field: string]>([
      ['no name', {}, 'metadata.name'],
      ['a name in capitals', { name: 'Web' }, 'metadata.name'],
      ['a name with a slash', { name: 'a/b' }, 'metadata.name'],
      ['a name of 254 characters', { name: 'a'.repeat(254) }, 'metadata.name'],
      ['a label with a space', { name: 'x', labels: { 'a b': 'c' } }, 'metadata.labels'],
      ['a label value with a space', { name: 'x', labels: { a: 'b c' } }, 'metadata.labels'],
      ['an annotation with a space in its key', { name: 'x', annotations: { 'a b': 'c' } }, 'metadata.annotations'],
      ['too many annotations', { name: 'x', annotations: { a: 'a'.repeat(300_000) } }, 'metadata.annotations'],
      ['a finalizer with a space', { name: 'x', finalizers: ['a b'] }, 'metadata.finalizers'],
      [
        'an owner without a uid',
        { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] },
        'metadata.ownerReferences.uid',
      ],
    ])('with %s is Invalid', async (_, metadata, field) => {
      const status = await refusal('POST', configMaps, configMap(metadata));
      expect(status).toMatchObject({ reason: 'Invalid', code: 422, details: { causes: [expect.objectContaining({ field })] } });
    });

    it('is checked on every way to change it', async () => {
      const labels = { 'a b': 'c' };
      expect(await refusal('PUT', `${configMaps}/there`, configMap({ name: 'there', labels }))).toMatchObject({ reason: 'Invalid' });
      const patch = { metadata: { labels } };
      expect(await refusal('PATCH', `${configMaps}/there`, patch, 'application/merge-patch+json')).toMatchObject({ reason: 'Invalid' });
    });
  });

  describe('an update', () => {
    it.each(['1', 'abc'])('of resourceVersion %s, which is not the present one, is a Conflict', async (resourceVersion) => {
      const status = await refusal('PUT', `${configMaps}/there`, configMap({ name: 'there', resourceVersion }));
      expect(status).toMatchObject({ reason: 'Conflict', code: 409, details: { name: 'there', kind: 'configmaps' } });
    });

    it('of another name is a BadRequest', async () => {
      expect(await refusal('PUT', `${configMaps}/there`, configMap({ name: 'other' }))).toMatchObject({ reason: 'BadRequest' });
    });

    it('of what is not there is NotFound', async () => {
      expect(await refusal('PUT', `${configMaps}/gone`, configMap({ name: 'gone' }))).toMatchObject({ reason: 'NotFound', code: 404 });
    });

    it('of a Service that does not name its cluster IP changes nothing', async () => {
      const spec = { ports: [{ port: 80 }], selector: { app: 'echo' } };
      const service = { metadata: { name: 'echo', namespace: 'default' }, spec };
      const { metadata: before } = await plane.client.create(Services, service);
      const { metadata, spec: after } = await plane.client.update(Services, service);
      expect(after?.clusterIP).toBeDefined();
      expect(metadata?.resourceVersion).toBe(before?.resourceVersion);
    });
  });

  describe('a patch', () => {
    it.each<[what: string, patch: string, language: string, reason: string]>([
      ['malformed', '{', 'merge-patch', 'BadRequest'],
      ['no object', '[]', 'merge-patch', 'BadRequest'],
      ['no list of operations', '{}', 'json-patch', 'BadRequest'],
      ['an unknown operation', '[{"op":"eat","path":"/data"}]', 'json-patch', 'Invalid'],
      ['no operation at all', '[7]', 'json-patch', 'Invalid'],
      ['an operation on what is not there', '[{"op":"replace","path":"/spec/replicas","value":3}]', 'json-patch', 'Invalid'],
      ['a test that fails', '[{"op":"test","path":"/data/a","value":"c"}]', 'json-patch', 'Invalid'],
      ['a path into the prototype', '[{"op":"add","path":"/__proto__/x","value":"y"}]', 'json-patch', 'Invalid'],
      ['a move into what is moved', '[{"op":"move","from":"","path":"/metadata/labels/a"}]', 'json-patch', 'Invalid'],
      ['another name', '[{"op":"replace","path":"/metadata/name","value":"other"}]', 'json-patch', 'BadRequest'],
      ['a number for the whole object', '[{"op":"replace","path":"","value":7}]', 'json-patch', 'BadRequest'],
      ['another kind', '{"kind":"Secret"}', 'merge-patch', 'BadRequest'],
      ['objects in objects in objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'strategic-merge-patch', 'BadRequest'],
      ['an unknown language', '{}', 'esperanto', 'UnsupportedMediaType'],
    ])('with %s is refused', async (_, patch, language, reason) => {
      expect(await refusal('PATCH', `${configMaps}/there`, patch, `application/${language}+json`)).toMatchObject({ reason });
    });
  });

  describe('a JSON patch', () => {
    it('copies no more than 3 MiB, however few its operations are', async () => {
      const patch = many(30, (index) => ({ op: 'copy', from: '/metadata', path: `/metadata/a${index}` }));
      const status = await refusal('PATCH', `${configMaps}/there`, patch, 'application/json-patch+json');
      expect(status).toMatchObject({ code: 422, reason: 'Invalid' });
    });

    it('has no more than 10,000 operations', async () => {
      const patch = many(10_001, () => ({ op: 'test', path: '/data/a', value: 'b' }));
      const status = await refusal('PATCH', `${configMaps}/there`, patch, 'application/json-patch+json');
      expect(status).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge', message: expect.stringContaining('is 10000, got 10001') });
    });
  });

  describe('a list', () => {
    it.each([
      'labelSelector=a==b==c',
      'labelSelector=a in (b',
      'labelSelector=-a=b',
      'fieldSelector=x',
      'fieldSelector=spec.nope=x',
      'continue=garbage',
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"/../secrets/"}').toString('base64url')}`,
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}').toString('base64url')}&resourceVersion=1`,
      'resourceVersion=abc',
      'watch=true&resourceVersion=abc',
    ])('of ?%s is a BadRequest', async (query) => {
      expect(await refusal('GET', `${configMaps}?${encodeURI(query)}`)).toMatchObject({ reason: 'BadRequest', code: 400 });
    });

    it('of a revision that is still to come is a Timeout that may be tried again', async () => {
      expect(await refusal('GET', `${configMaps}?resourceVersion=99999999`)).toMatchObject({
        reason: 'Timeout',
        code: 504,
        details: { retryAfterSeconds: 1 },
      });
    });
  });

  describe('a deletion', () => {
    it.each<[what: string, body: object, reason: string]>([
      ['a grace period that is a word', { gracePeriodSeconds: 'long' }, 'BadRequest'],
      ['an unknown propagation policy', { propagationPolicy: 'Sideways' }, 'Invalid'],
      ['two propagation policies', { propagationPolicy: 'Orphan', orphanDependents: true }, 'Invalid'],
      ['the uid of another object', { preconditions: { uid: 'other' } }, 'Conflict'],
    ])('with %s deletes nothing', async (_, options, reason) => {
      expect(await refusal('DELETE', `${configMaps}/there`, options)).toMatchObject({ reason });
      expect(await plane.client.get(ConfigMaps, { namespace: 'default', name: 'there' })).toMatchObject({ data: { a: 'b' } });
    });
  });

  describe('a path', () => {
    it.each([
      '/apis/sandwiches.example.com/v1/sandwiches',
      '/apis/apps/v9/deployments',
      '/api/v1/sandwiches',
      '/nowhere',
      `${configMaps}/%zz`,
    ])('such as %s is NotFound', async (path) => {
      expect(await refusal('GET', path)).toMatchObject({ reason: 'NotFound', code: 404 });
    });

    it.each(['PUT', 'PATCH', 'OPTIONS'])('of a collection knows no %s', async (method) => {
      expect(await refusal(method, configMaps)).toMatchObject({ reason: 'MethodNotAllowed', code: 405 });
    });
  });

  it('goes on serving after all of that', async () => {
    const { body } = await plane.client.send({ method: 'GET', path: '/readyz' });
    expect(await readText(body)).toBe('ok');
  });
});

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A ConfigMap in protobuf, its data under these keys, of up to 127 characters. */
function protobufWithData(keys: string[]): Buffer {
  const entries = keys
    .map((key) => `\x12${String.fromCharCode(key.length + 5)}\x0a${String.fromCharCode(key.length)}${key}\x12\x01b`)
    .join('');
  const length = [0, 7, 14, 21].map((shift) => ((entries.length >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0));
  return Buffer.from(`k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12${String.fromCharCode(...length)}${entries}`, 'latin1');
}

/** `b: &b [*a,*a]`, and so on: each line doubles the list. */
function aliases(lines: number): string {
  return Array.from(
    { length: lines },
    (_, line) => `l${line}: &l${line} [*${line === 0 ? 'a' : `l${line - 1}`},*${line === 0 ? 'a' : `l${line - 1}`}]`,
  ).join('\n');
}

describe('API server: what it is started with', () => {
  it.each(['Quota', 'RBAC', 'CertificateSubjectRestriction'])('no plugin %s can be disabled', async (plugin) => {
    const started = startTestControlPlane({ apiServer: { disableAdmissionPlugins: [plugin] } });
    await expect(started).rejects.toThrow(`there is no admission plugin "${plugin}" that could be disabled; there are: `);
  });
});

describe('API server: every kind', () => {
  it.each(resources.map((resource) => [`${resource.plural} ${resource.version}`, resource] as const))(
    '%s survives objects of which anything may be missing',
    (_, resource) => {
      const clock = new FakeClock();
      fc.assert(
        fc.property(objectsOf(resource), (object) => {
          const strategy = strategyFor(resource);
          const checked = checkFields(structuredClone(object), resource, ignoring);
          strategy.setDefaults?.(checked);
          objectProblems(resource, checked as ApiObject, structuredClone(checked) as ApiObject);
          if (objectProblems(resource, checked as ApiObject).length > 0) return;
          for (const { cell } of columnsOf(resource)) cell(checked, clock);
        }),
        { numRuns: 60, seed: 7 },
      );
    },
  );
});

/** Objects whose fields have the right types, or are null, or missing. */
function objectsOf(resource: ResourceDefinition): fc.Arbitrary<KubernetesObject> {
  const { properties = {} } = schemas[schemaNameOf(resource)] ?? {};
  const { apiVersion, kind, metadata, ...rest } = properties;
  return record(rest, 0).map((fields) => ({ metadata: { name: 'web', namespace: 'default' }, ...(fields as object) }));
}

function record(properties: Record<string, OpenApiSchema>, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, schema]) => [name, anyOf(schema, depth + 1)]);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
}

function anyOf(schema: OpenApiSchema, depth: number): fc.Arbitrary<unknown> {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference) {
    if (reference.endsWith('.Quantity')) return fc.constantFrom('1', '500m', '1Gi');
    if (reference.endsWith('.Time') || reference.endsWith('.MicroTime')) return fc.constant('2026-01-01T12:00:00Z');
    return anyOf(schemas[nameOfReference(reference)] ?? {}, depth);
  }
  const nullable = (values: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 4, arbitrary: values });
  if (schema.format === 'int-or-string') return fc.constantFrom(1, '25%', 'http');
  switch (schema.type) {
    case 'string':
      return nullable(fc.constantFrom('', 'a', 'constructor', '10.0.0.1'));
    case 'integer':
      return nullable(fc.constantFrom(-1, 0, 1, 80));
    case 'boolean':
      return nullable(fc.boolean());
    case 'array':
      return depth > 9 ? fc.constant([]) : nullable(fc.array(anyOf(schema.items ?? {}, depth + 1), { maxLength: 2 }));
    default:
      if (depth > 9) return fc.constant({});
      return nullable(
        schema.properties
          ? record(schema.properties, depth)
          : fc.dictionary(fc.constantFrom('a', 'constructor'), anyOf(schema.additionalProperties ?? { type: 'string' }, depth + 1), {
              maxKeys: 2,
            }),
      );
  }
}
