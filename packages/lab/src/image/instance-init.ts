/**
 * Process 1 of the lab's instances. It reads:
 *
 * - `LAB_ADDRESSES`: `eth0=192.0.2.1/24,2001:db8::1/64 lo=203.0.113.5/32`; an interface that (re)appears is set up again, because
 *   LXD plugs a new one when a NIC's configuration changes;
 * - `LAB_ROUTES`: `default=192.0.2.254 ...`;
 * - `LAB_SERVICE`: any of `web` (HTTP on port 80 tells the instance's name), `dns` (NSD with the zone trivet.example; `id.server` CH
 *   TXT tells its name), `router` (FRR with /etc/frr/frr.conf, VRRP with /etc/keepalived.conf), `resolver` (unbound with
 *   /etc/unbound/unbound.conf) and `nat64` (tayga and nftables, with the files that trivet renders for it).
 */
export const INSTANCE_INIT = `#!/usr/bin/busybox sh
export PATH=/usr/sbin:/usr/bin
trap 'exit 0' PWR TERM INT
rm -rf /run/configured && mkdir -p /run/configured /run/frr /run/nsd
name=$(hostname)
# This busybox would prefer its own.
ip() { /usr/bin/ip "$@"; }

configure() {
  ethtool -K "$1" tx off >/dev/null 2>&1
  ip link set "$1" up
  for pair in $LAB_ADDRESSES; do
    [ "\${pair%%=*}" = "$1" ] || continue
    for address in $(echo "\${pair#*=}" | tr , ' '); do
      case $address in *:*) ip address add "$address" dev "$1" nodad ;; *) ip address add "$address" dev "$1" ;; esac
    done
  done
  for pair in $LAB_ROUTES; do
    case $pair in
      *=*:*) ip -6 route replace "\${pair%%=*}" via "\${pair#*=}" ;;
      *) ip route replace "\${pair%%=*}" via "\${pair#*=}" ;;
    esac
  done
  return 0
}

watch() {
  while :; do
    for path in /sys/class/net/*; do
      read -r index <"$path/ifindex" 2>/dev/null || continue
      [ -e "/run/configured/$index" ] && continue
      configure "\${path##*/}" && : >"/run/configured/$index"
    done
    sleep 0.3
  done
}

dns() {
  cat >/tmp/zone <<EOF
\\$ORIGIN trivet.example.
\\$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS ns1
ns1 A 203.0.113.5
ns1 AAAA 2001:db8:1000:53::53
mx A 203.0.113.10
mx AAAA 2001:db8:1000:25::25
EOF
  cat >/tmp/nsd.conf <<EOF
server:
  username: ""
  identity: "$name"
  server-count: 1
  zonesdir: "/tmp"
  database: ""
  pidfile: "/run/nsd/nsd.pid"
  xfrdfile: "/tmp/xfrd.state"
  zonelistfile: "/tmp/zone.list"
  ip-freebind: yes
  # All the world's questions come from one client here.
  rrl-ratelimit: 0
$(for pair in $LAB_ADDRESSES; do echo "\${pair#*=}" | tr , '\\n' | sed 's|/.*||; s|^|  ip-address: |'; done)
remote-control:
  control-enable: no
zone:
  name: trivet.example
  zonefile: /tmp/zone
EOF
  # The database option is gone in newer releases.
  nsd-checkconf /tmp/nsd.conf >/dev/null 2>&1 || sed -i /database:/d /tmp/nsd.conf
  while :; do nsd -d -c /tmp/nsd.conf; sleep 1; done
}

web() {
  echo "$name" >/srv/www/index.html
  while :; do httpd -f -p '[::]:80' -h /srv/www; sleep 1; done
}

router() {
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
  # Only the interface with VRRP's own MAC speaks for the addresses on it.
  echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
  echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce
  # By addresses, protocol and ports (0x37), reckoned anew: policy 1 takes the hash that a packet has from the router before it, where
  # all are one kernel, so that each router would have one way only.
  for family in ipv4 ipv6; do
    echo 3 >/proc/sys/net/$family/fib_multipath_hash_policy
    echo 55 >/proc/sys/net/$family/fib_multipath_hash_fields
  done
  # Routers in a row that hash alike always pick alike: some of the next hops would never be used.
  seed=/proc/sys/net/ipv4/fib_multipath_hash_seed
  [ ! -e $seed ] || echo $((\${name#frr0} * 7919)) >$seed
  chown -R frr:frr /run/frr /etc/frr
  [ ! -x /usr/lib/frr/mgmtd ] || /usr/lib/frr/mgmtd -d
  for daemon in zebra staticd bfdd bgpd; do /usr/lib/frr/$daemon -d; done
  vtysh -b
  while :; do keepalived --dont-fork --log-console -f /etc/keepalived.conf >>/tmp/keepalived.log 2>&1; sleep 1; done
}

resolver() {
  while :; do unbound -d -c /etc/unbound/unbound.conf >>/tmp/unbound.log 2>&1; sleep 1; done
}

# Without systemd its unit is read here.
nat64() {
  unit=/etc/systemd/system/tayga.service
  until [ -e /run/configured/$(cat /sys/class/net/eth0/ifindex) ]; do sleep 0.1; done
  sysctl -p /etc/sysctl.d/60-nat64.conf
  nft -f /etc/nftables.conf
  sed -n 's|^ExecStartPre=[^ ]*/||p' $unit | while read -r line; do $line; done
  while :; do $(sed -n 's/^ExecStart=//p' $unit) >>/tmp/tayga.log 2>&1; sleep 1; done
}

[ ! -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ] || echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
watch &
for service in $LAB_SERVICE; do
  case $service in dns|web|router|resolver|nat64) $service & ;; esac
done
while :; do sleep 86400 & wait $!; done
`;
