#!/bin/sh
# Storage pools. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc storage show local >/dev/null 2>&1; then
  lxc storage create local dir --target langara
  lxc storage create local dir --target abydos
  lxc storage create local dir --target orilla
  lxc storage create local dir
fi
if ! lxc storage show ssd >/dev/null 2>&1; then
  lxc storage create ssd ceph source=lxd-ssd --target langara
  lxc storage create ssd ceph source=lxd-ssd --target abydos
  lxc storage create ssd ceph source=lxd-ssd --target orilla
  lxc storage create ssd ceph
fi
if ! lxc storage show hdd >/dev/null 2>&1; then
  lxc storage create hdd ceph source=lxd-hdd --target langara
  lxc storage create hdd ceph source=lxd-hdd --target abydos
  lxc storage create hdd ceph source=lxd-hdd --target orilla
  lxc storage create hdd ceph
fi
if ! lxc storage show shared >/dev/null 2>&1; then
  lxc storage create shared cephfs source=lxd-cephfs --target langara
  lxc storage create shared cephfs source=lxd-cephfs --target abydos
  lxc storage create shared cephfs source=lxd-cephfs --target orilla
  lxc storage create shared cephfs
fi
lxc profile device get default root pool >/dev/null 2>&1 || lxc profile device add default root disk path=/ pool=local
