import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { resourcesOf } from '#api-server/custom/custom-resources';
import { readScale, withReplicas } from '#api-server/custom/custom-scale';
import { fillDefaults } from '#api-server/custom/defaulting';
import type { Definition } from '#api-server/custom/definition';
import { parseJsonPath, valuesAt } from '#api-server/custom/json-path';
import { acceptNames, nextStatus } from '#api-server/custom/naming';
import { fieldsToPrune } from '#api-server/custom/pruning';
import type { Schema } from '#api-server/custom/schema';
import { schemaProblems } from '#api-server/custom/validation';
import { NotImplemented } from '#kit/not-implemented';
import { type ApiServerUnderTest, type RawAnswer, startApiServerUnderTest } from '#kit/testing/api-server';
import { eventually } from '#kit/testing/wait';

const group = 'example.com';
const noon = '2026-03-01T12:00:00Z';
const one = '2026-03-01T13:00:00Z';

const text: Schema = { type: 'string' };
const integer: Schema = { type: 'integer' };
const object = (properties: Record<string, Schema>, rest: Schema = {}): Schema => ({ type: 'object', properties, ...rest });

interface Words {
  plural?: string;
  kind?: string;
  listKind?: string | undefined;
  shortNames?: string[];
  categories?: string[];
}

/** A version that is served and stored, of objects with these fields in their spec. */
function version(name: string, fields: Record<string, Schema>, rest: object = {}) {
  return {
    name,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: object({ spec: object(fields), status: object({ ready: integer, selector: text }) }) },
    ...rest,
  };
}

/** As its author writes it. */
function definitionOf({ plural = 'widgets', kind = 'Widget', ...words }: Words, versions: object[], rest: object = {}): Definition {
  const names = { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, ...words };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names, versions, ...rest },
  } as unknown as Definition;
}

/** With the status that the server gave it. */
function named(definition: Definition, { accepted = true, established = true, terminating = false } = {}): Definition {
  const conditions = [
    { type: 'NamesAccepted', status: accepted ? 'True' : 'False' },
    { type: 'Established', status: established ? 'True' : 'False' },
    ...(terminating ? [{ type: 'Terminating', status: 'True' }] : []),
  ];
  return { ...definition, status: { acceptedNames: definition.spec.names, conditions, storedVersions: ['v1'] } } as Definition;
}

const path = (name: string) => parseJsonPath(name) ?? [];
const summary = (problems: { field?: string; message?: string }[]) => problems.map(({ field, message }) => `${field}: ${message}`);

