#!/bin/sh
# Instances, created and not started. Those that exist are left as they are.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web --no-profiles -s default -c limits.memory=1073741824 -c limits.cpu=1
  lxc config device set web root size=10737418240
  lxc config device add web eth0 nic network=apps name=eth0
fi
