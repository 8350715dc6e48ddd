#!/bin/sh
# Storage pools. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! incus storage show default >/dev/null 2>&1; then
  incus storage create default ceph source=lxd-default --target n1
  incus storage create default ceph source=lxd-default --target n2
  incus storage create default ceph source=lxd-default --target n3
  incus storage create default ceph source=lxd-default --target n4
  incus storage create default ceph source=lxd-default --target n5
  incus storage create default ceph
fi
if ! incus storage show files >/dev/null 2>&1; then
  incus storage create files cephfs source=lxd-cephfs --target n1
  incus storage create files cephfs source=lxd-cephfs --target n2
  incus storage create files cephfs source=lxd-cephfs --target n3
  incus storage create files cephfs source=lxd-cephfs --target n4
  incus storage create files cephfs source=lxd-cephfs --target n5
  incus storage create files cephfs
fi
incus profile device get default root pool >/dev/null 2>&1 || incus profile device add default root disk path=/ pool=default
