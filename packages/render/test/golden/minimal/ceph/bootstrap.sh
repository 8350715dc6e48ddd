#!/bin/sh
# Starts Ceph's daemons on this server: the first monitor's server first. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

umask 077
host=$(hostname -s)
keyring=/etc/ceph/ceph.mon.keyring

# The keys: made on the first server; copy /etc/ceph/*.keyring and /var/lib/ceph/bootstrap-osd to the others.
if [ "$host" = server-1 ] && [ ! -e "$keyring" ]; then
  ceph-authtool --create-keyring "$keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool --create-keyring /etc/ceph/ceph.client.admin.keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'
  mkdir -p /var/lib/ceph/bootstrap-osd
  ceph-authtool --create-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring --gen-key -n client.bootstrap-osd --cap mon 'profile bootstrap-osd' --cap mgr 'allow r'
  ceph-authtool "$keyring" --import-keyring /etc/ceph/ceph.client.admin.keyring
  ceph-authtool "$keyring" --import-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring
fi

case $host in server-1|server-2|server-3)
  if [ ! -e /var/lib/ceph/mon/ceph-$host/done ]; then
    map=$(mktemp)
    monmaptool --create --clobber --fsid b408a370-8572-88f8-ad01-6e36db70825a --addv server-1 '[v2:[2001:db8:20:1::101]:3300,v1:[2001:db8:20:1::101]:6789]' --addv server-2 '[v2:[2001:db8:20:1::102]:3300,v1:[2001:db8:20:1::102]:6789]' --addv server-3 '[v2:[2001:db8:20:1::103]:3300,v1:[2001:db8:20:1::103]:6789]' "$map"
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
  server-1)
    echo "no device is named for the disk data of $host" >&2
    ;;
  server-2)
    echo "no device is named for the disk data of $host" >&2
    ;;
  server-3)
    echo "no device is named for the disk data of $host" >&2
    ;;
esac
