#!/bin/sh
# Starts Ceph's daemons on this server: the first monitor's server first. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

umask 077
host=$(hostname -s)
keyring=/etc/ceph/ceph.mon.keyring

# The keys: made on the first server; copy /etc/ceph/*.keyring and /var/lib/ceph/bootstrap-osd to the others.
if [ "$host" = n1 ] && [ ! -e "$keyring" ]; then
  ceph-authtool --create-keyring "$keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool --create-keyring /etc/ceph/ceph.client.admin.keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'
  mkdir -p /var/lib/ceph/bootstrap-osd
  ceph-authtool --create-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring --gen-key -n client.bootstrap-osd --cap mon 'profile bootstrap-osd' --cap mgr 'allow r'
  ceph-authtool "$keyring" --import-keyring /etc/ceph/ceph.client.admin.keyring
  ceph-authtool "$keyring" --import-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring
fi

case $host in n1|n2|n3)
  if [ ! -e /var/lib/ceph/mon/ceph-$host/done ]; then
    map=$(mktemp)
    monmaptool --create --clobber --fsid d4b529f6-858d-8cab-b6f2-422d1c4eb6dc --addv n1 '[v2:[2001:db8:50:103::101]:3300,v1:[2001:db8:50:103::101]:6789]' --addv n2 '[v2:[2001:db8:50:103::102]:3300,v1:[2001:db8:50:103::102]:6789]' --addv n3 '[v2:[2001:db8:50:103::103]:3300,v1:[2001:db8:50:103::103]:6789]' "$map"
    ceph-mon --mkfs -i "$host" --monmap "$map" --keyring "$keyring"
    touch /var/lib/ceph/mon/ceph-$host/done
    chown -R ceph:ceph /var/lib/ceph
    rm "$map"
  fi
  systemctl enable --now "ceph-mon@$host"
  if ! ceph --connect-timeout 30 mon stat >/dev/null 2>&1; then
    echo "no quorum yet: run this on the next monitor, then here again" >&2
    exit 0
  fi
  for kind in mgr mds; do
    mkdir -p /var/lib/ceph/$kind/ceph-$host
    case $kind in
      mgr) ceph auth get-or-create mgr.$host mon 'allow profile mgr' osd 'allow *' mds 'allow *' ;;
      mds) ceph auth get-or-create mds.$host mon 'profile mds' mgr 'profile mds' mds 'allow *' osd 'allow *' ;;
    esac >/var/lib/ceph/$kind/ceph-$host/keyring
    chown -R ceph:ceph /var/lib/ceph/$kind
    systemctl enable --now "ceph-$kind@$host"
  done
  ceph mon enable-msgr2 ;;
esac

# osd DEVICE CLASS: gives a device to Ceph, unless it has it.
osd() {
  ceph-volume lvm list "$1" >/dev/null 2>&1 || ceph-volume lvm create --data "$1" --crush-device-class "$2"
}
case $host in
  n1)
    echo "no device is named for the disk nvme0 of $host" >&2
    echo "no device is named for the disk nvme1 of $host" >&2
    ;;
  n2)
    echo "no device is named for the disk nvme0 of $host" >&2
    echo "no device is named for the disk nvme1 of $host" >&2
    ;;
  n3)
    echo "no device is named for the disk nvme0 of $host" >&2
    echo "no device is named for the disk nvme1 of $host" >&2
    ;;
  n4)
    echo "no device is named for the disk nvme0 of $host" >&2
    echo "no device is named for the disk nvme1 of $host" >&2
    ;;
  n5)
    echo "no device is named for the disk nvme0 of $host" >&2
    echo "no device is named for the disk nvme1 of $host" >&2
    ;;
esac
