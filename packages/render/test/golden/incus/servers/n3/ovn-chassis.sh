#!/bin/sh
# Points n3's Open vSwitch at OVN's databases.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

ovs-vsctl set open_vswitch . external-ids:'ovn-remote=tcp:[2001:db8:50:103::101]:6642,tcp:[2001:db8:50:103::102]:6642,tcp:[2001:db8:50:103::103]:6642' \
  external-ids:ovn-encap-type=geneve \
  external-ids:ovn-encap-ip=2001:db8:50:103::103
