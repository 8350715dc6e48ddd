#!/bin/sh
# Instances, created and not started. Those that exist are left as they are.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show web-1 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web-1 --no-profiles --target s1 -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web-1 root size=100000000
  lxc config device add web-1 eth0 nic network=web-1 name=eth0 ipv4.routes.external=203.0.113.65/32
fi
if ! lxc config show web-2 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web-2 --no-profiles --target s2 -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web-2 root size=100000000
  lxc config device add web-2 eth0 nic network=web-2 name=eth0 ipv4.routes.external=203.0.113.65/32
fi
if ! lxc config show web-3 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web-3 --no-profiles --target s3 -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web-3 root size=100000000
  lxc config device add web-3 eth0 nic network=web-3 name=eth0 ipv4.routes.external=203.0.113.65/32
fi
