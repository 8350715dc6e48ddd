#!/bin/sh
# Instances, created and not started. Those that exist are left as they are.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show ns01 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 ns01 --no-profiles --target langara --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set ns01 root size=10737418240 --project dns
  lxc config device add ns01 eth0 nic network=ovn-dns01 name=eth0 ipv4.routes.external=203.0.113.33/32 ipv6.routes.external=2001:db8:10:53::1/128 --project dns
fi
if ! lxc config show ns02 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 ns02 --no-profiles --target abydos --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set ns02 root size=10737418240 --project dns
  lxc config device add ns02 eth0 nic network=ovn-dns02 name=eth0 ipv4.routes.external=203.0.113.33/32 ipv6.routes.external=2001:db8:10:53::1/128 --project dns
fi
if ! lxc config show ns03 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 ns03 --no-profiles --target orilla --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set ns03 root size=10737418240 --project dns
  lxc config device add ns03 eth0 nic network=ovn-dns03 name=eth0 ipv4.routes.external=203.0.113.33/32 ipv6.routes.external=2001:db8:10:53::1/128 --project dns
fi
if ! lxc config show unbound01 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 unbound01 --no-profiles --target langara --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set unbound01 root size=10737418240 --project dns
  lxc config device add unbound01 eth0 nic network=ovn-dns01 name=eth0 ipv6.routes.external=2001:db8:10:10::1/128 --project dns
fi
if ! lxc config show unbound02 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 unbound02 --no-profiles --target abydos --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set unbound02 root size=10737418240 --project dns
  lxc config device add unbound02 eth0 nic network=ovn-dns02 name=eth0 ipv6.routes.external=2001:db8:10:10::1/128 --project dns
fi
if ! lxc config show unbound03 --project dns >/dev/null 2>&1; then
  lxc init ubuntu:24.04 unbound03 --no-profiles --target orilla --project dns -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set unbound03 root size=10737418240 --project dns
  lxc config device add unbound03 eth0 nic network=ovn-dns03 name=eth0 ipv6.routes.external=2001:db8:10:10::1/128 --project dns
fi
if ! lxc config show nat64-01 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 nat64-01 --no-profiles --target langara --project infra -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set nat64-01 root size=10737418240 --project infra
  lxc config device add nat64-01 eth0 nic network=ovn-infra01 name=eth0 ipv4.routes.external=203.0.113.56/31 ipv6.routes.external=64:ff9b::/96 --project infra
fi
if ! lxc config show nat64-02 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 nat64-02 --no-profiles --target abydos --project infra -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set nat64-02 root size=10737418240 --project infra
  lxc config device add nat64-02 eth0 nic network=ovn-infra02 name=eth0 ipv4.routes.external=203.0.113.58/31 ipv6.routes.external=64:ff9b::/96 --project infra
fi
if ! lxc config show nat64-03 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 nat64-03 --no-profiles --target orilla --project infra -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set nat64-03 root size=10737418240 --project infra
  lxc config device add nat64-03 eth0 nic network=ovn-infra03 name=eth0 ipv4.routes.external=203.0.113.60/31 ipv6.routes.external=64:ff9b::/96 --project infra
fi
if ! lxc config show proxy01 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 proxy01 --no-profiles --project infra -s ssd -c limits.memory=1073741824 -c limits.cpu=1
  lxc config device set proxy01 root size=10737418240 --project infra
  lxc config device add proxy01 eth0 nic network=ovn-infra01 name=eth0 --project infra
fi
if ! lxc config show proxy02 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 proxy02 --no-profiles --project infra -s ssd -c limits.memory=1073741824 -c limits.cpu=1
  lxc config device set proxy02 root size=10737418240 --project infra
  lxc config device add proxy02 eth0 nic network=ovn-infra02 name=eth0 --project infra
fi
if ! lxc config show monitor01 --project infra >/dev/null 2>&1; then
  lxc init ubuntu:24.04 monitor01 --no-profiles --project infra -s ssd -c limits.memory=4294967296 -c limits.cpu=2
  lxc config device set monitor01 root size=107374182400 --project infra
  lxc config device add monitor01 eth0 nic network=ovn-infra03 name=eth0 --project infra
fi
if ! lxc config show haproxy01 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 haproxy01 --no-profiles --target langara --project web -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set haproxy01 root size=10737418240 --project web
  lxc config device add haproxy01 eth0 nic network=ovn-edge01 name=eth0 ipv4.routes.external=203.0.113.34/32 ipv6.routes.external=2001:db8:10:80::1/128 --project web
