// The audit log: who asked for what, when, and what became of it, one line of JSON for each stage of a request. How much is written down is
// up to the policy. Of who could not prove who they are, there is one line: that they were turned away.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/audit, pkg/endpoints/filters/audit.go and authn_audit.go

import type { IncomingMessage } from 'node:http';
import { type Clock, microTimestamp, type Random } from '#kit/clock';
import { ApiError, type Status } from '#kit/status';
import { type Action, isPathAction } from '../access/actions.ts';
import type { User } from '../access/users.ts';
import { bodyRead, mediaTypeOf, parseBody } from '../body.ts';
import { isObject } from '../json.ts';
import { uuid } from '../object-meta.ts';
import { type AuditDecision, type AuditPolicy, type AuditStage, decide } from './policy.ts';

export interface AuditOptions {
  policy: AuditPolicy;
  /** Takes one line, without its end. */
  write(line: string): void;
}

export interface AuditedRequest {
  message: IncomingMessage;
  action: Action;
  /** Who asks; undefined: nobody knows. */
  user: User | undefined;
  /** As whom, where that is somebody else. */
  impersonated?: User | undefined;
}

export class Audit {
  readonly #options: AuditOptions;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: AuditOptions, { clock, random }: { clock: Clock; random: Random }) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** A request whose author is known; undefined when nothing is to be written of it. */
  begin(request: AuditedRequest & { user: User }): AuditTrail | undefined {
    const trail = this.#trailOf(request);
    trail?.received();
    return trail;
  }

  /** A request whose author could not prove who they are. */
  turnedAway(request: Pick<AuditedRequest, 'message' | 'action'>, status: Status): void {
    this.#trailOf({ ...request, user: undefined })?.turnedAway(status);
  }

  #trailOf(request: AuditedRequest): AuditTrail | undefined {
    const { policy, write } = this.#options;
    const decision = decide(policy, request.user, request.action);
    if (decision.level === 'None') return undefined;
    return new AuditTrail(request, decision, uuid(this.#random), write, this.#clock);
  }
}

export class AuditTrail {
  readonly #request: AuditedRequest;
  readonly #decision: AuditDecision;
  readonly #id: string;
  readonly #write: (line: string) => void;
  readonly #clock: Clock;
  readonly #received: string;
  #isAllowed = false;
  readonly #annotations: Record<string, string> = {};
  #answer: object | string | undefined;

  constructor(request: AuditedRequest, decision: AuditDecision, id: string, write: (line: string) => void, clock: Clock) {
    this.#request = request;
    this.#decision = decision;
    this.#id = id;
    this.#write = write;
    this.#clock = clock;
    this.#received = microTimestamp(clock);
  }

  received(): void {
    this.#tell('RequestReceived', {});
  }

  /** Nobody has asked whether they may, and nobody has read what they sent. */
  turnedAway(status: Status): void {
    this.answered(status);
    this.#tell('ResponseStarted', { responseStatus: failureOf(status), ...this.#response() });
  }

  allowed(): void {
    this.#isAllowed = true;
  }

  /** What somebody wants to be known of it. The first to use a key is the one who is heard. */
  annotate(key: string, value: string): void {
    this.#annotations[key] ??= value;
  }

  /** What the client is answered; of a stream there is no such thing. */
  answered(body: object | string): void {
    this.#answer = body;
  }

  /** Of what goes on for long: the client hears something from now on. */
  started(code: number): void {
    this.#tell('ResponseStarted', this.#outcome(code));
  }

  completed(code: number): void {
    const { level } = this.#decision;
    const sent = level === 'Request' || level === 'RequestResponse' ? this.#requestObject() : undefined;
    this.#tell('ResponseComplete', { ...this.#outcome(code), ...(sent ? { requestObject: sent } : {}), ...this.#response() });
  }

  /** Where the policy wants it, and it is an object. */
  #response(): { responseObject?: object } {
    if (this.#decision.level !== 'RequestResponse') return {};
    const answer = Buffer.isBuffer(this.#answer) ? (JSON.parse(this.#answer.toString()) as object) : this.#answer;
    return isObject(answer) ? { responseObject: answer } : {};
  }

  #outcome(code: number): object {
    const answer = this.#answer as Partial<Status> | undefined;
    const responseStatus = answer?.kind === 'Status' && answer.status === 'Failure' ? failureOf(answer) : { metadata: {}, code };
    return { responseStatus, annotations: { 'authorization.k8s.io/decision': this.#isAllowed ? 'allow' : 'forbid', ...this.#annotations } };
  }

  /** undefined for what nobody could read: its author was told so. */
  #requestObject(): unknown {
    const { message } = this.#request;
    const body = bodyRead(message);
    try {
      return body && parseBody(body, patchedType(mediaTypeOf(message)), 'audit');
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  #tell(stage: AuditStage, more: object): void {
    const { level, omitStages } = this.#decision;
    if (omitStages.includes(stage)) return;
    const { message, action, user, impersonated } = this.#request;
    const event = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: this.#id,
      stage,
      requestURI: message.url,
      verb: action.verb,
      user: user ? person(user) : {},
      ...(impersonated ? { impersonatedUser: person(impersonated) } : {}),
      sourceIPs: [(message.socket.remoteAddress ?? '').replace(/^::ffff:/, '')],
      userAgent: message.headers['user-agent'] ?? '',
      ...(isPathAction(action) ? {} : { objectRef: this.#objectRef() }),
      requestReceivedTimestamp: this.#received,
      stageTimestamp: microTimestamp(this.#clock),
      ...more,
    };
    this.#write(JSON.stringify(event));
  }

  #objectRef(): object {
    const { action } = this.#request;
    if (isPathAction(action)) return {};
    const { group, version, resource, subresource, namespace } = action;
    const made = isObject(this.#answer) ? (this.#answer.metadata as { name?: string } | undefined)?.name : undefined;
    const name = action.name || made;
    return {
      resource,
      ...(namespace ? { namespace } : {}),
      ...(name ? { name } : {}),
      ...(group ? { apiGroup: group } : {}),
      apiVersion: version,
      ...(subresource ? { subresource } : {}),
    };
  }
}

function person({ name, uid, groups, extra }: User): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) };
}

function failureOf({ status, message, reason, details, code }: Partial<Status>): object {
  return { metadata: {}, status, message, reason, details, code };
}

/** Every kind of patch is JSON but one. */
function patchedType(mediaType: string): string {
  if (!/^application\/[\w-]+patch\+\w+$/.test(mediaType)) return mediaType;
  return mediaType.endsWith('+yaml') ? 'application/yaml' : 'application/json';
}
