// What Docker's API client throws: an HTTP code and the engine's message in a frame of the client's own.

/** The HTTP code, when the engine answered. */
export function codeOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}

/** The engine's own words, without the client's frame around them. */
export function inDockersWords(error: unknown): Error {
  const { json } = error as { json?: { message?: string } };
  const framed = error instanceof Error ? error.message : String(error);
  return new Error(json?.message ?? framed.replace(/^\(HTTP code \d+\) .*? - /, '').trim(), { cause: error });
}

/** For `catch`: these codes are no failure. */
export function unlessCode(...codes: number[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? 0)) throw inDockersWords(error);
  };
}
