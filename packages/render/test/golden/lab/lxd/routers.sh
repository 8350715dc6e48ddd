#!/bin/sh
# Creates the routers' containers; then install frr, keepalived and jq in them. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show r1 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 r1 --target s1 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add r1 hosts nic nictype=bridged parent=br-hosts name=hosts
  lxc config device add r1 uplink nic nictype=bridged parent=br-uplink name=uplink
fi
if ! lxc config show r2 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 r2 --target s2 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add r2 hosts nic nictype=bridged parent=br-hosts name=hosts
  lxc config device add r2 uplink nic nictype=bridged parent=br-uplink name=uplink
fi
if ! lxc config show r3 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 r3 --target s3 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add r3 hosts nic nictype=bridged parent=br-hosts name=hosts
  lxc config device add r3 uplink nic nictype=bridged parent=br-uplink name=uplink
fi
