#!/bin/sh
# Rules, pools, file systems and primary affinity; run it once, anywhere. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

exists() { ceph osd "$1" ls | grep -qx "$2"; }

ceph osd crush rule ls | grep -qx replicated_rule_nvme || ceph osd crush rule create-replicated replicated_rule_nvme default host nvme

exists pool lxd-default || ceph osd pool create lxd-default 256 256 replicated replicated_rule_nvme
ceph osd pool set lxd-default crush_rule replicated_rule_nvme
ceph osd pool set lxd-default size 3
ceph osd pool set lxd-default min_size 2
ceph osd pool application enable lxd-default rbd

exists pool lxd-cephfs_metadata || ceph osd pool create lxd-cephfs_metadata 32 32 replicated replicated_rule_nvme
ceph osd pool set lxd-cephfs_metadata crush_rule replicated_rule_nvme
ceph osd pool set lxd-cephfs_metadata size 3
ceph osd pool set lxd-cephfs_metadata min_size 2

exists pool lxd-cephfs_data || ceph osd pool create lxd-cephfs_data 32 32 replicated replicated_rule_nvme
ceph osd pool set lxd-cephfs_data crush_rule replicated_rule_nvme
ceph osd pool set lxd-cephfs_data size 3
ceph osd pool set lxd-cephfs_data min_size 2

ceph fs get lxd-cephfs >/dev/null 2>&1 || ceph fs new lxd-cephfs lxd-cephfs_metadata lxd-cephfs_data
ceph fs set lxd-cephfs allow_new_snaps true
