// How Node.js keeps its heap, a component. V8 trades memory for time: by default new objects have up to 96 MB to die in, and the heap may
// become several times what lives in it before it is cleaned up. That pays for programs whose garbage is large. Measurements of a component
// must start it with the same flags.

/**
 * etcd's garbage is small and dies young, and what lives, lives long: with these flags it takes half the memory, and a put costs 5 % more time
 * (`npm run bench -- etcd`).
 */
export const memoryFlags: Record<string, readonly string[]> = {
  etcd: ['--max-semi-space-size=4', '--heap-growing-percent=30'],
};
