#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc config set network.ovn.northbound_connection 'tcp:[2001:db8:1ab:1::101]:6641,tcp:[2001:db8:1ab:1::102]:6641,tcp:[2001:db8:1ab:1::103]:6641'
if ! lxc network show uplink >/dev/null 2>&1; then
  lxc network create uplink --type=physical parent=br-uplink --target s1
  lxc network create uplink --type=physical parent=br-uplink --target s2
  lxc network create uplink --type=physical parent=br-uplink --target s3
  lxc network create uplink --type=physical
fi
lxc network set uplink ipv4.gateway=10.65.0.1/24
lxc network set uplink ipv4.ovn.ranges=10.65.0.128-10.65.0.254
lxc network set uplink ipv4.routes=203.0.113.64/27
lxc network set uplink ipv6.routes=2001:db8:1ab::/48
lxc network set uplink ipv4.routes.anycast=true
lxc network set uplink ipv6.routes.anycast=true
lxc network set uplink ovn.ingress_mode=routed
lxc network show web-1 >/dev/null 2>&1 || lxc network create web-1 --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:1ab:ea0c::1/64 ipv6.nat=false dns.domain=lab.example.net
lxc network show web-2 >/dev/null 2>&1 || lxc network create web-2 --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:1ab:58df::1/64 ipv6.nat=false dns.domain=lab.example.net
lxc network show web-3 >/dev/null 2>&1 || lxc network create web-3 --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:1ab:8d25::1/64 ipv6.nat=false dns.domain=lab.example.net
