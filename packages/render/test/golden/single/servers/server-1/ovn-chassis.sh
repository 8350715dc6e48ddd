#!/bin/sh
# Points server-1's Open vSwitch at OVN's databases.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

ovs-vsctl set open_vswitch . external-ids:ovn-remote=tcp:192.168.1.11:6642 \
  external-ids:ovn-encap-type=geneve \
  external-ids:ovn-encap-ip=192.168.1.11
