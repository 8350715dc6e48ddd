#!/bin/sh
# What may reach what. Safe to run again.
# Rendered by trivet from cluster.yaml: change that and render again.
set -eu

lxc network acl show dns --project dns >/dev/null 2>&1 || lxc network acl create dns --project dns
lxc network acl edit dns --project dns <<'EOF'
description: ""
ingress:
  - action: allow
    state: enabled
    protocol: udp
    destination_port: "53"
  - action: allow
    state: enabled
    protocol: tcp
    destination_port: "53"
  - action: allow
    state: enabled
    protocol: icmp6
egress:
  - action: allow
    state: enabled
    description: resolvers ask the world
config: {}
EOF
lxc network set ovn-dns01 security.acls=dns security.acls.default.ingress.action=drop security.acls.default.egress.action=drop --project dns
lxc network set ovn-dns02 security.acls=dns security.acls.default.ingress.action=drop security.acls.default.egress.action=drop --project dns
lxc network set ovn-dns03 security.acls=dns security.acls.default.ingress.action=drop security.acls.default.egress.action=drop --project dns
lxc network acl show inside --project infra >/dev/null 2>&1 || lxc network acl create inside --project infra
lxc network acl edit inside --project infra <<'EOF'
description: ""
ingress:
  - action: allow
    state: enabled
    source: 2001:db8:10::/48
egress:
  - action: allow
    state: enabled
config: {}
EOF
lxc network set ovn-infra01 security.acls=inside security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project infra
lxc network set ovn-infra02 security.acls=inside security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project infra
lxc network set ovn-infra03 security.acls=inside security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project infra
lxc network acl show web --project web >/dev/null 2>&1 || lxc network acl create web --project web
lxc network acl show from-edge --project web >/dev/null 2>&1 || lxc network acl create from-edge --project web
lxc network acl edit web --project web <<'EOF'
description: ""
ingress:
  - action: allow
    state: enabled
    protocol: tcp
    destination_port: 80,443
  - action: allow
    state: enabled
    protocol: icmp6
egress:
  - action: allow
    state: enabled
config: {}
EOF
lxc network acl edit from-edge --project web <<'EOF'
description: ""
ingress:
  - action: allow
    state: enabled
    protocol: tcp
    source: web
    destination_port: "8080"
egress:
  - action: allow
    state: enabled
config: {}
EOF
lxc network set ovn-edge01 security.acls=web security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project web
lxc network set ovn-edge02 security.acls=web security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project web
lxc network set ovn-edge03 security.acls=web security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project web
lxc network set ovn-web security.acls=from-edge security.acls.default.ingress.action=reject security.acls.default.egress.action=reject --project web
