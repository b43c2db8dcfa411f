// npm run openapi: writes solutions/chapter2-api-server/generated/schemas.json, the OpenAPI schemas of every kind that the API
// serves. Names and types of fields come from the declarations of the package `kubernetes-types`; how lists are merged comes
// from the API server's own merge-keys.ts. Run it when either changes. What fields mean is not written down here: the server
// reads that from the package when it is asked (schema-descriptions.ts).

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listStrategy, retainsKeys } from '#api-server/merge-keys';
import { resources } from '#api-server/resources';

type Schema = Record<string, unknown> & { properties?: Record<string, Schema> };

/** Kinds that are served without being stored. */
const alsoServed = [
  { module: 'autoscaling/v1', name: 'Scale' },
  { module: 'policy/v1', name: 'Eviction' },
  { module: 'core/v1', name: 'Binding' },
  { module: 'authentication/v1', name: 'TokenRequest' },
  { module: 'meta/v1', name: 'Status' },
  { module: 'meta/v1', name: 'DeleteOptions' },
];
/** What a custom kind's schema may say is checked where it is read: custom/structural.ts. Here it has no fields of its own. */
const schemaOfSchemas = 'JSONSchemaProps';
/** Fields that the package lost, for the comments above them hold what ends a comment: a star and a slash. */
const lostInRules = { resources: { type: 'array', items: { type: 'string' } }, scope: { type: 'string' } };
const lostFields: Record<string, Record<string, Schema>> = {
  RuleWithOperations: lostInRules,
  NamedRuleWithOperations: lostInRules,
};
const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const declarations = join('node_modules', 'kubernetes-types');
const output = join('solutions', 'chapter2-api-server', 'generated', 'schemas.json');

/** A type, and the field of its parent that it was found in: `''` for a whole object. */
interface Found {
  module: string;
  name: string;
  parent: string;
}

class Generator {
  readonly schemas: Record<string, Schema> = {
    [intOrString]: {
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    },
  };
  readonly #files = new Map<string, ts.SourceFile>();
  readonly #seen = new Set<string>();
  readonly #queue: Found[];

  constructor(roots: Found[]) {
    this.#queue = roots;
  }

