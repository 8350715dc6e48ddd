#!/bin/sh
# Storage pools. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc storage show local >/dev/null 2>&1; then
  lxc storage create local dir --target s1
  lxc storage create local dir --target s2
  lxc storage create local dir --target s3
  lxc storage create local dir
fi
lxc profile device get default root pool >/dev/null 2>&1 || lxc profile device add default root disk path=/ pool=local
