// Content negotiation: what form the client wants its answer in. kubectl asks for tables, which the server draws, so that it
// needs to know no kind; a garbage collector asks for metadata only.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation

import { stringify } from 'yaml';
import { notAcceptable } from './errors.ts';

export type Form = 'Object' | 'Table' | 'PartialObjectMetadata';
export interface Representation {
  form: Form;
  contentType: 'application/json' | 'application/yaml';
}

const asObject: Representation = { form: 'Object', contentType: 'application/json' };
const parsed = new Map<string, Representation>();
const rememberAtMost = 200;

/** The first of the accepted forms that the server has; throws NotAcceptable when it has none. */
export function negotiate(accept: string | undefined): Representation {
  if (!accept) return asObject;
  const known = parsed.get(accept);
  if (known) return known;
  const found = accept
    .split(',')
    .map(readMediaRange)
    .find((range) => range !== undefined);
  if (!found) throw notAcceptable(['application/json', 'application/yaml']);
  if (parsed.size < rememberAtMost) parsed.set(accept, found);
  return found;
}

function readMediaRange(range: string): Representation | undefined {
  const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const contentType = type === 'application/yaml' ? type : 'application/json';
  if (!['application/json', 'application/yaml', '*/*', 'application/*'].includes(type ?? '')) return undefined;
  const { as, g, v } = Object.fromEntries(parameters.map((parameter) => parameter.split('=')));
  if (as === undefined) return { form: 'Object', contentType };
  if (g !== 'meta.k8s.io' || v !== 'v1') return undefined;
  if (as === 'table') return { form: 'Table', contentType };
  if (as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist') return { form: 'PartialObjectMetadata', contentType };
  return undefined;
}

export function serialize(body: object, contentType: string): string {
  return contentType === 'application/yaml' ? stringify(body) : `${JSON.stringify(body)}\n`;
}
