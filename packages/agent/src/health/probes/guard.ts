/**
 * A command for an instance's shell that leaves nothing running when it is sent SIGTERM: LXD passes a signal on to one process, and
 * kills no other. Needs no more than `/bin/sh` (busybox's will do) and `/proc`.
 *
 * The command's children are killed one by one, each stopped before so that it makes no more; and then, where there is `setsid`, what is
 * left of the session in which it ran. The process group of this shell itself must not be killed: it is LXD's own.
 */
export function guarded(command: string): string[] {
  return ["/bin/sh", "-c", GUARD, "trivet", command];
}

const GUARD = `
end() {
  kill -STOP "$1"
  children=
  read -r children <"/proc/$1/task/$1/children"
  for child in $children; do end "$child"; done
  kill -KILL "$1"
}
trap '[ -z "$!" ] || { end "$!"; kill -KILL "-$!"; } 2>/dev/null; exit 143' TERM
session=
command -v setsid >/dev/null && session=setsid
$session /bin/sh -c "$1" &
wait "$!"
`;
