#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

incus config set network.ovn.northbound_connection 'tcp:[2001:db8:50:103::101]:6641,tcp:[2001:db8:50:103::102]:6641,tcp:[2001:db8:50:103::103]:6641'
if ! incus network show uplink >/dev/null 2>&1; then
  incus network create uplink --type=physical parent=br-uplink --target n1
  incus network create uplink --type=physical parent=br-uplink --target n2
  incus network create uplink --type=physical parent=br-uplink --target n3
  incus network create uplink --type=physical parent=br-uplink --target n4
  incus network create uplink --type=physical parent=br-uplink --target n5
  incus network create uplink --type=physical
fi
incus network set uplink ipv6.gateway=2001:db8:50:100::1/64
incus network set uplink ipv4.gateway=10.50.100.1/24
incus network set uplink ipv4.ovn.ranges=10.50.100.128-10.50.100.254
incus network set uplink ipv6.ovn.ranges=2001:db8:50:100::1000-2001:db8:50:100::ffff
incus network set uplink ipv4.routes=203.0.113.128/26
incus network set uplink ipv6.routes=2001:db8:50::/48
incus network set uplink ipv4.routes.anycast=true
incus network set uplink ipv6.routes.anycast=true
incus network set uplink ovn.ingress_mode=routed
incus network show front >/dev/null 2>&1 || incus network create front --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:50:ef73::1/64 ipv6.nat=false dns.domain=five.example.net
incus network show back >/dev/null 2>&1 || incus network create back --type=ovn network=uplink ipv4.address=none ipv6.address=2001:db8:50:a757::1/64 ipv6.nat=false dns.domain=five.example.net
