#!/bin/sh
# Rules, pools, file systems and primary affinity; run it once, anywhere. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

exists() { ceph osd "$1" ls | grep -qx "$2"; }

ceph osd crush rule ls | grep -qx replicated_rule_ssd || ceph osd crush rule create-replicated replicated_rule_ssd default host ssd
ceph osd crush rule ls | grep -qx replicated_rule_hdd || ceph osd crush rule create-replicated replicated_rule_hdd default host hdd

exists pool lxd-ssd || ceph osd pool create lxd-ssd 32 32 replicated replicated_rule_ssd
ceph osd pool set lxd-ssd crush_rule replicated_rule_ssd
ceph osd pool set lxd-ssd size 3
ceph osd pool set lxd-ssd min_size 2
ceph osd pool application enable lxd-ssd rbd

exists pool lxd-hdd || ceph osd pool create lxd-hdd 32 32 replicated replicated_rule_hdd
ceph osd pool set lxd-hdd crush_rule replicated_rule_hdd
ceph osd pool set lxd-hdd size 3
ceph osd pool set lxd-hdd min_size 2
ceph osd pool application enable lxd-hdd rbd

exists pool lxd-cephfs_metadata || ceph osd pool create lxd-cephfs_metadata 32 32 replicated replicated_rule_ssd
ceph osd pool set lxd-cephfs_metadata crush_rule replicated_rule_ssd
ceph osd pool set lxd-cephfs_metadata size 3
ceph osd pool set lxd-cephfs_metadata min_size 2

exists pool lxd-cephfs_data || ceph osd pool create lxd-cephfs_data 32 32 replicated replicated_rule_hdd
ceph osd pool set lxd-cephfs_data crush_rule replicated_rule_hdd
ceph osd pool set lxd-cephfs_data size 3
ceph osd pool set lxd-cephfs_data min_size 2

ceph fs get lxd-cephfs >/dev/null 2>&1 || ceph fs new lxd-cephfs lxd-cephfs_metadata lxd-cephfs_data
ceph fs set lxd-cephfs allow_new_snaps true

# affinity HOST DEVICE VALUE: how much a disk is preferred for the first replica.
affinity() {
  id=$(ceph osd metadata -f json | jq -r --arg host "$1" --arg device "$(basename "$2")" \
    'def names($list): ($list // "") | split(",")[];
     .[] | select(.hostname == $host) | select(any(
       (names(.devices) as $d | $device | test("^\($d)(p?[0-9]+)?$")),
       (names(.device_ids) | split("=")[1:] | join("=") | . as $id | $id != "" and ($device | contains($id)));
       .)) | .id')
  if [ -n "$id" ]; then ceph osd primary-affinity "osd.$id" "$3"; else echo "no OSD on $1 $2 yet" >&2; fi
}
affinity langara /dev/sda3 0.75
affinity langara /dev/sdb 0.125
affinity langara /dev/sdc 0.25
affinity abydos /dev/sda3 0.75
affinity abydos /dev/sdb 0.125
affinity abydos /dev/sdc 0.25
affinity orilla /dev/sda3 0.75
affinity orilla /dev/sdb 0.125
affinity orilla /dev/sdc 0.25
