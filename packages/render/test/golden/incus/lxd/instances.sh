#!/bin/sh
# Instances, created and not started. Those that exist are left as they are.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! incus config show web1 >/dev/null 2>&1; then
  incus init ubuntu:24.04 web1 --no-profiles -s default -c limits.memory=8589934592 -c limits.cpu=4
  incus config device set web1 root size=10737418240
  incus config device add web1 eth0 nic network=front name=eth0
fi
if ! incus config show web2 >/dev/null 2>&1; then
  incus init ubuntu:24.04 web2 --no-profiles -s default -c limits.memory=8589934592 -c limits.cpu=4
  incus config device set web2 root size=10737418240
  incus config device add web2 eth0 nic network=front name=eth0
fi
if ! incus config show db1 >/dev/null 2>&1; then
  incus init ubuntu:24.04 db1 --vm --no-profiles -s default -c limits.memory=34359738368 -c limits.cpu=8 -c migration.stateful=true
  incus config device set db1 root size=214748364800
  incus config device add db1 eth0 nic network=back name=eth0
fi
