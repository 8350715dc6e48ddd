import type { Ceph, Cluster, Server } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, bracketed, quote, scriptFile, textFile } from "../file.ts";

export function cephConf(cluster: Cluster, server: Server, options: RenderOptions): RenderedFile[] {
  const { ceph } = cluster;
  if (ceph === undefined) return [];
  const mons = monitors(cluster, ceph);
  const six = mons.some(({ address }) => address?.family === 6);
  const sections: [string, [string, string][]][] = [
    [
      "global",
      [
        ["fsid", ceph.fsid],
        ["mon_initial_members", ceph.mons.join(",")],
        [
          "mon_host",
          mons
            .flatMap(({ address }) =>
              address === undefined ? [] : [`[v2:${bracketed(address)}:3300,v1:${bracketed(address)}:6789]`],
            )
            .join(","),
        ],
        ["ms_bind_ipv6", String(six)],
        ["ms_bind_ipv4", String(!six)],
        ...(ceph.publicNetwork === undefined
          ? []
          : [["public_network", ceph.publicNetwork.toString()] satisfies [string, string]]),
        ...(ceph.clusterNetwork === undefined
          ? []
          : [["cluster_network", ceph.clusterNetwork.toString()] satisfies [string, string]]),
        ["auth_cluster_required", "cephx"],
        ["auth_service_required", "cephx"],
        ["auth_client_required", "cephx"],
      ],
    ],
    // In [global] a keyring would be read by the daemons, too.
    ["client", [["keyring", "/etc/ceph/$cluster.$name.keyring"]]],
    ...["mon", "mgr", "osd", "mds"].map((kind): [string, [string, string][]] => [
      kind,
      [["keyring", `/var/lib/ceph/${kind}/$cluster-$id/keyring`]],
    ]),
  ];
  const lines = sections.flatMap(([name, keys]) =>
    [`[${name}]`].concat(
      keys.map(([key, value]) => `${key} = ${value}`),
      "",
    ),
  );
  return [
    textFile(`servers/${server.name}/etc/ceph/ceph.conf`, options, `Ceph on ${server.name}.`, lines.slice(0, -1)),
  ];
}

export function cephScripts(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const { ceph } = cluster;
  if (ceph === undefined) return [];
  return [
    scriptFile(
      "ceph/bootstrap.sh",
      options,
      "Starts Ceph's daemons on this server: the first monitor's server first. Safe to run again.",
      bootstrap(cluster, ceph),
    ),
    scriptFile(
      "ceph/crush.sh",
      options,
      "Rules, pools, file systems and primary affinity; run it once, anywhere. Safe to run again.",
      crush(cluster, ceph),
    ),
  ];
}

function monitors(cluster: Cluster, ceph: Ceph) {
  return cluster.servers.filter(({ name }) => ceph.mons.includes(name)).map(({ name, address }) => ({ name, address }));
}

