#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc config set network.ovn.northbound_connection 'tcp:[2001:db8:20:1::101]:6641,tcp:[2001:db8:20:1::102]:6641,tcp:[2001:db8:20:1::103]:6641'
if ! lxc network show uplink >/dev/null 2>&1; then
  lxc network create uplink --type=physical parent=br-uplink --target server-1
  lxc network create uplink --type=physical parent=br-uplink --target server-2
  lxc network create uplink --type=physical parent=br-uplink --target server-3
  lxc network create uplink --type=physical
fi
lxc network set uplink ipv6.gateway=2001:db8:20:100::1/64
lxc network set uplink ipv6.ovn.ranges=2001:db8:20:100::1000-2001:db8:20:100::ffff
lxc network set uplink ipv6.routes=2001:db8:20::/48
lxc network set uplink ipv4.routes.anycast=true
lxc network set uplink ipv6.routes.anycast=true
lxc network set uplink ovn.ingress_mode=routed
lxc network show apps >/dev/null 2>&1 || lxc network create apps --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:20:68b7::1/64 ipv6.nat=false dns.domain=minimal.example.net
