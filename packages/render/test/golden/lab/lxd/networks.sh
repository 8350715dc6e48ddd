#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc config set network.ovn.northbound_connection tcp:10.60.0.100:6641,tcp:10.60.0.101:6641,tcp:10.60.0.102:6641
if ! lxc network show INFRA-UPLINK >/dev/null 2>&1; then
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target langara
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target abydos
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target orilla
  lxc network create INFRA-UPLINK --type=physical
fi
lxc network set INFRA-UPLINK ipv6.gateway=2001:db8:1000:20::1/64
lxc network set INFRA-UPLINK ipv4.gateway=10.10.100.1/24
lxc network set INFRA-UPLINK ipv4.ovn.ranges=10.10.100.128-10.10.100.254
lxc network set INFRA-UPLINK ipv6.ovn.ranges=2001:db8:1000:20::1000-2001:db8:1000:20::ffff
lxc network set INFRA-UPLINK ipv4.routes=203.0.113.0/27
lxc network set INFRA-UPLINK ipv6.routes=2001:db8:1000::/48
lxc network set INFRA-UPLINK ipv4.routes.anycast=true
lxc network set INFRA-UPLINK ipv6.routes.anycast=true
lxc network set INFRA-UPLINK ovn.ingress_mode=routed

lxc project show web >/dev/null 2>&1 || lxc project create web -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show web --project web >/dev/null 2>&1 || lxc network create web --type=ovn network=INFRA-UPLINK ipv4.address=10.71.10.1/24 ipv6.address=2001:db8:1000:110::1/64 ipv4.nat=true ipv6.nat=false dns.domain=lab.example.net --project web
lxc network show mail >/dev/null 2>&1 || lxc network create mail --type=ovn network=INFRA-UPLINK ipv4.address=10.71.25.1/24 ipv6.address=2001:db8:1000:125::1/64 ipv4.nat=true ipv6.nat=false dns.domain=lab.example.net

lxc project show dns >/dev/null 2>&1 || lxc project create dns -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show dns1 --project dns >/dev/null 2>&1 || lxc network create dns1 --type=ovn network=INFRA-UPLINK ipv4.address=10.71.31.1/24 ipv6.address=2001:db8:1000:131::1/64 ipv4.nat=true ipv6.nat=false dns.domain=lab.example.net --project dns
lxc network show dns2 --project dns >/dev/null 2>&1 || lxc network create dns2 --type=ovn network=INFRA-UPLINK ipv4.address=10.71.32.1/24 ipv6.address=2001:db8:1000:132::1/64 ipv4.nat=true ipv6.nat=false dns.domain=lab.example.net --project dns
lxc network show dns3 --project dns >/dev/null 2>&1 || lxc network create dns3 --type=ovn network=INFRA-UPLINK ipv4.address=10.71.33.1/24 ipv6.address=2001:db8:1000:133::1/64 ipv4.nat=true ipv6.nat=false dns.domain=lab.example.net --project dns
