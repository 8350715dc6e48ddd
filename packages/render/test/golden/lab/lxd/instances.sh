#!/bin/sh
# Instances, created and not started. Those that exist are left as they are.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show web01 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web01 --no-profiles --target langara --project web -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web01 root size=100000000 --project web
  lxc config device add web01 eth0 nic network=web name=eth0 ipv4.address=10.71.10.11 --project web
fi
if ! lxc config show web02 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web02 --no-profiles --target abydos --project web -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web02 root size=100000000 --project web
  lxc config device add web02 eth0 nic network=web name=eth0 ipv4.address=10.71.10.12 --project web
fi
if ! lxc config show web03 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 web03 --no-profiles --target orilla --project web -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set web03 root size=100000000 --project web
  lxc config device add web03 eth0 nic network=web name=eth0 ipv4.address=10.71.10.13 --project web
fi
if ! lxc config show mx01 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 mx01 --no-profiles --target abydos -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set mx01 root size=100000000
  lxc config device add mx01 eth0 nic network=mail name=eth0 ipv4.address=10.71.25.10 ipv4.routes.external=203.0.113.10/32 ipv6.routes.external=2001:db8:1000:25::25/128
fi
if ! lxc config show dns01 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 dns01 --no-profiles --target langara --project dns -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set dns01 root size=100000000 --project dns
  lxc config device add dns01 eth0 nic network=dns1 name=eth0 ipv4.address=10.71.31.10 ipv4.routes.external=203.0.113.5/32 ipv6.routes.external=2001:db8:1000:53::53/128 --project dns
fi
if ! lxc config show dns02 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 dns02 --no-profiles --target abydos --project dns -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set dns02 root size=100000000 --project dns
  lxc config device add dns02 eth0 nic network=dns2 name=eth0 ipv4.address=10.71.32.10 ipv4.routes.external=203.0.113.5/32 ipv6.routes.external=2001:db8:1000:53::53/128 --project dns
fi
if ! lxc config show dns03 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 dns03 --no-profiles --target orilla --project dns -s local -c limits.memory=67108864 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set dns03 root size=100000000 --project dns
  lxc config device add dns03 eth0 nic network=dns3 name=eth0 ipv4.address=10.71.33.10 ipv4.routes.external=203.0.113.5/32 ipv6.routes.external=2001:db8:1000:53::53/128 --project dns
fi
