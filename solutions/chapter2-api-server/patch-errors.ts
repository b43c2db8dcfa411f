// The two ways in which a patch can be wrong.

import { ApiError, failure } from '#kit/status';

/** The patch is not of its language at all. */
export function badPatch(message: string): ApiError {
  return new ApiError(failure(400, 'BadRequest', message));
}

/** The patch is well-formed, but not for this object. */
export function unprocessable(message: string): ApiError {
  const causes = [{ reason: 'UnexpectedServerResponse', message }];
  return new ApiError(failure(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`, { causes }));
}