function bootstrap(cluster: Cluster, ceph: Ceph): string[] {
  const mons = monitors(cluster, ceph);
  const adds = mons.map(
    ({ name, address }) =>
      `--addv ${name} ${quote(`[v2:${address === undefined ? "" : bracketed(address)}:3300,v1:${address === undefined ? "" : bracketed(address)}:6789]`)}`,
  );
  const [first] = mons;
  const disks = cluster.servers.map((server) => {
    const devices = server.disks
      .filter(({ osd }) => osd)
      .map((disk) =>
        disk.device === undefined
          ? `    echo "no device is named for the disk ${disk.name} of $host" >&2`
          : `    osd ${quote(disk.device)} ${disk.class}`,
      );
    return [`  ${server.name})`, ...(devices.length > 0 ? devices : ["    :"]), "    ;;"].join("\n");
  });
  return [
    "umask 077",
    "host=$(hostname -s)",
    `keyring=/etc/ceph/ceph.mon.keyring`,
    "",
    "# The keys: made on the first server; copy /etc/ceph/*.keyring and /var/lib/ceph/bootstrap-osd to the others.",
    `if [ "$host" = ${first?.name ?? ""} ] && [ ! -e "$keyring" ]; then`,
    "  ceph-authtool --create-keyring \"$keyring\" --gen-key -n mon. --cap mon 'allow *'",
    "  ceph-authtool --create-keyring /etc/ceph/ceph.client.admin.keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'",
    "  mkdir -p /var/lib/ceph/bootstrap-osd",
    "  ceph-authtool --create-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring --gen-key -n client.bootstrap-osd --cap mon 'profile bootstrap-osd' --cap mgr 'allow r'",
    '  ceph-authtool "$keyring" --import-keyring /etc/ceph/ceph.client.admin.keyring',
    '  ceph-authtool "$keyring" --import-keyring /var/lib/ceph/bootstrap-osd/ceph.keyring',
    "fi",
    "",
    `case $host in ${ceph.mons.join("|")})`,
    "  if [ ! -e /var/lib/ceph/mon/ceph-$host/done ]; then",
    "    map=$(mktemp)",
    `    monmaptool --create --clobber --fsid ${ceph.fsid} ${adds.join(" ")} "$map"`,
    '    ceph-mon --mkfs -i "$host" --monmap "$map" --keyring "$keyring"',
    "    touch /var/lib/ceph/mon/ceph-$host/done",
    "    chown -R ceph:ceph /var/lib/ceph",
    '    rm "$map"',
    "  fi",
    '  systemctl enable --now "ceph-mon@$host"',
    "  if ! ceph --connect-timeout 30 mon stat >/dev/null 2>&1; then",
    '    echo "no quorum yet: run this on the next monitor, then here again" >&2',
    "    exit 0",
    "  fi",
    "  for kind in mgr mds; do",
    "    mkdir -p /var/lib/ceph/$kind/ceph-$host",
    "    case $kind in",
    "      mgr) ceph auth get-or-create mgr.$host mon 'allow profile mgr' osd 'allow *' mds 'allow *' ;;",
    "      mds) ceph auth get-or-create mds.$host mon 'profile mds' mgr 'profile mds' mds 'allow *' osd 'allow *' ;;",
    "    esac >/var/lib/ceph/$kind/ceph-$host/keyring",
    "    chown -R ceph:ceph /var/lib/ceph/$kind",
    '    systemctl enable --now "ceph-$kind@$host"',
    "  done",
    "  ceph mon enable-msgr2 ;;",
    "esac",
    "",
    "# osd DEVICE CLASS: gives a device to Ceph, unless it has it.",
    "osd() {",
    '  ceph-volume lvm list "$1" >/dev/null 2>&1 || ceph-volume lvm create --data "$1" --crush-device-class "$2"',
    "}",
    "case $host in",
    ...disks,
    "esac",
  ];
}

function crush(cluster: Cluster, ceph: Ceph): string[] {
  const lines = ['exists() { ceph osd "$1" ls | grep -qx "$2"; }', ""];
  for (const rule of ceph.rules)
    lines.push(
      `ceph osd crush rule ls | grep -qx ${rule.name} || ceph osd crush rule create-replicated ${rule.name} default ${rule.failureDomain} ${rule.class}`,
    );
  for (const pool of ceph.pools) {
    lines.push(
      "",
      `exists pool ${pool.name} || ceph osd pool create ${pool.name} ${pool.placementGroups} ${pool.placementGroups} replicated ${pool.rule}`,
    );
    lines.push(`ceph osd pool set ${pool.name} crush_rule ${pool.rule}`);
    lines.push(
      `ceph osd pool set ${pool.name} size ${pool.size}${pool.size === 1 ? " --yes-i-really-mean-it" : ""}`,
      `ceph osd pool set ${pool.name} min_size ${pool.minSize}`,
    );
    if (pool.application === "rbd") lines.push(`ceph osd pool application enable ${pool.name} rbd`);
  }
  for (const fs of ceph.filesystems) {
    lines.push("", `ceph fs get ${fs.name} >/dev/null 2>&1 || ceph fs new ${fs.name} ${fs.metadata} ${fs.data}`);
    if (fs.snapshots) lines.push(`ceph fs set ${fs.name} allow_new_snaps true`);
  }
  const preferred = cluster.servers.flatMap((server) =>
    server.disks
      .filter(({ osd, affinity, device }) => osd && affinity !== 1 && device !== undefined)
      .map((disk) => `affinity ${server.name} ${quote(disk.device ?? "")} ${disk.affinity}`),
  );
  if (preferred.length > 0)
    lines.push(
      "",
      "# affinity HOST DEVICE VALUE: how much a disk is preferred for the first replica.",
      "affinity() {",
      `  id=$(ceph osd metadata -f json | jq -r --arg host "$1" --arg device "$(basename "$2")" \\`,
      `    'def names($list): ($list // "") | split(",")[];`,
      "     .[] | select(.hostname == $host) | select(any(",
      '       (names(.devices) as $d | $device | test("^\\($d)(p?[0-9]+)?$")),',
      '       (names(.device_ids) | split("=")[1:] | join("=") | . as $id | $id != "" and ($device | contains($id)));',
      "       .)) | .id')",
      '  if [ -n "$id" ]; then ceph osd primary-affinity "osd.$id" "$3"; else echo "no OSD on $1 $2 yet" >&2; fi',
      "}",
      ...preferred,
    );
  return lines;
}
