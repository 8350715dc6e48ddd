#!/bin/sh
# Runs a command in the control groups of the namespace it was put into (nsenter enters the namespace alone).
for procs in /sys/fs/cgroup/*/cgroup.procs; do echo 0 >"$procs"; done
exec "$@"
