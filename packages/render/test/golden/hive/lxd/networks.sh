#!/bin/sh
# Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc config set network.ovn.northbound_connection 'tcp:[2001:db8:10:1::100]:6641,tcp:[2001:db8:10:1::101]:6641,tcp:[2001:db8:10:1::102]:6641'
if ! lxc network show INFRA-UPLINK >/dev/null 2>&1; then
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target langara
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target abydos
  lxc network create INFRA-UPLINK --type=physical parent=br-uplink --target orilla
  lxc network create INFRA-UPLINK --type=physical
fi
lxc network set INFRA-UPLINK ipv6.gateway=2001:db8:10:100::1/64
lxc network set INFRA-UPLINK ipv4.gateway=10.10.100.1/24
lxc network set INFRA-UPLINK ipv4.ovn.ranges=10.10.100.128-10.10.100.254
lxc network set INFRA-UPLINK ipv6.ovn.ranges=2001:db8:10:100::1000-2001:db8:10:100::ffff
lxc network set INFRA-UPLINK ipv4.routes=203.0.113.32/27
lxc network set INFRA-UPLINK ipv6.routes=2001:db8:10::/48,64:ff9b::/96
lxc network set INFRA-UPLINK ipv4.routes.anycast=true
lxc network set INFRA-UPLINK ipv6.routes.anycast=true
lxc network set INFRA-UPLINK ovn.ingress_mode=routed
lxc network set INFRA-UPLINK dns.nameservers=2001:db8:10:10::1

lxc project show dns >/dev/null 2>&1 || lxc project create dns -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-dns01 --project dns >/dev/null 2>&1 || lxc network create ovn-dns01 --type=ovn network=INFRA-UPLINK ipv4.address=10.178.46.1/24 ipv6.address=2001:db8:10:ddff::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project dns
lxc network show ovn-dns02 --project dns >/dev/null 2>&1 || lxc network create ovn-dns02 --type=ovn network=INFRA-UPLINK ipv4.address=10.158.84.1/24 ipv6.address=2001:db8:10:cb1e::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project dns
lxc network show ovn-dns03 --project dns >/dev/null 2>&1 || lxc network create ovn-dns03 --type=ovn network=INFRA-UPLINK ipv4.address=10.193.203.1/24 ipv6.address=2001:db8:10:fc4f::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project dns

lxc project show infra >/dev/null 2>&1 || lxc project create infra -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-infra01 --project infra >/dev/null 2>&1 || lxc network create ovn-infra01 --type=ovn network=INFRA-UPLINK ipv4.address=10.186.48.1/24 ipv6.address=2001:db8:10:9fa0::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project infra
lxc network show ovn-infra02 --project infra >/dev/null 2>&1 || lxc network create ovn-infra02 --type=ovn network=INFRA-UPLINK ipv4.address=10.186.151.1/24 ipv6.address=2001:db8:10:7dd5::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project infra
lxc network show ovn-infra03 --project infra >/dev/null 2>&1 || lxc network create ovn-infra03 --type=ovn network=INFRA-UPLINK ipv4.address=10.191.130.1/24 ipv6.address=2001:db8:10:c396::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project infra

lxc project show web >/dev/null 2>&1 || lxc project create web -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-edge01 --project web >/dev/null 2>&1 || lxc network create ovn-edge01 --type=ovn network=INFRA-UPLINK ipv4.address=10.132.80.1/24 ipv6.address=2001:db8:10:bcbe::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project web
lxc network show ovn-edge02 --project web >/dev/null 2>&1 || lxc network create ovn-edge02 --type=ovn network=INFRA-UPLINK ipv4.address=10.146.223.1/24 ipv6.address=2001:db8:10:9de5::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project web
lxc network show ovn-edge03 --project web >/dev/null 2>&1 || lxc network create ovn-edge03 --type=ovn network=INFRA-UPLINK ipv4.address=10.171.133.1/24 ipv6.address=2001:db8:10:fe93::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project web
lxc network show ovn-web --project web >/dev/null 2>&1 || lxc network create ovn-web --type=ovn network=INFRA-UPLINK ipv4.address=none ipv6.address=2001:db8:10:9254::1/64 ipv6.nat=false dns.domain=hive.example.net --project web

lxc project show mail >/dev/null 2>&1 || lxc project create mail -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-mail --project mail >/dev/null 2>&1 || lxc network create ovn-mail --type=ovn network=INFRA-UPLINK ipv4.address=10.159.50.1/24 ipv6.address=2001:db8:10:7c7a::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project mail

lxc project show forum >/dev/null 2>&1 || lxc project create forum -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-forum --project forum >/dev/null 2>&1 || lxc network create ovn-forum --type=ovn network=INFRA-UPLINK ipv4.address=none ipv6.address=2001:db8:10:59e6::1/64 ipv6.nat=false dns.domain=hive.example.net --project forum

lxc project show images >/dev/null 2>&1 || lxc project create images -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-images --project images >/dev/null 2>&1 || lxc network create ovn-images --type=ovn network=INFRA-UPLINK ipv4.address=none ipv6.address=2001:db8:10:b467::1/64 ipv6.nat=false dns.domain=hive.example.net --project images

lxc project show friends >/dev/null 2>&1 || lxc project create friends -c features.networks=true -c features.images=false -c features.profiles=false
lxc network show ovn-friends --project friends >/dev/null 2>&1 || lxc network create ovn-friends --type=ovn network=INFRA-UPLINK ipv4.address=10.202.168.1/24 ipv6.address=2001:db8:10:df3d::1/64 ipv4.nat=true ipv6.nat=false dns.domain=hive.example.net --project friends
