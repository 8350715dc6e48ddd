#!/bin/sh
# What may reach what. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu


