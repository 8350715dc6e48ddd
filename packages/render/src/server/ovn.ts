import type { Cluster, Ovn, Server } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, bracketed, quote, scriptFile, textFile } from "../file.ts";

/** OVN's databases on the central servers, and the tunnel settings of each. */
export function ovn(cluster: Cluster, server: Server, options: RenderOptions): RenderedFile[] {
  const { ovn: settings } = cluster;
  if (settings === undefined || server.address === undefined) return [];
  const files = settings.central.includes(server.name) ? [central(cluster, settings, server, options)] : [];
  const remote = members(cluster, settings)
    .map((address) => `${proto(settings)}:${address}:6642`)
    .join(",");
  const set = [`ovn-remote=${remote}`, "ovn-encap-type=geneve", `ovn-encap-ip=${server.address.toString()}`];
  files.push(
    scriptFile(
      `servers/${server.name}/ovn-chassis.sh`,
      options,
      `Points ${server.name}'s Open vSwitch at OVN's databases.`,
      [`ovs-vsctl set open_vswitch . ${set.map((each) => `external-ids:${quote(each)}`).join(" \\\n  ")}`],
    ),
    textFile(
      `servers/${server.name}/etc/systemd/system/ovn-controller.service.d/keep-trying.conf`,
      options,
      "While its databases are empty or away it may crash a few times; systemd would give it up for good.",
      ["[Unit]", "StartLimitIntervalSec=0", "", "[Service]", "RestartSec=1"],
    ),
    ...afterOvn(cluster, settings, server, options),
  );
  return files;
}

/**
 * LXD and Incus try a network that failed to start again only after a minute, and with it every instance on it: at boot they wait until
 * OVN's databases answer, for a minute at most. With TLS the host's `ovn-nbctl` has no key to ask with; then nothing waits.
 */
function afterOvn(cluster: Cluster, settings: Ovn, server: Server, options: RenderOptions): RenderedFile[] {
  if (settings.ssl) return [];
  const units = cluster.platform === "incus" ? ["incus"] : ["lxd", "snap.lxd.daemon"];
  const asked = `ovn-nbctl --timeout=5 --db=${northbound(cluster)} get-connection`;
  return units.map((unit) =>
    textFile(
      `servers/${server.name}/etc/systemd/system/${unit}.service.d/after-ovn.conf`,
      options,
      "Starts when OVN's databases answer: a network that failed to start is tried again only after a minute.",
      [
        "[Unit]",
        "After=ovn-central.service ovn-controller.service",
        "",
        "[Service]",
        `ExecStartPre=-/usr/bin/timeout 60 sh -c 'until ${asked}; do sleep 1; done'`,
      ],
    ),
  );
}

/** How fast a dead gateway is noticed; OVN reads it live. */
export function ovnTuning(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  if (cluster.ovn === undefined) return [];
  const { minRx, minTx, multiplier } = cluster.ovn.bfd;
  return [
    scriptFile(
      "ovn/tune.sh",
      options,
      "Timers of the BFD sessions between OVN's chassis; run it once, on a central server.",
      [
        `ovn-nbctl set nb_global . options:bfd-min-rx=${minRx} options:bfd-min-tx=${minTx} options:bfd-mult=${multiplier}`,
      ],
    ),
  ];
}

/** The clients' address of the northbound database, as LXD wants it. */
export function northbound(cluster: Cluster): string {
  const { ovn: settings } = cluster;
  return settings === undefined
    ? ""
    : members(cluster, settings)
        .map((address) => `${proto(settings)}:${address}:6641`)
        .join(",");
}

function central(cluster: Cluster, settings: Ovn, server: Server, options: RenderOptions): RenderedFile {
  const all = members(cluster, settings);
  const index = settings.central.indexOf(server.name);
  const local = all[index] ?? "";
  // A database file that is missing and no remote address make a new cluster: after the first start everybody joins somebody.
  const remote = index > 0 ? all[0] : settings.bootstrap ? undefined : all[1];
  const opts = [
    ["db-nb-addr", local],
    ["db-sb-addr", local],
    ["db-nb-create-insecure-remote", settings.ssl ? "no" : "yes"],
    ["db-sb-create-insecure-remote", settings.ssl ? "no" : "yes"],
    ["db-nb-cluster-local-addr", local],
    ["db-sb-cluster-local-addr", local],
    ...(remote === undefined
      ? []
      : [
          ["db-nb-cluster-remote-addr", remote],
          ["db-sb-cluster-remote-addr", remote],
        ]),
    ...(settings.ssl
      ? ["nb", "sb"].flatMap((db) => [
          [`db-${db}-cluster-local-proto`, "ssl"],
          [`db-${db}-cluster-remote-proto`, "ssl"],
        ])
      : []),
    ["ovn-northd-nb-db", all.map((address) => `${proto(settings)}:${address}:6641`).join(",")],
    ["ovn-northd-sb-db", all.map((address) => `${proto(settings)}:${address}:6642`).join(",")],
  ];
  const first =
    remote === undefined
      ? ["# This server creates the databases. Once they exist, set ovn.bootstrap to false and render again."]
      : [];
  return textFile(`servers/${server.name}/etc/default/ovn-central`, options, `OVN's databases on ${server.name}.`, [
    ...first,
    `OVN_CTL_OPTS="${opts.map(([key, value]) => `--${key}=${value}`).join(" \\\n  ")}"`,
  ]);
}

function members(cluster: Cluster, settings: Ovn): string[] {
  return settings.central.flatMap((name) => {
    const address = cluster.servers.find((server) => server.name === name)?.address;
    return address === undefined ? [] : [bracketed(address)];
  });
}

function proto({ ssl }: Ovn): "ssl" | "tcp" {
  return ssl ? "ssl" : "tcp";
}