describe('API server', () =>
  describe('2.11 your own kinds', () => {
    beforeEach(() => NotImplemented.forget());

    describe('names', () => {
      const widgets = named(definitionOf({ shortNames: ['wd'] }, []));

      it('that are free are accepted', () => {
        const { accepted, condition } = acceptNames(definitionOf({ shortNames: ['w'], categories: ['all'] }, []), []);
        expect(accepted).toEqual({
          plural: 'widgets',
          singular: 'widget',
          kind: 'Widget',
          listKind: 'WidgetList',
          shortNames: ['w'],
          categories: ['all'],
        });
        expect(condition).toMatchObject({ type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' });
      });

      it.each([
        ['a short name', { plural: 'gears', kind: 'Gear', shortNames: ['g', 'wd'] }, 'ShortNamesConflict', '"wd" is already in use'],
        [
          'a short name that is a plural',
          { plural: 'gears', kind: 'Gear', shortNames: ['widgets'] },
          'ShortNamesConflict',
          '"widgets" is already in use',
        ],
        ['a plural that is a short name', { plural: 'wd', kind: 'Gear' }, 'PluralConflict', '"wd" is already in use'],
        ['a kind', { plural: 'gears', kind: 'Widget' }, 'ListKindConflict', '"WidgetList" is already in use'],
      ])('that others of the group have are not: %s', (_, words, reason, message) => {
        const { condition } = acceptNames(definitionOf(words, []), [widgets]);
        expect(condition).toMatchObject({ type: 'NamesAccepted', status: 'False', reason, message });
      });

      it('are accepted one by one: what is free is given, short names all together or not at all', () => {
        const { accepted } = acceptNames(definitionOf({ plural: 'gears', kind: 'Gear', shortNames: ['g', 'wd'] }, []), [widgets]);
        expect(accepted).toEqual({ plural: 'gears', singular: 'gear', kind: 'Gear', listKind: 'GearList' });
      });

      it('only matter in the same group, and only once they are given', () => {
        const wanted = definitionOf({ plural: 'gears', kind: 'Gear', shortNames: ['wd'] }, []);
        const elsewhere = { ...widgets, spec: { ...widgets.spec, group: 'other.com' } };
        const notGiven = definitionOf({ shortNames: ['wd'] }, []);
        expect(acceptNames(wanted, [elsewhere, notGiven]).condition.status).toBe('True');
      });

      it('that a definition has are no obstacle to itself', () => {
        expect(acceptNames(widgets, [widgets]).condition.status).toBe('True');
      });

      it('that a definition has as another sort of name are taken', () => {
        const wishing = {
          ...widgets,
          spec: { ...widgets.spec, names: { ...widgets.spec.names, shortNames: ['wd', 'widgets', 'widget'] } },
        };
        const { accepted, condition } = acceptNames(wishing, [widgets]);
        expect(condition).toMatchObject({ reason: 'ShortNamesConflict' });
        expect(condition.message).toBe('["widgets" is already in use, "widget" is already in use]');
        expect(accepted.shortNames).toEqual(['wd']);
      });
    });

    describe('a status', () => {
      const fresh = definitionOf({}, [version('v1', {})]);
      const conditionsOf = (definition: Definition) =>
        (definition.status?.conditions ?? []).map(({ type, status, reason, lastTransitionTime }) => [
          type,
          status,
          reason,
          lastTransitionTime,
        ]);
      const withStatus = (definition: Definition, others: Definition[], now: string): Definition => ({
        ...definition,
        status: nextStatus(definition, others, now),
      });

      it('accepts the names first, and says Established when that has been seen', () => {
        const first = withStatus(fresh, [], noon);
        expect(conditionsOf(first)).toEqual([
          ['NamesAccepted', 'True', 'NoConflicts', noon],
          ['Established', 'False', 'Installing', noon],
        ]);
        const { message } = first.status?.conditions?.[1] ?? {};
        expect(message).toBe('the initial names have been accepted');
        const second = withStatus(first, [], one);
        expect(conditionsOf(second)).toEqual([
          ['NamesAccepted', 'True', 'NoConflicts', noon],
          ['Established', 'True', 'InitialNamesAccepted', one],
        ]);
        expect(withStatus(second, [], '2026-03-01T14:00:00Z')).toEqual(second);
      });

      it('is not Established without its names, and recovers when they are free', () => {
        const other = named(definitionOf({ plural: 'gears', kind: 'Gear', shortNames: ['widgets'] }, []));
        const refused = withStatus(fresh, [other], noon);
        expect(conditionsOf(refused)).toEqual([
          ['NamesAccepted', 'False', 'PluralConflict', noon],
          ['Established', 'False', 'NotAccepted', noon],
        ]);
        expect(refused.status?.conditions?.[1]?.message).toBe('not all names are accepted');
        expect(conditionsOf(withStatus(withStatus(refused, [], one), [], one)).map(([, status]) => status)).toEqual(['True', 'True']);
      });

      it('stays Established when a later wish for names cannot be granted', () => {
        const other = named(definitionOf({ plural: 'gears', kind: 'Gear', shortNames: ['wd'] }, []));
        const wishing = named({ ...fresh, spec: { ...fresh.spec, names: { ...fresh.spec.names, shortNames: ['wd'] } } });
        const had = { ...wishing, status: { ...wishing.status, acceptedNames: fresh.spec.names } } as Definition;
        expect(conditionsOf(withStatus(had, [other], noon)).map(([type, status]) => [type, status])).toEqual([
          ['NamesAccepted', 'False'],
          ['Established', 'True'],
        ]);
      });

      it('remembers every version that was ever the one to store', () => {
        const moved = definitionOf({}, [version('v1', {}, { storage: false }), version('v2', {})]);
        expect(nextStatus({ ...moved, status: { storedVersions: ['v1'] } } as Definition, [], noon).storedVersions).toEqual(['v1', 'v2']);
        expect(nextStatus(moved, [], noon).storedVersions).toEqual(['v2']);
      });
    });

    describe('a definition becomes resources', () => {
      it('one for each version that is served, with its subresources', () => {
        const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready' };
        const definition = definitionOf({ shortNames: ['wd'], categories: ['all'] }, [
          version('v1', {}, { storage: false, deprecated: true }),
          version('v2', { size: integer }, { subresources: { status: {}, scale }, selectableFields: [{ jsonPath: '.spec.size' }] }),
          version('v3', {}, { storage: false, served: false }),
        ]);
        const resources = resourcesOf(named(definition, { established: false }));
        expect(resources.map(({ version, subresources }) => [version, subresources])).toEqual([
          ['v1', []],
          ['v2', ['status', 'scale']],
        ]);
        expect(resources[0]?.custom?.deprecation).toBe('example.com/v1 Widget is deprecated; use example.com/v2 Widget');
        expect(resources[1]).toMatchObject({
          group,
          kind: 'Widget',
          plural: 'widgets',
          singular: 'widget',
          shortNames: ['wd'],
          categories: ['all'],
          namespaced: true,
          custom: { listKind: 'WidgetList', scale, selectableFields: ['spec.size'], isTerminating: false },
        });
      });

      it('none before its names are accepted', () => {
        const definition = definitionOf({}, [version('v1', {})]);
        expect(resourcesOf(definition)).toEqual([]);
        expect(resourcesOf(named(definition, { accepted: false, established: false }))).toEqual([]);
      });

      it('that still serve when a later wish for names cannot be granted', () => {
        const [resource] = resourcesOf(named(definitionOf({}, [version('v1', {})]), { accepted: false }));
        expect(resource?.plural).toBe('widgets');
      });

      it('whose lists have a name, also when nobody gave one', () => {
        const definition = definitionOf({ listKind: undefined }, [version('v1', {})]);
        expect(resourcesOf(named(definition))[0]?.custom?.listKind).toBe('WidgetList');
        const other = definitionOf({ listKind: 'ManyWidgets' }, [version('v1', {})]);
        expect(resourcesOf(named(other))[0]?.custom?.listKind).toBe('ManyWidgets');
      });

      it('that still serve, but make nothing new, while it is deleted', () => {
        const [resource] = resourcesOf(named(definitionOf({}, [version('v1', {})], { scope: 'Cluster' }), { terminating: true }));
        expect(resource).toMatchObject({ namespaced: false, custom: { isTerminating: true } });
      });
    });

    describe('pruning', () => {
      const unknown = (value: object, schema: Schema) => fieldsToPrune(value, schema).map((found) => found.path);

      it('finds the fields that the schema does not name, at every depth', () => {
        const schema = object({ spec: object({ ports: { type: 'array', items: object({ port: integer }) } }) });
        const value = { spec: { ports: [{ port: 1 }, { port: 2, nmae: 'x' }], foo: { bar: 1 } }, bar: 1 };
        expect(unknown(value, schema)).toEqual(['spec.ports[1].nmae', 'spec.foo', 'bar']);
        const [found] = fieldsToPrune(value, schema);
        expect(found).toMatchObject({ field: 'nmae', owner: { port: 2, nmae: 'x' } });
      });

      it('knows apiVersion, kind and metadata at the top and in embedded resources, and nowhere else', () => {
        const schema = object({
          template: object({}, { 'x-kubernetes-embedded-resource': true }),
          plain: object({}),
        });
        const whole = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } };
        expect(unknown({ ...whole, template: whole, plain: whole }, schema)).toEqual(['plain.apiVersion', 'plain.kind', 'plain.metadata']);
      });

      it('leaves maps alone, and what is to be preserved, but looks into what that names', () => {
        const schema = object({
          labels: { type: 'object', additionalProperties: object({ a: text }) },
          free: object({ known: object({ a: text }) }, { 'x-kubernetes-preserve-unknown-fields': true }),
          list: { 'x-kubernetes-preserve-unknown-fields': true },
        });
        expect(
          unknown({ labels: { x: { a: '1', b: '2' } }, free: { any: [{ thing: 1 }], known: { b: 1 } }, list: [{ b: 1 }] }, schema),
        ).toEqual(['labels.x.b', 'free.known.b']);
      });
    });

    describe('defaults', () => {
      const filled = (value: unknown, schema: Schema) => {
        fillDefaults(value, schema);
        return value;
      };

      it('fill in what is absent, in objects, lists and maps, and leave what is there', () => {
        const schema = object({
          color: { ...text, default: 'red' },
          size: { ...integer, default: 1 },
          ports: { type: 'array', items: object({ protocol: { ...text, default: 'TCP' } }) },
          named: { type: 'object', additionalProperties: object({ weight: { ...integer, default: 0 } }) },
        });
        expect(filled({ size: 0, ports: [{ protocol: 'UDP' }, {}], named: { a: {} } }, schema)).toEqual({
          color: 'red',
          size: 0,
          ports: [{ protocol: 'UDP' }, { protocol: 'TCP' }],
          named: { a: { weight: 0 } },
        });
      });

      it('do not make an object for the sake of what would be in it, unless it has a default itself', () => {
        const inner = object({ x: { ...integer, default: 5 } });
        expect(filled({}, object({ absent: inner, present: { ...inner, default: {} } }))).toEqual({ present: { x: 5 } });
      });

      it('take the place of null, unless null is a value there; without a default, null goes', () => {
        const schema = object({ color: { ...text, default: 'red' }, note: text, label: { ...text, nullable: true, default: 'x' } });
        expect(filled({ color: null, note: null, label: null }, schema)).toStrictEqual({ color: 'red', label: null });
        const free = { 'x-kubernetes-preserve-unknown-fields': true };
        expect(filled({ free: null, other: null }, object({ free }, free))).toStrictEqual({ other: null });
      });

      it('take the place of null in lists and maps, too; an item without a default keeps its place', () => {
        const schema = object({
          colors: { type: 'array', items: { ...text, default: 'red' } },
          notes: { type: 'array', items: text },
          sizes: { type: 'object', additionalProperties: { ...integer, default: 1 } },
        });
        expect(filled({ colors: [null, 'blue'], notes: [null, 'x'], sizes: { a: null, b: 2 } }, schema)).toStrictEqual({
          colors: ['red', 'blue'],
          notes: [null, 'x'],
          sizes: { a: 1, b: 2 },
        });
      });

      it('are copies: an object that is changed does not change them', () => {
        const schema = object({ list: { type: 'array', items: text, default: ['a'] } });
        const first = filled({}, schema) as { list: string[] };
        first.list.push('b');
        expect(filled({}, schema)).toEqual({ list: ['a'] });
      });
    });

    describe('validation', () => {
      it.each<[string, unknown, Schema, string[]]>([
        ['a text for a number', 'x', integer, ['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"']],
        ['a fraction for an integer', 1.5, integer, ['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"']],
        ['null', null, text, ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"']],
        ['null where it is a value', null, { ...text, nullable: true, minLength: 1 }, []],
        [
          'too short a text where null is a value',
          '',
          { ...text, nullable: true, minLength: 1 },
          ['spec.x: Invalid value: "": spec.x in body should be at least 1 chars long'],
        ],
        ['an integer for a number', 2, { type: 'number' }, []],
        [
          'neither integer nor text',
          true,
          { 'x-kubernetes-int-or-string': true },
          ['spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"'],
        ],
        ['a percentage or a number', '10%', { 'x-kubernetes-int-or-string': true }, []],
        [
          'too small a number',
          0,
          { ...integer, minimum: 1 },
          ['spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1'],
        ],
        [
          'a value that is no choice',
          'blue',
          { ...text, enum: ['red', 'green'] },
          ['spec.x: Unsupported value: "blue": supported values: "red", "green"'],
        ],
        ['a value that is a choice', 'green', { ...text, enum: ['red', 'green'] }, []],
        ['a number that is no choice', 3, { ...integer, enum: [1, 2] }, ['spec.x: Unsupported value: 3: supported values: "1", "2"']],
        ['a text where a number would have to be even', '10%', { 'x-kubernetes-int-or-string': true, multipleOf: 2 }, []],
        ['a choice that is an object', { a: 1 }, { type: 'object', additionalProperties: integer, enum: [{ a: 1 }] }, []],
        [
          'too few items',
          [],
          { type: 'array', items: text, minItems: 1 },
          ['spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
        ],
        ['just enough items', ['a'], { type: 'array', items: text, minItems: 1, maxItems: 1 }, []],
        ['too many items', ['a', 'b'], { type: 'array', items: text, maxItems: 1 }, ['spec.x: Too many: 2: must have at most 1 items']],
        [
          'a wrong item',
          ['a', 1],
          { type: 'array', items: text },
          ['spec.x[1]: Invalid value: "integer": spec.x[1] in body must be of type string: "integer"'],
        ],
        [
          'an item twice in a set',
          ['a', 'b', 'a'],
          { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
          ['spec.x[2]: Duplicate value: "a"'],
        ],
        [
          'several objects in a set',
          [{ a: 1 }, { a: 2 }],
          { type: 'array', items: object({ a: integer }), 'x-kubernetes-list-type': 'set' },
          [],
        ],
        ['an item twice in a list', ['a', 'a'], { type: 'array', items: text }, []],
        [
          'a field that is missing',
          {},
          { type: 'object', required: ['size'], properties: { size: integer } },
          ['spec.x.size: Required value'],
        ],
        [
          'too many fields',
          { a: 1, b: 2 },
          { type: 'object', additionalProperties: integer, maxProperties: 1 },
          ['spec.x: Too many: 2: must have at most 1 items'],
        ],
        ['just enough fields', { a: 1 }, { type: 'object', additionalProperties: integer, minProperties: 1, maxProperties: 1 }, []],
        [
          'too few fields',
          {},
          { type: 'object', additionalProperties: integer, minProperties: 1 },
          ['spec.x: Invalid value: 0: spec.x in body should have at least 1 properties'],
        ],
        [
          'a wrong value in a map',
          { a: 'x' },
          { type: 'object', additionalProperties: integer },
          ['spec.x.a: Invalid value: "string": spec.x.a in body must be of type integer: "string"'],
        ],
        [
          'an embedded object without a type',
          { metadata: {} },
          { type: 'object', 'x-kubernetes-embedded-resource': true },
          ['spec.x.apiVersion: Required value: must not be empty', 'spec.x.kind: Required value: must not be empty'],
        ],
        ['an embedded object', { apiVersion: 'v1', kind: 'Pod' }, { type: 'object', 'x-kubernetes-embedded-resource': true }, []],
      ])('of %s', (_, value, schema, problems) => {
        expect(summary(schemaProblems(value, schema, 'spec.x'))).toEqual(problems);
      });

      it('tells the items of a map list apart by all of its keys', () => {
        const schema: Schema = {
          type: 'array',
          items: object({ port: integer, protocol: text, name: text }),
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
        };
        const ports = [
          { port: 53, protocol: 'TCP', name: 'a' },
          { port: 53, protocol: 'UDP', name: 'b' },
        ];
        expect(schemaProblems(ports, schema, 'spec.ports')).toEqual([]);
        const again = [...ports, { port: 53, protocol: 'UDP', name: 'c' }];
        expect(summary(schemaProblems(again, schema, 'spec.ports'))).toEqual([
          'spec.ports[2]: Duplicate value: {"port":53,"protocol":"UDP"}',
        ]);
      });

      const either = [{ required: ['a'] }, { required: ['b'] }];
      it.each<[string, object, Schema, string | undefined]>([
        ['one of them', { a: 1 }, { oneOf: either }, undefined],
        ['none of them', {}, { oneOf: either }, 'must validate one and only one schema (oneOf). Found none valid'],
        ['both of them', { a: 1, b: 1 }, { oneOf: either }, 'must validate one and only one schema (oneOf). Found 2 valid alternatives'],
        ['one of any', { a: 1 }, { anyOf: either }, undefined],
        ['all of any', { a: 1, b: 1 }, { anyOf: either }, undefined],
        ['none of any', {}, { anyOf: either }, 'must validate at least one schema (anyOf)'],
        ['what must not be', { a: 1 }, { not: { required: ['a'] } }, 'must not validate the schema (not)'],
        ['all of all', { a: 1, b: 1 }, { allOf: either }, undefined],
        ['some of all', { a: 1 }, { allOf: either }, 'must validate all the schemas (allOf)'],
        ['none of all', {}, { allOf: either }, 'must validate all the schemas (allOf). None validated'],
      ])('of a value that fits %s', (_, value, combination, problem) => {
        const problems = schemaProblems(value, { type: 'object', additionalProperties: integer, ...combination }, 'spec.x').filter(
          ({ reason }) => reason !== 'FieldValueRequired',
        );
        expect(summary(problems)).toEqual(problem ? [`spec.x: Invalid value: "": "spec.x" ${problem}`] : []);
      });

      it('looks into metadata only where the schema narrows it', () => {
        const whole = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'x', labels: { a: 'b' } } };
        expect(schemaProblems(whole, object({ spec: text }))).toEqual([]);
        const narrow = object({ metadata: object({ name: { ...text, minLength: 3 } }) });
        expect(summary(schemaProblems(whole, narrow))).toEqual([
          'metadata.name: Invalid value: "x": metadata.name in body should be at least 3 chars long',
        ]);
      });

      it('goes into the fields, each problem with its own path', () => {
        const schema = object({
          spec: object({ size: { ...integer, minimum: 1 }, ports: { type: 'array', items: object({ port: integer }) } }),
        });
        expect(schemaProblems({ spec: { size: 0, ports: [{ port: 'x' }] } }, schema).map(({ field }) => field)).toEqual([
          'spec.size',
          'spec.ports[0].port',
        ]);
      });
    });

    describe('a JSONPath', () => {
      const value = {
        metadata: { labels: { 'app.io/name': 'x' } },
        spec: { hosts: ['a', 'b', 'c'], ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53 }, { port: 1 }] },
        status: {
          conditions: [
            { type: 'Ready', status: 'False' },
            { type: 'Synced', status: 'True' },
          ],
        },
      };
      it.each<[string, unknown[]]>([
        ['.spec.hosts[1]', ['b']],
        ['.spec.hosts[-1]', ['c']],
        ['.spec.hosts[-3]', ['a']],
        ['.spec.hosts[-4]', []],
        ['.spec.hosts[3]', []],
        ['.spec[0]', []],
        ['.spec.hosts[0][0]', []],
        ['.spec.hosts[0][*]', []],
        ['.spec[?(@.name=="dns")]', []],
        ['.spec.hosts[*]', ['a', 'b', 'c']],
        ['.spec.ports[*].name', ['http', 'dns']],
        ['.spec.ports[?(@.name=="dns")].port', [53]],
        ['.spec.ports[?(@.port==80)].name', ['http']],
        ['.spec.ports[?(@.name!="dns")].port', [80, 1]],
        ['.status.conditions[?(@.type=="Synced")].status', ['True']],
        [".metadata.labels['app.io/name']", ['x']],
        ['.metadata.labels.app\\.io/name', ['x']],
        ['.spec.nothing.here', []],
        ['.spec.hosts.name', []],
      ])('%s leads to %j', (steps, values) => {
        // Strictly: toEqual takes a list of undefined for an empty one.
        expect(valuesAt(value, path(steps))).toStrictEqual(values);
      });
    });

    describe('a scale', () => {
      const paths = { specReplicasPath: '.spec.workers.count', statusReplicasPath: '.status.ready', labelSelectorPath: '.status.selector' };

      it('is read where the definition says', () => {
        const worker = { spec: { workers: { count: 3 } }, status: { ready: 2, selector: 'app=x' } };
        expect(readScale(worker, paths)).toEqual({ replicas: 3, present: 2, selector: 'app=x' });
        expect(readScale({ spec: {}, status: { selector: '' } }, paths)).toEqual({ replicas: undefined, present: 0, selector: undefined });
      });

      it('is written there, and nothing else changes', () => {
        const before = { spec: { workers: { count: 3, name: 'x' }, color: 'red' }, status: { ready: 2 } };
        const after = withReplicas(before, paths, 5);
        expect(after).toEqual({ spec: { workers: { count: 5, name: 'x' }, color: 'red' }, status: { ready: 2 } });
        expect(before.spec.workers.count).toBe(3);
        expect(withReplicas({}, paths, 1)).toEqual({ spec: { workers: { count: 1 } } });
      });
    });

    describe('a kind of your own', () => {
      let server: ApiServerUnderTest | undefined;
      beforeAll(async () => {
        server = await startApiServerUnderTest();
      });
      afterAll(() => server?.stop());
      const api = () => {
        if (!server) throw new Error('the API server did not start');
        return server;
      };
      const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      const send = (method: string, at: string, body?: object, headers?: Record<string, string>): Promise<RawAnswer> =>
        api().send({ method, path: at, ...(body ? { body } : {}), ...(headers ? { headers } : {}) });
      const get = (at: string) => send('GET', at);
      const merge = { 'content-type': 'application/merge-patch+json' };
      const objects = (plural: string, name = '', versionName = 'v1') =>
        `/apis/${group}/${versionName}/namespaces/default/${plural}${name && `/${name}`}`;
      const objectOf = (kind: string, name: string, spec: object, versionName = 'v1') => ({
        apiVersion: `${group}/${versionName}`,
        kind,
        metadata: { name },
        spec,
      });
      /** Makes the definition, and waits until its kind is served. */
      const establish = async (definition: Definition) => {
        const { code, body } = await send('POST', definitions, definition);
        expect(body.message ?? '').toBe('');
        expect(code).toBe(201);
        const name = definition.metadata.name ?? '';
        await eventually(`${name} is established`, async () => {
          const found = await get(`${definitions}/${name}`);
          return found.body.status?.conditions?.some(
            (condition: { type: string; status: string }) => condition.type === 'Established' && condition.status === 'True',
          );
        });
      };

      it('is served from the moment when its definition is Established', async () => {
        await establish(definitionOf({}, [version('v1', { size: integer })]));
        const { code, body } = await send('POST', objects('widgets'), objectOf('Widget', 'x', { size: 3 }));
        expect(code).toBe(201);
        expect(body).toMatchObject({ kind: 'Widget', metadata: { name: 'x', namespace: 'default', generation: 1 }, spec: { size: 3 } });
        expect((await get(objects('widgets', 'x'))).body).toEqual(body);
        expect((await get(`/apis/${group}/v1/widgets`)).body).toMatchObject({ kind: 'WidgetList', items: [{ metadata: { name: 'x' } }] });
        expect((await get(`/apis/${group}/v1/gadgets`)).code).toBe(404);
      });

      it('stands in both forms of discovery, and in OpenAPI', async () => {
        await establish(
          definitionOf({ plural: 'gears', kind: 'Gear', shortNames: ['ge'] }, [
            version('v1', { teeth: integer }, { subresources: { status: {} } }),
          ]),
        );
        const { body: plain } = await get(`/apis/${group}/v1`);
        expect(plain.resources).toContainEqual(
          expect.objectContaining({ name: 'gears', kind: 'Gear', shortNames: ['ge'], namespaced: true }),
        );
        expect(plain.resources).toContainEqual(expect.objectContaining({ name: 'gears/status', kind: 'Gear' }));
        const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
        const { body: aggregated } = await send('GET', '/apis', undefined, { accept });
        const ofGroup = aggregated.items.find((item: { metadata: { name: string } }) => item.metadata.name === group);
        expect(ofGroup.versions[0].resources).toContainEqual(expect.objectContaining({ resource: 'gears', singularResource: 'gear' }));
        // Some servers send these as plain text, whatever they are.
        const schemas = async (at: string) => {
          const { body } = await get(at);
          return typeof body === 'string' ? JSON.parse(body) : body;
        };
        const address = async (): Promise<string> => (await schemas('/openapi/v3')).paths[`apis/${group}/v1`]?.serverRelativeURL ?? '';
        const gear = async () => (await schemas(await address())).components?.schemas['com.example.v1.Gear'];
        const schema = await eventually('OpenAPI tells of gears', gear);
        expect(schema.properties.spec.properties).toEqual({ teeth: integer });
        const before = await address();
        await establish(definitionOf({ plural: 'bolts', kind: 'Bolt' }, [version('v1', {})]));
        await eventually('the document has another address', async () => (await address()) !== before);
      });

      it('has its objects pruned, filled in and checked, and its own table', async () => {
        const fields = { size: { ...integer, minimum: 1 }, color: { ...text, default: 'red' } };
        const additionalPrinterColumns = [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
          { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ];
        await establish(definitionOf({ plural: 'boxes', kind: 'Box' }, [version('v1', fields, { additionalPrinterColumns })]));
        const { body } = await send('POST', `${objects('boxes')}?fieldValidation=Ignore`, objectOf('Box', 'x', { size: 1, foo: 2 }));
        expect(body.spec).toEqual({ size: 1, color: 'red' });
        const strict = await send('POST', `${objects('boxes')}?fieldValidation=Strict`, objectOf('Box', 'y', { size: 1, foo: 2 }));
        expect(strict.body).toMatchObject({
          code: 400,
          message: expect.stringContaining('strict decoding error: unknown field "spec.foo"'),
        });
        const wrong = await send('PATCH', objects('boxes', 'x'), { spec: { size: 0 } }, merge);
        expect(wrong.body).toMatchObject({
          code: 422,
          message: 'Box.example.com "x" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
        });
        const { body: table } = await send('GET', objects('boxes'), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
        expect(table.columnDefinitions.map(({ name, priority }: { name: string; priority: number }) => [name, priority])).toEqual([
          ['Name', 0],
          ['Size', 0],
          ['Color', 1],
          ['Since', 0],
        ]);
        expect(table.rows[0].cells).toEqual(['x', 1, 'red', expect.stringMatching(/^\d+s$/)]);
      });

      it('has a status and a scale of its own', async () => {
        const subresources = {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready', labelSelectorPath: '.status.selector' },
        };
        await establish(definitionOf({ plural: 'teams', kind: 'Team' }, [version('v1', { size: integer }, { subresources })]));
        await send('POST', objects('teams'), { ...objectOf('Team', 'x', { size: 1 }), status: { ready: 9 } });
        const { body: told } = await send(
          'PATCH',
          `${objects('teams', 'x')}/status`,
          { status: { ready: 1, selector: 'a=b' }, spec: { size: 7 } },
          merge,
        );
        expect(told).toMatchObject({ spec: { size: 1 }, status: { ready: 1, selector: 'a=b' }, metadata: { generation: 1 } });
        const wrong = await send('PATCH', `${objects('teams', 'x')}/status`, { status: { ready: 'x' } }, merge);
        expect(wrong.body).toMatchObject({
          code: 422,
          message: expect.stringMatching(/status.ready: Invalid value: .*ready in body must be of type integer/),
        });
        const { body: scale } = await send('PATCH', `${objects('teams', 'x')}/scale`, { spec: { replicas: 4 } }, merge);
        expect(scale).toMatchObject({
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          spec: { replicas: 4 },
          status: { replicas: 1, selector: 'a=b' },
        });
        expect((await get(objects('teams', 'x'))).body).toMatchObject({ spec: { size: 4 }, metadata: { generation: 2 } });
      });

      it('is stored in one version and served in each, with the fields that the version has', async () => {
        const versions = [
          version('v1', { size: integer, old: text }, { storage: false }),
          version('v2', { size: integer, color: { ...text, default: 'red' } }),
          version('v3alpha1', { size: integer }, { served: false, storage: false }),
        ];
        await establish(definitionOf({ plural: 'cars', kind: 'Car' }, versions));
        const { body } = await send('POST', objects('cars'), objectOf('Car', 'x', { size: 2 }));
        expect(body).toMatchObject({ apiVersion: `${group}/v1`, spec: { size: 2 } });
        expect((await get(objects('cars', 'x', 'v2'))).body).toMatchObject({ apiVersion: `${group}/v2`, spec: { size: 2, color: 'red' } });
        expect((await get(objects('cars', 'x', 'v1'))).body.spec).toEqual({ size: 2 });
        expect((await get(objects('cars', 'x', 'v3alpha1'))).code).toBe(404);
        const { body: groups } = await get('/apis');
        const ofGroup = groups.groups.find(({ name }: { name: string }) => name === group);
        expect(ofGroup.versions.map(({ version }: { version: string }) => version)).toEqual(['v2', 'v1']);
      });

      it('is patched like any other, but not with a strategic merge', async () => {
        await establish(
          definitionOf({ plural: 'cups', kind: 'Cup' }, [version('v1', { size: integer, list: { type: 'array', items: text } })]),
        );
        await send('POST', objects('cups'), objectOf('Cup', 'x', { size: 1, list: ['a'] }));
        const { body } = await send('PATCH', objects('cups', 'x'), { spec: { list: ['b'] } }, merge);
        expect(body).toMatchObject({ spec: { size: 1, list: ['b'] }, metadata: { generation: 2 } });
        const strategic = await send('PATCH', objects('cups', 'x'), {}, { 'content-type': 'application/strategic-merge-patch+json' });
        expect(strategic.code).toBe(415);
      });

      it('is shared by those who apply it, as its schema says how lists are merged', async () => {
        const ports: Schema = {
          type: 'array',
          items: object({ port: integer, protocol: { ...text, default: 'TCP' } }, { required: ['port'] }),
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
        };
        const fields: Record<string, Schema> = { ports, containers: { type: 'array', items: object({ name: text }) } };
        await establish(definitionOf({ plural: 'doors', kind: 'Door' }, [version('v1', fields)]));
        const applyAs = (manager: string, spec: object) =>
          send('PATCH', `${objects('doors', 'x')}?fieldManager=${manager}`, objectOf('Door', 'x', spec), {
            'content-type': 'application/apply-patch+yaml',
          });
        expect((await applyAs('one', { ports: [{ port: 53 }], containers: [{ name: 'a' }] })).code).toBe(201);
        const { body } = await applyAs('other', { ports: [{ port: 53, protocol: 'UDP' }] });
        expect(body.spec.ports).toEqual([
          { port: 53, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ]);
        expect(JSON.stringify(body.metadata.managedFields)).toContain('k:{\\"port\\":53,\\"protocol\\":\\"UDP\\"}');
        const { body: conflict } = await applyAs('other', { containers: [{ name: 'b' }] });
        expect(conflict).toMatchObject({ code: 409, details: { causes: [{ field: '.spec.containers' }] } });
      });

      describe('with rules', () => {
        const rules = (...all: object[]) => ({ 'x-kubernetes-validations': all }) as Schema;
        const rule = (expression: string, more: object = {}) => rules({ rule: expression, ...more });
        const short: Schema = { type: 'string', maxLength: 20 };
        const roomWith = (plural: string, fields: Record<string, Schema>, ofSpec: Schema = {}, ofRoot: Schema = {}) =>
          definitionOf({ plural, kind: plural }, [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: object({ spec: object(fields, ofSpec) }, ofRoot) } },
          ]);
        const port = object({ name: short, port: integer }, { required: ['name'], ...rule('self.port == oldSelf.port') });
        const fields: Record<string, Schema> = {
          low: integer,
          high: integer,
          purpose: { ...short, ...rule('self == oldSelf', { message: 'a purpose never changes' }) },
          note: short,
          ratio: { type: 'number', ...rule('self <= 1.5 && self * 2.0 >= 0.0') },
          tags: { type: 'array', maxItems: 5, items: { ...short, ...rule('self.startsWith("t")') } },
          ports: { type: 'array', maxItems: 5, items: port, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
          labels: { type: 'object', maxProperties: 5, additionalProperties: { ...short, ...rule('self != "x"') } },
          since: { ...short, format: 'date-time', ...rule('self.getFullYear() >= 2020') },
          most: { 'x-kubernetes-int-or-string': true, ...rule('type(self) == int ? self < 5 : self.endsWith("%")') },
          first: { ...integer, ...rule('oldSelf.hasValue() || self == 0', { optionalOldSelf: true }) },
          'two-words': short,
        };
        const ofSpec = rules(
          { rule: 'self.low <= self.high' },
          { rule: 'self.low < 50', message: 'too much', fieldPath: '.low', reason: 'FieldValueForbidden' },
          { rule: '!has(self.note) || size(self.note) < 5', messageExpression: `'no ' + self.note` },
          { rule: '!has(self.note) || self.note != "fail" || self.tags[7] == "t"' },
          { rule: '!has(self.two__dash__words) || self.two__dash__words != "no"' },
        );
        const spec = { low: 1, high: 3, purpose: 'work', ratio: 1, tags: ['ta'], ports: [{ name: 'a', port: 1 }], first: 0 };
        beforeAll(async () => {
          const ofRoot = rule('self.metadata.name != "root" && self.kind == "rooms"');
          await establish(roomWith('rooms', fields, { required: ['low', 'high'], ...ofSpec }, ofRoot));
          const { code, body } = await send('POST', objects('rooms'), objectOf('rooms', 'x', spec));
          expect([code, body.message]).toEqual([201, undefined]);
        });

        it.each<[string, object, string | undefined]>([
          ['is written if it keeps to them', { low: 2 }, undefined],
          ['keeps to what concerns several fields', { low: 4 }, 'spec: Invalid value: "object": failed rule: self.low <= self.high'],
          [
            'is refused in the words, for the reason and with the field of the rule',
            { low: 60, high: 70 },
            'spec.low: Forbidden: too much',
          ],
          ['is refused in words that a rule computes', { note: 'many letters' }, 'spec: Invalid value: "object": no many letters'],
          ['may not change what never changes', { purpose: 'play' }, 'spec.purpose: Invalid value: "string": a purpose never changes'],
          [
            'has numbers that are no integers, though they look like it',
            { ratio: 2 },
            'spec.ratio: Invalid value: "number": failed rule: self <=',
          ],
          [
            'keeps to the rules of items',
            { tags: ['ta', 'b'] },
            'spec.tags[1]: Invalid value: "string": failed rule: self.startsWith("t")',
          ],
          [
            'finds the item that it was',
            {
              ports: [
                { name: 'b', port: 5 },
                { name: 'a', port: 1 },
              ],
            },
            undefined,
          ],
          [
            'compares an item with what it was',
            {
              ports: [
                { name: 'b', port: 5 },
                { name: 'a', port: 2 },
              ],
            },
            'spec.ports[1]: Invalid value: "object": failed rule: self.port == oldSelf.port',
          ],
          [
            'keeps to the rules of a map’s values',
            { labels: { a: 'x' } },
            'spec.labels[a]: Invalid value: "string": failed rule: self != "x"',
          ],
          ['has times', { since: '2019-01-01T00:00:00Z' }, 'spec.since: Invalid value: "string": failed rule: self.getFullYear() >= 2020'],
          ['has no rules about what it is not', { since: 'yesterday' }, 'spec.since in body must be of type date-time: "yesterday"'],
          ['has a number where it could be a text', { most: 7 }, 'spec.most: Invalid value: "": failed rule: type(self)'],
          ['has a text where it could be a number', { most: '7%' }, undefined],
          ['begins as it must', { first: 7 }, undefined],
          [
            'has fields with other names in a rule',
            { 'two-words': 'no' },
            'spec: Invalid value: "object": failed rule: !has(self.two__dash__words)',
          ],
          ['is refused when a rule fails', { note: 'fail' }, 'spec: Invalid value: "object": '],
          [
            'is not asked for more before it is what its schema says',
            { low: null },
            'spec.low: Required value, <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
          ],
        ])('%s', async (_, change, why) => {
          const { code, body } = await send('PATCH', `${objects('rooms', 'x')}?dryRun=All`, { spec: change }, merge);
          expect(code).toBe(why === undefined ? 200 : 422);
          if (why !== undefined) expect(body.message).toContain(why);
        });

        it.each<[string, string, object, string]>([
          ['has a rule for all of it', 'root', {}, '<nil>: Invalid value: "object": failed rule: self.metadata.name != "root"'],
          [
            'has rules that only ask at the beginning',
            'y',
            { first: 3 },
            'spec.first: Invalid value: "integer": failed rule: oldSelf.hasValue()',
          ],
        ])('%s', async (_, name, change, why) => {
          const { body } = await send('POST', `${objects('rooms')}?dryRun=All`, objectOf('rooms', name, { ...spec, ...change }));
          expect(body).toMatchObject({ code: 422, message: expect.stringContaining(why) });
        });

        it('may stay as it is when a rule is new', async () => {
          await establish(roomWith('halls', { size: integer, color: short }));
          await send('POST', objects('halls'), objectOf('halls', 'old', { size: 9 }));
          const { body } = await get(`${definitions}/halls.${group}`);
          const small = rule('self < 5');
          const { versions } = roomWith('halls', { size: { ...integer, ...small }, color: short }).spec;
          expect((await send('PUT', `${definitions}/halls.${group}`, { ...body, spec: { ...body.spec, versions } })).code).toBe(200);
          const create = () => send('POST', `${objects('halls')}?dryRun=All`, objectOf('halls', 'new', { size: 8 }));
          await eventually('the rule counts', async () => (await create()).code === 422);
          const change = async (spec: object) => (await send('PATCH', `${objects('halls', 'old')}?dryRun=All`, { spec }, merge)).code;
          expect([await change({ color: 'red' }), await change({ size: 8 }), await change({ size: 4 })]).toEqual([200, 422, 200]);
        });

        it('is refused in time, whatever its pattern', async () => {
          await establish(roomWith('cells', { name: { type: 'string', pattern: '^(a+)+$' } }));
          const { code } = await send('POST', objects('cells'), objectOf('cells', 'x', { name: `${'a'.repeat(60)}!` }));
          expect(code).toBe(422);
        });

        it.each<[string, Schema, string]>([
          ['that nobody can read', rule('self.'), '.rule: Invalid value: .*: compilation failed: ERROR: <input>:1:6: Syntax error: '],
          [
            'about a field that there is not',
            rule('self.nope == 1'),
            ".rule: Invalid value: .*: compilation failed: ERROR: <input>:1:5: undefined field 'nope'",
          ],
          ['that compares a number with a text', rule('self.size == "1"'), '.rule: Invalid value: .*: compilation failed: '],
          ['that is no yes or no', rule('self.size + 1'), '.rule: Invalid value: .*: cel expression must evaluate to a bool'],
          ['without a word', rule(''), '.rule: Required value: rule is not specified'],
          ['with an empty message', rule('true', { message: ' ' }), '.message: Invalid value: " ": message must be non-empty if specified'],
          [
            'of several lines without a message',
            rule('true\n'.repeat(2).replace('true\ntrue', 'true &&\ntrue')),
            '.message: Required value: message must be specified if rule contains line breaks',
          ],
          [
            'whose message is a number',
            rule('true', { messageExpression: '1' }),
            '.messageExpression: Invalid value: .*: messageExpression must evaluate to a string',
          ],
          [
            'that blames a field that there is not',
            rule('true', { fieldPath: '.nope' }),
            '.fieldPath: Invalid value: ".nope": fieldPath must be a valid path',
          ],
          [
            'with a reason of its own',
            rule('true', { reason: 'Bad' }),
            '.reason: Unsupported value: "Bad": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
          ],
          [
            'that needs no old value, and says how it would take it',
            rule('true', { optionalOldSelf: true }),
            '.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
          ],
        ])('cannot have one %s', async (_, wrong, why) => {
          const definition = roomWith('wrong', { size: integer }, wrong);
          const { body } = await send('POST', `${definitions}?dryRun=All`, definition);
          const at = 'spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]';
          const escaped = (text: string) => text.replace(/[.[\]]/g, '\\$&');
          expect(body).toMatchObject({ code: 422, message: expect.stringMatching(escaped(at) + why.replace('[', '\\[')) });
        });

        it('cannot compare with what an item was where nobody knows which one it was', async () => {
          const items = { ...short, ...rule('self == oldSelf') };
          const { body } = await send(
            'POST',
            `${definitions}?dryRun=All`,
            roomWith('wrong', { tags: { type: 'array', maxItems: 3, items } }),
          );
          const list = 'spec.validation.openAPIV3Schema.properties[spec].properties[tags]';
          const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${list}`;
          expect(body).toMatchObject({ code: 422, message: expect.stringContaining(why) });
        });
      });

      it('has its nulls replaced or dropped, and its choices named', async () => {
        const red: Schema = { ...text, default: 'red' };
        const fields: Record<string, Schema> = {
          free: { 'x-kubernetes-preserve-unknown-fields': true },
          note: text,
          color: red,
          colors: { type: 'array', items: red },
          ofRooms: { type: 'object', additionalProperties: red },
          level: { ...integer, enum: [1, 2] },
          share: { 'x-kubernetes-int-or-string': true, multipleOf: 2 },
          sets: { type: 'array', items: object({ a: integer }, { 'x-kubernetes-map-type': 'atomic' }), 'x-kubernetes-list-type': 'set' },
        };
        await establish(definitionOf({ plural: 'paints', kind: 'Paint' }, [version('v1', fields)]));
        const create = (name: string, spec: object) => send('POST', objects('paints'), objectOf('Paint', name, spec));
        const nulls = {
          free: null,
          note: null,
          color: null,
          colors: [null, 'blue'],
          ofRooms: { a: null },
          share: '10%',
          sets: [{ a: 1 }, { a: 2 }],
        };
        const { body } = await create('x', nulls);
        expect(body.spec).toStrictEqual({
          color: 'red',
          colors: ['red', 'blue'],
          ofRooms: { a: 'red' },
          share: '10%',
          sets: [{ a: 1 }, { a: 2 }],
        });
        expect((await create('y', { level: 3 })).body.message).toContain('spec.level: Unsupported value: 3: supported values: "1", "2"');
        // Some versions of the real one say of what type the value is, too.
        expect((await create('z', { sets: [{ a: 1 }, { a: 1 }] })).body.message).toMatch(/spec\.sets\[1]: Duplicate value: .*\{"a":1}/);
      });

      it('may not be called by one name in two ways', async () => {
        const definition = definitionOf({ plural: 'wheels', kind: 'Wheel', shortNames: ['wh'] }, [version('v1', {})]);
        await establish(definition);
        const names = { ...definition.spec.names, shortNames: ['wh', 'wheels', 'wheel'] };
        await send('PATCH', `${definitions}/wheels.${group}`, { spec: { names } }, merge);
        const accepted = async () => {
          const { body } = await get(`${definitions}/wheels.${group}`);
          return body.status.conditions.find(({ type }: { type: string }) => type === 'NamesAccepted');
        };
        const condition = await eventually('the names are refused', async () => {
          const found = await accepted();
          return found.status === 'False' && found;
        });
        expect([condition.reason, condition.message]).toEqual([
          'ShortNamesConflict',
          '["wheels" is already in use, "wheel" is already in use]',
        ]);
      });

      it('takes its objects with it when it goes, ends their watches, and waits for those that are held', async () => {
        const definition = definitionOf({ plural: 'leaves', kind: 'Leaf' }, [version('v1', {})]);
        await establish(definition);
        const free = objectOf('Leaf', 'free', {});
        const held = objectOf('Leaf', 'held', {});
        await send('POST', objects('leaves'), free);
        await send('POST', objects('leaves'), { ...held, metadata: { name: 'held', finalizers: ['example.com/hold'] } });
        const watching = await api().watch(`/apis/${group}/v1/leaves?watch=true`);
        const { body: marked } = await send('DELETE', `${definitions}/leaves.${group}`);
        expect(marked.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
        await watching.until('free is gone', ({ type, object }) => type === 'DELETED' && object.metadata.name === 'free');
        const { code, body } = await send('POST', objects('leaves'), objectOf('Leaf', 'late', {}));
        expect([code, body.message]).toEqual([405, 'create not allowed while custom resource definition is terminating']);
        expect((await get(`${definitions}/leaves.${group}`)).body.status.conditions).toContainEqual(
          expect.objectContaining({ type: 'Terminating', status: 'True' }),
        );
        await send('PATCH', objects('leaves', 'held'), { metadata: { finalizers: null } }, merge);
        const events = await watching.end(15_000);
        expect(events.at(-1)).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'held' } } });
        await eventually('the definition is gone', async () => (await get(`${definitions}/leaves.${group}`)).code === 404);
        await eventually('the kind is gone', async () => (await get(`/apis/${group}/v1/leaves`)).code === 404);
      });

      it('has a schema, and nothing that only stands where one should', async () => {
        const rule = (value: unknown) => ({ type: 'object', 'x-kubernetes-validations': value });
        const ofSpec: unknown[] = [5, { type: 5 }, { type: 'string', pattern: 5 }, { type: 'object', properties: 5 }];
        ofSpec.push(
          { type: 'object', properties: { size: 'a' } },
          { type: 'object', additionalProperties: 5 },
          { type: 'object', allOf: 5 },
        );
        ofSpec.push({ type: 'object', required: [5] }, rule({}), rule(['a']), rule([{ rule: 5 }]), rule([{ rule: 'true', message: 5 }]));
        for (const schema of ofSpec) {
          const v1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: object({ spec: schema as Schema }) } };
          const { code } = await send('POST', `${definitions}?dryRun=All`, definitionOf({ plural: 'bad', kind: 'Bad' }, [v1]));
          expect({ schema, isRefused: code === 400 || code === 422 }).toEqual({ schema, isRefused: true });
        }
      });

      it.each<[string, object, string]>([
        ['with another name than its own', { metadata: { name: `other.${group}` } }, 'metadata.name: Invalid value'],
        [
          'whose spec has two versions to store',
          { versions: [version('v1', {}), version('v2', {})] },
          'must have exactly one version marked as storage version',
        ],
        ['without a schema', { versions: [{ name: 'v1', served: true, storage: true }] }, 'Required value: schemas are required'],
        [
          'whose schema has a field without a type',
          { versions: [version('v1', { size: { description: 'of no type' } })] },
          'spec.validation.openAPIV3Schema.properties[spec].properties[size].type: Required value: must not be empty for specified object fields',
        ],
        ['that preserves what it does not know', { preserveUnknownFields: true }, 'spec.preserveUnknownFields: Invalid value: true'],
      ])('is refused %s', async (_, { metadata, ...spec }: { metadata?: object }, message) => {
        const definition = definitionOf({ plural: 'bad', kind: 'Bad' }, [version('v1', {})], spec);
        const { body } = await send('POST', definitions, metadata ? { ...definition, metadata } : definition);
        expect(body).toMatchObject({ code: 422, message: expect.stringContaining(message) });
      });
    });
  }));
