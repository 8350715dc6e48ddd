#!/bin/sh
# Rules, pools, file systems and primary affinity; run it once, anywhere. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

exists() { ceph osd "$1" ls | grep -qx "$2"; }

ceph osd crush rule ls | grep -qx replicated_rule_nvme || ceph osd crush rule create-replicated replicated_rule_nvme default host nvme

exists pool lxd-default || ceph osd pool create lxd-default 32 32 replicated replicated_rule_nvme
ceph osd pool set lxd-default crush_rule replicated_rule_nvme
ceph osd pool set lxd-default size 3
ceph osd pool set lxd-default min_size 2
ceph osd pool application enable lxd-default rbd
