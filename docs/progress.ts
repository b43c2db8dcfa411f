// What the watch loop has written down about the learner's stages (.kubekata/progress.json), as the site needs it.

/** Ids of the stages whose tests are all green. A file that is just being written has none. */
export function greenStages(text: string): string[] {
  try {
    const { stages = {} } = JSON.parse(text) as { stages?: Record<string, { passed?: number; total?: number }> };
    return Object.keys(stages).filter((id) => (stages[id]?.total ?? 0) > 0 && stages[id]?.passed === stages[id]?.total);
  } catch {
    return [];
  }
}
