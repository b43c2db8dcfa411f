export function answerOpenApi(_path: string): { body: object } | undefined {
  return undefined;
}
