// The cluster's DNS server: a Service's name becomes its address. It answers for the cluster's domain from what the API server
// says now, and passes every other question on to the upstream servers. Pods find it through the `nameserver` that the kubelet gives them.
// Kubernetes: the CoreDNS add-on with its kubernetes and forward plugins

import type { Answer, Question as WireQuestion } from 'dns-packet';
import * as dns from 'dns-packet';
import { Informer } from '#controller-manager/informer';
import { EndpointSlices, Services } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext, ListenAddress, RunningComponent } from '#kit/component';
import { answerFromCluster, type ClusterNames, type Reply } from './dns-records.ts';
import { openDnsSockets } from './dns-sockets.ts';
import { type Transport, Upstream } from './dns-upstream.ts';
import { type Query, type Response, type ResponseCode, readQuery, refusal, responseCodes, truncated, writeResponse } from './dns-wire.ts';
import { serviceNameLabel } from './endpoints.ts';

export interface DnsOptions extends ComponentContext {
  client: Client;
  /** `cluster.local` */
  clusterDomain: string;
  /** For UDP and TCP; port 0 asks for one that is free for both. */
  listen: ListenAddress;
  /** Servers for all other names, as `address` or `address:port`. None: only the cluster's names are known. */
  upstreams: string[];
}

/** An alias of an alias of an alias: somebody is leading us in a circle. */
const longestAliasChain = 8;

/** The URL is `dns://host:port`. */
export async function startDns({ client, clusterDomain, listen, upstreams, ...context }: DnsOptions): Promise<RunningComponent> {
  const domain = clusterDomain.toLowerCase();
  const services = new Informer(client, Services, context, {
    indexes: {
      ip: ({ spec }) => spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []),
      namespace: ({ metadata }) => [metadata?.namespace ?? ''],
    },
  });
  const slices = new Informer(client, EndpointSlices, context, {
    indexes: { service: ({ metadata }) => [`${metadata?.namespace}/${metadata?.labels?.[serviceNameLabel]}`] },
  });
  const cluster: ClusterNames = {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    endpointSlices: (namespace, serviceName) => slices.byIndex('service', `${namespace}/${serviceName}`),
    serviceWithClusterIp: (ip) => services.byIndex('ip', ip)[0],
    hasServices: (namespace) => services.byIndex('namespace', namespace).length > 0,
  };
  const upstream = new Upstream(upstreams, context);

  /** Follows an alias to the addresses behind it: most clients ask once and take what they get. */
  const followAlias = async (query: Query, reply: Reply, transport: Transport): Promise<Response> => {
    const answers = [...reply.answers];
    for (let links = 0; links < longestAliasChain; links++) {
      const last = answers.at(-1);
      if (last?.type !== 'CNAME' || ['CNAME', 'ANY'].includes(query.question.type)) return { ...reply, authoritative: true, answers };
      const question = { ...query.question, name: last.data };
      const inside = answerFromCluster(question, domain, cluster);
      const { code, found } = inside ? { code: inside.code, found: inside.answers } : await askUpstream(query, question, transport);
      answers.push(...found);
      if (!inside || found.length === 0) return { code, authoritative: true, answers };
    }
    return { code: 'SERVFAIL', authoritative: false };
  };

  const askUpstream = async (query: Query, question: Query['question'], transport: Transport) => {
    const message = dns.encode({ type: 'query', id: query.id, flags: dns.RECURSION_DESIRED, questions: [question as WireQuestion] });
    const answer = await upstream.ask(message, transport);
    return answer ? readAnswer(answer) : { code: 'SERVFAIL' as const, found: [] };
  };

  const respond = async (message: Buffer, transport: Transport): Promise<Buffer | undefined> => {
    try {
      const query = readQuery(message);
      if (query === 'ignore') return undefined;
      if (typeof query === 'string') return refusal(message, query);
      const reply = query.question.class === 'IN' ? answerFromCluster(query.question, domain, cluster) : undefined;
      if (!reply) return (await upstream.ask(message, transport)) ?? writeResponse(query, { code: 'SERVFAIL', authoritative: false });
      const shuffled = { ...reply, answers: rotate(reply.answers, context.random()) };
      const response = writeResponse(query, await followAlias(query, shuffled, transport));
      return transport === 'udp' ? truncated(query, response) : response;
    } catch (error) {
      context.log.error('a question could not be answered', { error });
      return refusal(message, 'SERVFAIL');
    }
  };

  await Promise.all([services.start(), slices.start()]);
  const sockets = await openDnsSockets(listen, respond, context).catch(async (error) => {
    await Promise.all([services.stop(), slices.stop()]);
    throw error;
  });
  return {
    url: `dns://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${sockets.port}`,
    stop: async () => {
      upstream.stop();
      await sockets.close();
      await Promise.all([services.stop(), slices.stop()]);
    },
  };
}

/** Clients take the first address: each gets another one first. */
function rotate<T>(list: T[], random: number): T[] {
  const start = Math.floor(random * list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

function readAnswer(message: Buffer): { code: ResponseCode; found: Answer[] } {
  const { answers = [] } = dns.decode(message);
  const code = message.readUInt8(3) & 0xf;
  return { code: code === responseCodes.NXDOMAIN ? 'NXDOMAIN' : 'NOERROR', found: answers };
}
