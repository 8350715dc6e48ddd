#!/bin/sh
# Rules, pools, file systems and primary affinity; run it once, anywhere. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

exists() { ceph osd "$1" ls | grep -qx "$2"; }

ceph osd crush rule ls | grep -qx replicated_rule_ssd || ceph osd crush rule create-replicated replicated_rule_ssd default host ssd
ceph osd crush rule ls | grep -qx replicated_rule_hdd || ceph osd crush rule create-replicated replicated_rule_hdd default host hdd

exists pool lxd-ssd || ceph osd pool create lxd-ssd 8 8 replicated replicated_rule_ssd
ceph osd pool set lxd-ssd crush_rule replicated_rule_ssd
ceph osd pool set lxd-ssd size 3
ceph osd pool set lxd-ssd min_size 2
ceph osd pool application enable lxd-ssd rbd

exists pool lxd-hdd || ceph osd pool create lxd-hdd 8 8 replicated replicated_rule_hdd
ceph osd pool set lxd-hdd crush_rule replicated_rule_hdd
ceph osd pool set lxd-hdd size 3
ceph osd pool set lxd-hdd min_size 2
ceph osd pool application enable lxd-hdd rbd

exists pool lxd-cephfs_metadata || ceph osd pool create lxd-cephfs_metadata 8 8 replicated replicated_rule_ssd
ceph osd pool set lxd-cephfs_metadata crush_rule replicated_rule_ssd
ceph osd pool set lxd-cephfs_metadata size 3
ceph osd pool set lxd-cephfs_metadata min_size 2

exists pool lxd-cephfs_data || ceph osd pool create lxd-cephfs_data 8 8 replicated replicated_rule_hdd
ceph osd pool set lxd-cephfs_data crush_rule replicated_rule_hdd
ceph osd pool set lxd-cephfs_data size 3
ceph osd pool set lxd-cephfs_data min_size 2

ceph fs get lxd-cephfs >/dev/null 2>&1 || ceph fs new lxd-cephfs lxd-cephfs_metadata lxd-cephfs_data
ceph fs set lxd-cephfs allow_new_snaps true
