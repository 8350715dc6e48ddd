#!/bin/sh
# Creates the routers' containers; then install frr, keepalived and jq in them. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

if ! incus config show edge1 >/dev/null 2>&1; then
  incus init images:debian/13 edge1 --target n1 -c cluster.evacuate=stop -c boot.autostart.priority=100
  incus config device add edge1 wan nic nictype=bridged parent=br-wan name=wan
  incus config device add edge1 uplink nic nictype=bridged parent=br-uplink name=uplink
  incus config device add edge1 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! incus config show edge2 >/dev/null 2>&1; then
  incus init images:debian/13 edge2 --target n3 -c cluster.evacuate=stop -c boot.autostart.priority=100
  incus config device add edge2 wan nic nictype=bridged parent=br-wan name=wan
  incus config device add edge2 uplink nic nictype=bridged parent=br-uplink name=uplink
  incus config device add edge2 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
if ! incus config show edge3 >/dev/null 2>&1; then
  incus init images:debian/13 edge3 --target n5 -c cluster.evacuate=stop -c boot.autostart.priority=100
  incus config device add edge3 wan nic nictype=bridged parent=br-wan name=wan
  incus config device add edge3 uplink nic nictype=bridged parent=br-uplink name=uplink
  incus config device add edge3 hosts nic nictype=bridged parent=br-hosts name=hosts
fi
