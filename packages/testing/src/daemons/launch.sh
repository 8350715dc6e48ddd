#!/bin/sh
# Runs a container daemon as if the machine were its own: own mounts, host name, processes and control groups. To be started in its
# network namespace. When this script ends, so does every process of the daemon's, and with them all mounts.
#
# usage: launch.sh NAME ROOT BINDS
#   NAME   host name and control group
#   ROOT   "" to use the machine's own programs, or a folder with `lower` (linked to a system), `upper` and `work`: its root
#   BINDS  words FROM:TO, folders mounted at the same or another place; those missing in TO are made
set -eu
name=$1 root=$2 binds=$3
groups=/sys/fs/cgroup

# The hierarchies of control groups of version 1 (and a hybrid machine's unified one, which has no name), one word each; none where there
# is but version 2.
hierarchies() { grep -qv ^0:: /proc/self/cgroup || return 0; cut -d: -f2 /proc/self/cgroup | sed 's/^name=//; s/^$/unified/'; }

mount_groups() {
  if [ "$(hierarchies)" = "" ]; then mount -t cgroup2 cgroup2 $groups; return; fi
  mount -t tmpfs cgroup $groups
  for hierarchy in $(hierarchies); do
    mkdir "$groups/$hierarchy"
    case $hierarchy in
      unified) mount -t cgroup2 cgroup2 "$groups/unified" ;;
      systemd) mount -t cgroup -o none,name=systemd cgroup "$groups/systemd" ;;
      *) mount -t cgroup -o "$hierarchy" cgroup "$groups/$hierarchy" ;;
    esac
  done
}

enter_groups() {
  if [ "$(hierarchies)" = "" ]; then
    mkdir -p "$groups/$name"
    echo $$ >"$groups/$name/cgroup.procs"
    return
  fi
  for hierarchy in $(hierarchies); do
    own=$groups/$hierarchy/$name
    mkdir -p "$own"
    if [ "$hierarchy" = cpuset ]; then
      for key in cpus mems; do cat "$groups/cpuset/cpuset.$key" >"$own/cpuset.$key"; done
      echo 1 >"$own/cgroup.clone_children"
    fi
    echo $$ >"$own/cgroup.procs"
  done
}

case ${TRIVET_LAUNCHED:-} in
"")
  # `ip netns exec` has put a new /sys over the control groups: they are mounted again, entered, and then seen from there only.
  mount_groups
  enter_groups
  export TRIVET_LAUNCHED=groups
  exec unshare --cgroup "$0" "$@"
  ;;
groups)
  if [ "$(hierarchies)" = "" ]; then
    # Version 2: who gives controllers to groups below may hold no process itself (cgroups(7), "no internal processes"). By the name
    # that systemd gives it, LXC knows that its containers belong beside.
    mkdir "$groups/$name/init.scope"
    echo $$ >"$groups/$name/init.scope/cgroup.procs"
    for controller in $(cat "$groups/$name/cgroup.controllers"); do
      echo "+$controller" >"$groups/$name/cgroup.subtree_control"
    done
  fi
  export TRIVET_LAUNCHED=namespaces
  exec unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc "$0" "$@"
  ;;
esac

unset TRIVET_LAUNCHED
hostname "$name"
umount -R $groups
mount_groups

if [ "$root" != "" ]; then
  new=$root/merged
  mkdir -p "$new"
  mount -t overlay overlay -o "lowerdir=$(readlink -f "$root/lower"),upperdir=$root/upper,workdir=$root/work" "$new"
  for folder in dev proc sys; do mount --rbind "/$folder" "$new/$folder"; done
else
  new=
fi
mount -t tmpfs run "$new/run"
for bind in $binds; do
  mkdir -p "$new${bind#*:}"
  mount --bind "${bind%%:*}" "$new${bind#*:}"
done
if [ "$root" != "" ]; then
  cd "$new"
  mkdir -p .old
  pivot_root . .old
  umount -l /.old
fi
# PID 1 outlives the daemon's restarts; that it ignores SIGCHLD makes the kernel reap what is left to it.
trap "" CHLD
exec sleep infinity
