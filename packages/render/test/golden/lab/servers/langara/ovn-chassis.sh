#!/bin/sh
# Points langara's Open vSwitch at OVN's databases.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

ovs-vsctl set open_vswitch . external-ids:ovn-remote=tcp:10.60.0.100:6642,tcp:10.60.0.101:6642,tcp:10.60.0.102:6642 \
  external-ids:ovn-encap-type=geneve \
  external-ids:ovn-encap-ip=10.60.0.100