fi
if ! lxc config show haproxy02 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 haproxy02 --no-profiles --target abydos --project web -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set haproxy02 root size=10737418240 --project web
  lxc config device add haproxy02 eth0 nic network=ovn-edge02 name=eth0 ipv4.routes.external=203.0.113.34/32 ipv6.routes.external=2001:db8:10:80::1/128 --project web
fi
if ! lxc config show haproxy03 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 haproxy03 --no-profiles --target orilla --project web -s ssd -c limits.memory=1073741824 -c limits.cpu=1 -c cluster.evacuate=stop
  lxc config device set haproxy03 root size=10737418240 --project web
  lxc config device add haproxy03 eth0 nic network=ovn-edge03 name=eth0 ipv4.routes.external=203.0.113.34/32 ipv6.routes.external=2001:db8:10:80::1/128 --project web
fi
if ! lxc config show www01 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 www01 --no-profiles --project web -s ssd -c limits.memory=2147483648 -c limits.cpu=1
  lxc config device set www01 root size=10737418240 --project web
  lxc config device add www01 eth0 nic network=ovn-web name=eth0 --project web
fi
if ! lxc config show www02 --project web >/dev/null 2>&1; then
  lxc init ubuntu:24.04 www02 --no-profiles --project web -s ssd -c limits.memory=2147483648 -c limits.cpu=1
  lxc config device set www02 root size=10737418240 --project web
  lxc config device add www02 eth0 nic network=ovn-web name=eth0 --project web
fi
if ! lxc config show mail01 --project mail >/dev/null 2>&1; then
  lxc init ubuntu:24.04 mail01 --no-profiles --project mail -s hdd -c limits.memory=4294967296 -c limits.cpu=2
  lxc config device set mail01 root size=214748364800 --project mail
  lxc config device add mail01 eth0 nic network=ovn-mail name=eth0 ipv4.routes.external=203.0.113.35/32 --project mail
fi
if ! lxc config show discourse01 --project forum >/dev/null 2>&1; then
  lxc init ubuntu:24.04 discourse01 --no-profiles --project forum -s ssd -c limits.memory=6442450944 -c limits.cpu=2
  lxc config device set discourse01 root size=64424509440 --project forum
  lxc config device add discourse01 eth0 nic network=ovn-forum name=eth0 --project forum
fi
if ! lxc config show mirror01 --project images >/dev/null 2>&1; then
  lxc init ubuntu:24.04 mirror01 --no-profiles --project images -s hdd -c limits.memory=2147483648 -c limits.cpu=1
  lxc config device set mirror01 root size=536870912000 --project images
  lxc config device add mirror01 eth0 nic network=ovn-images name=eth0 --project images
fi
if ! lxc config show mirror02 --project images >/dev/null 2>&1; then
  lxc init ubuntu:24.04 mirror02 --no-profiles --project images -s hdd -c limits.memory=2147483648 -c limits.cpu=1
  lxc config device set mirror02 root size=536870912000 --project images
  lxc config device add mirror02 eth0 nic network=ovn-images name=eth0 --project images
fi
if ! lxc config show publish01 --project images >/dev/null 2>&1; then
  lxc init ubuntu:24.04 publish01 --no-profiles --project images -s ssd -c limits.memory=4294967296 -c limits.cpu=2
  lxc config device set publish01 root size=107374182400 --project images
  lxc config device add publish01 eth0 nic network=ovn-images name=eth0 --project images
fi
if ! lxc config show blog01 --project friends >/dev/null 2>&1; then
  lxc init ubuntu:24.04 blog01 --no-profiles --project friends -s ssd -c limits.memory=1073741824 -c limits.cpu=1
  lxc config device set blog01 root size=10737418240 --project friends
  lxc config device add blog01 eth0 nic network=ovn-friends name=eth0 --project friends
fi
if ! lxc config show games01 --project friends >/dev/null 2>&1; then
  lxc init ubuntu:24.04 games01 --vm --no-profiles --project friends -s ssd -c limits.memory=8589934592 -c limits.cpu=4 -c migration.stateful=true
  lxc config device set games01 root size=85899345920 --project friends
  lxc config device add games01 eth0 nic network=ovn-friends name=eth0 ipv4.routes.external=203.0.113.36/32 --project friends
fi