  run(): void {
    for (let found = this.#queue.shift(); found; found = this.#queue.shift()) {
      const key = `${found.module} ${found.name} ${found.parent}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#visit(found);
    }
  }

  /** A type that is found in several places is described once; each place may add how its lists are merged. */
  #visit({ module, name, parent }: Found): void {
    if (name === schemaOfSchemas) {
      this.schemas[definitionName(module, name)] = { type: 'object' };
      return;
    }
    const declaration = this.#declaration(module, name);
    const definition = definitionName(module, name);
    if (ts.isTypeAliasDeclaration(declaration)) {
      const time = name === 'Time' || name === 'MicroTime' ? { format: 'date-time' } : {};
      this.schemas[definition] = { type: 'string', ...time };
      return;
    }
    const schema: Schema = this.schemas[definition] ?? { type: 'object' };
    this.schemas[definition] = schema;
    const required: string[] = [];
    const literals: Record<string, string> = {};
    for (const member of declaration.members) {
      if (!ts.isPropertySignature(member) || !member.type) continue;
      const field = (member.name as ts.Identifier | ts.StringLiteral).text;
      if (!member.questionToken) required.push(field);
      if (ts.isLiteralTypeNode(member.type) && ts.isStringLiteral(member.type.literal)) literals[field] = member.type.literal.text;
      schema.properties ??= {};
      schema.properties[field] = {
        ...schema.properties[field],
        ...this.#typeOf(member.type, module, field),
        ...mergeRules(parent, field, member.type),
      };
    }
    Object.assign(schema.properties ?? {}, lostFields[name]);
    if (required.length > 0) schema.required = required;
    if (literals.kind && literals.apiVersion) {
      const [version, group = ''] = literals.apiVersion.split('/').reverse();
      schema['x-kubernetes-group-version-kind'] = [{ group, version, kind: literals.kind }];
    }
  }

  #typeOf(type: ts.TypeNode, module: string, field: string): Schema {
    if (ts.isUnionTypeNode(type)) return { allOf: [{ $ref: reference(intOrString) }] };
    if (ts.isLiteralTypeNode(type) || type.kind === ts.SyntaxKind.StringKeyword) return { type: 'string' };
    if (type.kind === ts.SyntaxKind.NumberKeyword) return { type: 'integer', format: 'int64' };
    if (type.kind === ts.SyntaxKind.BooleanKeyword) return { type: 'boolean' };
    if (ts.isArrayTypeNode(type)) return { type: 'array', items: this.#typeOf(type.elementType, module, field) };
    if (ts.isTypeLiteralNode(type)) {
      const [member] = type.members;
      if (!member || !ts.isIndexSignatureDeclaration(member)) return { type: 'object' };
      return { type: 'object', additionalProperties: this.#typeOf(member.type, module, field) };
    }
    if (!ts.isTypeReferenceNode(type)) throw new Error(`${module}: what is ${type.getText()} (${field})?`);
    const name = type.typeName.getText();
    const [argument] = type.typeArguments ?? [];
    if (name === 'Array' && argument) return { type: 'array', items: this.#typeOf(argument, module, field) };
    const target = { ...this.#resolve(module, name), parent: field };
    this.#queue.push(target);
    return { allOf: [{ $ref: reference(definitionName(target.module, target.name)) }] };
  }

  /** Where a name that is used in a module is declared. */
  #resolve(module: string, name: string): { module: string; name: string } {
    for (const statement of this.#file(module).statements) {
      if (!ts.isImportDeclaration(statement)) continue;
      const bindings = statement.importClause?.namedBindings;
      const imported = bindings && ts.isNamedImports(bindings) && bindings.elements.some((element) => element.name.text === name);
      if (imported) return { module: join(module, '..', (statement.moduleSpecifier as ts.StringLiteral).text), name };
    }
    return { module, name };
  }

  #declaration(module: string, name: string): ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
    for (const statement of this.#file(module).statements) {
      if ((ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) && statement.name.text === name) return statement;
    }
    throw new Error(`${module} declares no ${name}`);
  }

  #file(module: string): ts.SourceFile {
    const known = this.#files.get(module);
    if (known) return known;
    const path = join(declarations, `${module}.d.ts`);
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    this.#files.set(module, file);
    return file;
  }
}

function mergeRules(parent: string, field: string, type: ts.TypeNode): Schema {
  const isList = ts.isArrayTypeNode(type) || (ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Array');
  const strategy = isList ? listStrategy(parent, field) : 'atomic';
  const words = [...(strategy === 'atomic' ? [] : ['merge']), ...(retainsKeys(parent, field) ? ['retainKeys'] : [])];
  return {
    ...(words.length > 0 ? { 'x-kubernetes-patch-strategy': words.join(',') } : {}),
    ...(typeof strategy === 'object' ? { 'x-kubernetes-patch-merge-key': strategy.mergeKey } : {}),
  };
}

/** `core/v1`, `Pod` → `io.k8s.api.core.v1.Pod` */
function definitionName(module: string, name: string): string {
  const path = module.replaceAll('\\', '/').replaceAll('/', '.');
  if (path === 'runtime') return `io.k8s.apimachinery.pkg.runtime.${name}`;
  if (path === 'api.resource') return `io.k8s.apimachinery.pkg.api.resource.${name}`;
  return path.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${path}.${name}` : `io.k8s.api.${path}.${name}`;
}

function reference(definition: string): string {
  return `#/components/schemas/${definition}`;
}

function moduleOf({ group, version }: { group: string; version: string }): string {
  return `${group === '' ? 'core' : group.split('.')[0]}/${version}`;
}

const stored = resources.flatMap((resource) =>
  [resource.kind, `${resource.kind}List`].map((name) => ({ module: moduleOf(resource), name, parent: '' })),
);
const generator = new Generator([...stored, ...alsoServed.map((kind) => ({ ...kind, parent: '' }))]);
generator.run();
const sorted = Object.fromEntries(Object.entries(generator.schemas).sort(([one], [other]) => (one < other ? -1 : 1)));
// One schema a line: small, and a change shows as the lines of the kinds that changed.
const lines = Object.entries(sorted).map(([name, schema]) => `${JSON.stringify(name)}: ${JSON.stringify(schema)}`);
writeFileSync(output, `{\n${lines.join(',\n')}\n}\n`);
console.log(`${output}: ${lines.length} schemas`);
