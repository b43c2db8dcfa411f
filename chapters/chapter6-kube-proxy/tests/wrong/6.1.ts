// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are code

import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: "connects to the Service's port",
    misunderstanding: 'The pods listen on the port that clients use.',
    file: 'endpoints.ts',
    replace: 'const endpoint = { ip, port: slicePort.port,',
    by: 'const endpoint = { ip, port: port.port,',
    caughtBy: 'are the addresses of its slice with the port that the slice gives, not the one of the Service',
  },
  {
    name: 'reads one slice',
    misunderstanding: 'A Service has one EndpointSlice, as it had one Endpoints object.',
    file: 'endpoints.ts',
    replace: 'for (const slice of slices) {',
    by: 'for (const slice of slices.slice(0, 1)) {',
    caughtBy: 'come from all slices of the Service',
  },
  {
    name: 'takes the first port of the slice',
    misunderstanding: 'The ports of a slice are in the order of the ports of the Service.',
    file: 'endpoints.ts',
    replace: "({ name, protocol }) => (name ?? '') === port.portName && protocolOf(protocol) === port.protocol",
    by: '({ protocol }) => protocolOf(protocol) === port.protocol',
    caughtBy: 'are those of the slice port with the same name',
  },
  {
    name: 'takes what is not said for no',
    misunderstanding: 'A condition that is absent is false.',
    file: 'endpoints.ts',
    replace: 'conditions?.ready ?? true',
    by: 'conditions?.ready ?? false',
    caughtBy: 'one without conditions: what is not said counts as ready',
  },
  {
    name: 'sends connections to every endpoint',
    misunderstanding: 'What an EndpointSlice lists is ready.',
    file: 'endpoints.ts',
    replace: 'endpoints.filter((endpoint) => endpoint.ready)',
    by: 'endpoints.slice()',
    caughtBy: 'the ready ones, and no other',
  },
  {
    name: 'falls back to everything',
    misunderstanding: 'Any endpoint is better than none.',
    file: 'endpoints.ts',
    replace: 'endpoints.filter(({ serving, terminating }) => serving && terminating)',
    by: 'endpoints.filter(({ serving }) => serving)',
    caughtBy: 'none, when none is ready and none is stopping: a pod that has not started yet would not answer',
  },
  {
    name: "looks at the Service's name alone",
    misunderstanding: "A Service's name is unique in the cluster.",
    file: 'plan.ts',
    replace: '`${slice.metadata?.namespace}/${slice.metadata?.labels?.[serviceNameLabel]}`',
    by: '`default/${slice.metadata?.labels?.[serviceNameLabel]}`',
    caughtBy: 'are told apart by namespace, not by the name of the Service alone',
  },
  {
    name: 'makes rules for headless Services',
    misunderstanding: 'Every Service that has a clusterIP field has an address.',
    file: 'service-ports.ts',
    replace: '!isIPv4(clusterIp)',
    by: "clusterIp === ''",
    caughtBy: 'no headless Service: its clients find the pods by DNS',
  },
  {
    name: 'writes the hash in hexadecimal',
    misunderstanding: 'Any hash will do: who reads the names?',
    file: 'chain-names.ts',
    replace: "base32(createHash('sha256').update(text).digest()).slice(0, 16)",
    by: "createHash('sha256').update(text).digest('hex').slice(0, 16).toUpperCase()",
    caughtBy: "is the real kube-proxy's: the hash of ns1/svc1:p80 and tcp is XPGD46QRK7WJZT7O",
  },
];
