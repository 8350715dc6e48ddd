#!/bin/sh
# Storage pools. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc storage show default >/dev/null 2>&1; then
  lxc storage create default zfs
fi
lxc profile device get default root pool >/dev/null 2>&1 || lxc profile device add default root disk path=/ pool=default
