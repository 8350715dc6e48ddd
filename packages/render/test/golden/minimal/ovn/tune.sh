#!/bin/sh
# Timers of the BFD sessions between OVN's chassis; run it once, on a central server.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

ovn-nbctl set nb_global . options:bfd-min-rx=100 options:bfd-min-tx=100 options:bfd-mult=3
