/** A Debian release a lab's servers can run. */
export type Suite = "bookworm" | "trixie";

const SERVER = `
  systemd systemd-sysv dbus udev kmod procps openssh-server ca-certificates netplan.io
  dnsmasq-base nftables iptables squashfs-tools xz-utils rsync attr uidmap
  ovn-central ovn-host openvswitch-switch
  ceph-mon ceph-mgr ceph-osd ceph-mds ceph-common
  frr keepalived nsd unbound tayga busybox-static
  iproute2 iputils-ping ethtool tcpdump socat curl jq python3-minimal libfaketime
`;

const PLATFORM: Record<Suite, readonly string[]> = {
  bookworm: ["lxd", "lxd-client", "frr-pythontools"],
  trixie: ["incus", "incus-client", "frr-pythontools"],
};

/** The packages of a server, its platform's daemon among them (LXD 5.0.2 on bookworm, Incus 6.0.4 on trixie). */
export function serverPackages(suite: Suite): readonly string[] {
  return [...SERVER.trim().split(/\s+/), ...PLATFORM[suite]].toSorted();
}
