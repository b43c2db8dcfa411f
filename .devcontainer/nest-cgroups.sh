#!/usr/bin/env bash
# Docker inside a container needs to give its own containers cgroups with limits. cgroup v2 allows that only in a group that
# holds no processes itself: so those of this container move into a group of their own. Doing it twice is fine.
set -euo pipefail
top=/sys/fs/cgroup
[ -e "$top/cgroup.controllers" ] || exit 0
mkdir -p "$top/init"
for _ in $(seq 20); do
  # A process that ends meanwhile can't be moved; one that is born meanwhile is moved in the next round.
  while read -r pid; do echo "$pid" >"$top/init/cgroup.procs" 2>/dev/null || true; done <"$top/cgroup.procs"
  if sed 's/[^ ]*/+&/g' "$top/cgroup.controllers" >"$top/cgroup.subtree_control" 2>/dev/null; then exit 0; fi
done
echo "cgroups can't be nested here: restart the container, and see that it is privileged" >&2
exit 1
