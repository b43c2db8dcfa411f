// The Node object: what the cluster knows of this machine. Pure.
// Kubernetes: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go

import type { NodeCondition, NodeStatus } from 'kubernetes-types/core/v1';
import type { Node } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { rfc3339 } from './container-status.ts';
import type { Machine } from './runtime.ts';

export interface NodeIdentity {
  name: string;
  ip: string;
  /** The node's share of the pods' addresses: `10.244.1.0/24` */
  podCidr: string;
  /** Where the kubelet's HTTPS API listens. */
  port: number;
}

/** What the kubelet found when it looked at the machine: what it has, or why it can't run pods. */
export type Observation = { machine: Machine } | { problem: string; machine?: Machine };

export const kubeletVersion = 'v1.32.0';
export const podsPerNode = 110;

/** Below these a node is under pressure, and that memory is not given to pods. Kubernetes: pkg/kubelet/eviction/defaults_linux.go */
const memoryReserveBytes = 100 * 2 ** 20;
/** 10 % in Kubernetes; too much to ask of a learner's laptop. */
const diskReserve = 0.01;

/**
 * The Node to create: its name, the labels `kubernetes.io/hostname` (the name), `kubernetes.io/os` (linux) and `kubernetes.io/arch`, and in its spec
 * `podCIDR` and `podCIDRs`. No status: that has its own door.
 */
export function newNode({ name, podCidr }: NodeIdentity, architecture: string): Node {
  throw new NotImplemented('5.1', "Describe the node: name, labels, and its share of the pods' addresses");
}

/**
 * The node's status. Addresses: InternalIP, Hostname (the name), InternalDNS `localhost` (where this kubelet's API really listens: all nodes live on
 * one machine). Capacity: cpu (cores), memory and ephemeral-storage (bytes, in whole Ki: `Ki`), pods; allocatable: the same less what is
 * kept back (`allocatableOf`). Conditions, `daemonEndpoints.kubeletEndpoint.Port`, and nodeInfo. While the machine is unknown, capacity, allocatable and
 * nodeInfo stay as they were in `previous`. `now`: milliseconds since the epoch.
 */
export function nodeStatus(identity: NodeIdentity, observation: Observation, previous: NodeStatus, now: number): NodeStatus {
  throw new NotImplemented('5.1', 'Say where the node is, what it has, how it is, and what it runs');
}

/**
 * MemoryPressure, DiskPressure, PIDPressure and Ready, in this order (texts: `conditionTexts`). MemoryPressure is True below `memoryReserveBytes` of available memory, DiskPressure below
 * `diskReserve` of the disk (both False while the machine is unknown); PIDPressure is False; Ready is True when the observation has no problem, else False
 * with the reason KubeletNotReady and the problem as its message. `lastHeartbeatTime` is now; `lastTransitionTime` is now only when the status differs
 * from the one in `previous`. Conditions that others set are kept.
 */
export function nodeConditions(observation: Observation, previous: NodeCondition[], now: number): NodeCondition[] {
  throw new NotImplemented('5.1', 'Give the four conditions, with a new transition time only when the truth changed');
}

type ConditionType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure' | 'Ready';

/** Reason and message when the condition is False and when it is True. */
const conditionTexts: Record<ConditionType, { False: [string, string]; True: [string, string] }> = {
  MemoryPressure: {
    False: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    True: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
  },
  DiskPressure: {
    False: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    True: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
  },
  PIDPressure: {
    False: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    True: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
  },
  Ready: {
    False: ['KubeletNotReady', 'kubelet is not ready'],
    True: ['KubeletReady', 'kubelet is posting ready status'],
  },
};

function condition(type: ConditionType, holds: boolean, text?: string): Omit<NodeCondition, 'lastHeartbeatTime' | 'lastTransitionTime'> {
  const status = holds ? 'True' : 'False';
  const [reason, message] = conditionTexts[type][status];
  return { type, status, reason, message: text ?? message };
}

function capacityOf({ cpus, memoryBytes, diskBytes }: Machine) {
  return { cpu: String(cpus), memory: kibibytes(memoryBytes), 'ephemeral-storage': kibibytes(diskBytes), pods: String(podsPerNode) };
}

/** What pods may ask for: memory and disk that keep the node from pressure are kept back. */
export function allocatableOf(machine: Machine) {
  const { memoryBytes, diskBytes } = machine;
  const free = { memory: kibibytes(memoryBytes - memoryReserveBytes), 'ephemeral-storage': kibibytes(diskBytes * (1 - diskReserve)) };
  return { ...capacityOf(machine), ...free };
}

function nodeInfoOf({ kernelVersion, osImage, architecture, containerRuntimeVersion, machineId }: Machine) {
  return {
    machineID: machineId,
    systemUUID: machineId,
    bootID: machineId,
    kernelVersion,
    osImage,
    architecture,
    operatingSystem: 'linux',
    containerRuntimeVersion,
    kubeletVersion,
    kubeProxyVersion: kubeletVersion,
  };
}

function kibibytes(bytes: number): string {
  return `${Math.max(0, Math.floor(bytes / 1024))}Ki`;
}
