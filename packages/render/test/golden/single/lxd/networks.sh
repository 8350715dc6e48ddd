#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc config set network.ovn.northbound_connection tcp:192.168.1.11:6641
if ! lxc network show uplink >/dev/null 2>&1; then
  lxc network create uplink --type=physical parent=br-uplink
fi
lxc network set uplink ipv4.gateway=192.168.1.1/24
lxc network set uplink ipv4.ovn.ranges=192.168.1.200-192.168.1.239
lxc network set uplink ipv4.routes.anycast=true
lxc network set uplink ipv6.routes.anycast=true
lxc network set uplink ovn.ingress_mode=routed
lxc network show apps >/dev/null 2>&1 || lxc network create apps --type=ovn network=uplink ipv4.address=10.1.0.1/24 ipv6.address=none ipv4.nat=true bridge.mtu=1422 dns.domain=home.example.net
