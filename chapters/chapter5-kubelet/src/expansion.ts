// `$(VAR)` in a container's command, args and environment. It is not a shell's: only this one form, never nested, and what is
// not known stays as it was written.
// Kubernetes: third_party/forked/golang/expansion/expand.go

import { NotImplemented } from '#kit/not-implemented';

/**
 * Replaces every `$(NAME)` whose NAME `variables` has by its value. An unknown one stays as it is. `$$` stands for one `$`, so
 * `$$(NAME)` gives the text `$(NAME)`. A value that was put in is not looked at again.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  throw new NotImplemented('5.2', "Replace $(NAME) by the variable's value, once, leaving unknown names and honouring $$");
}
