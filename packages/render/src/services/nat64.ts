import type { Prefix } from "@trivet/ip";
import type { Cluster } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, textFile } from "../file.ts";

/**
 * What tayga, which gives every inner host an address of its own, has to give: only it and the kernel beside it see them, and the
 * kernel then puts all hosts behind the few public ones.
 */
const INNER = "100.64.64.0/18";
const INNER_OWN = "100.64.64.1";

/** The prefix that IPv4 addresses are reached through, if the cluster has NAT64: routers and agents let it pass. */
export function nat64Prefixes({ services: { nat64 } }: Cluster): string[] {
  return nat64 === undefined ? [] : [nat64.prefix?.toString() ?? "64:ff9b::/96"];
}

/** NAT64, a folder for each instance. All announce the one prefix; answers come back to addresses that each has for itself. */
export function nat64(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const settings = cluster.services.nat64;
  if (settings === undefined) return [];
  const [prefix = ""] = nat64Prefixes(cluster);
  const instances = cluster.projects.flatMap((project) => project.instances);
  return settings.instances.flatMap((ref) => {
    const routes = instances.find((instance) => instance.ref === ref)?.routes ?? [];
    const own = routes.filter((route) => route.family === 4 && settings.pool.contains(route));
    const pool = own.length > 0 ? own : [settings.pool];
    const folder = `nat64/${ref}/etc`;
    return [
      textFile(
        `${folder}/sysctl.d/60-nat64.conf`,
        options,
        `NAT64 on ${ref}: it forwards, and still takes its own routes.`,
        ["net.ipv4.ip_forward = 1", "net.ipv6.conf.all.forwarding = 1", "net.ipv6.conf.eth0.accept_ra = 2"],
      ),
      ...(settings.engine === "jool"
        ? [jool(folder, prefix, pool, options)]
        : tayga(folder, ref, prefix, pool, options)),
    ];
  });
}

function tayga(
  folder: string,
  ref: string,
  prefix: string,
  pool: readonly Prefix[],
  options: RenderOptions,
): RenderedFile[] {
  const addresses = pool.flatMap((part) => Array.from({ length: Number(part.size) }, (_, i) => part.at(i).toString()));
  // One inner host always has the same public address (RFC 4787, REQ-2).
  const target =
    addresses.length === 1
      ? addresses.join("")
      : `jhash ip saddr mod ${addresses.length} map { ${addresses.map((address, i) => `${i} : ${address}`).join(", ")} }`;
  return [
    textFile(`${folder}/tayga.conf`, options, `tayga on ${ref}.`, [
      "tun-device nat64",
      `ipv4-addr ${INNER_OWN}`,
      `prefix ${prefix}`,
      `dynamic-pool ${INNER}`,
      "data-dir /var/lib/tayga",
    ]),
    // The unit of some releases starts tayga alone, others have a script that also translates to one address.
    textFile(`${folder}/systemd/system/tayga.service`, options, `tayga on ${ref}, and the way to it.`, [
      "[Unit]",
      "Description=NAT64",
      "After=network-online.target nftables.service",
      "Wants=network-online.target nftables.service",
      "",
      "[Service]",
      "StateDirectory=tayga",
      "ExecStartPre=/usr/sbin/tayga --mktun",
      "ExecStartPre=/usr/sbin/ip link set nat64 up",
      `ExecStartPre=/usr/sbin/ip route replace ${INNER} dev nat64`,
      `ExecStartPre=/usr/sbin/ip -6 route replace ${prefix} dev nat64`,
      "# What answers nothing must not go back to where it came from.",
      ...pool.map((part) => `ExecStartPre=/usr/sbin/ip route replace blackhole ${part.toString()}`),
      "ExecStart=/usr/sbin/tayga --nodetach",
      "ExecStopPost=-/usr/sbin/tayga --rmtun",
      "Restart=always",
      "RestartSec=1",
      "",
      "[Install]",
      "WantedBy=multi-user.target",
    ]),
    textFile(`${folder}/nftables.conf`, options, `The addresses that inner hosts appear as, on ${ref}.`, [
      "flush ruleset",
      "table ip nat64 {",
      "  chain postrouting {",
      "    type nat hook postrouting priority srcnat;",
      `    ip saddr ${INNER} snat to ${target}`,
      "  }",
      "}",
    ]),
  ];
}

function jool(folder: string, prefix: string, pool: readonly Prefix[], options: RenderOptions): RenderedFile {
  const text = JSON.stringify(
    {
      comment: `NAT64. Rendered by trivet from ${options.source}: change that and render again.`,
      instance: "trivet",
      framework: "netfilter",
      global: { pool6: prefix },
      pool4: pool.flatMap((part) =>
        ["TCP", "UDP", "ICMP"].map((protocol) => ({ protocol, prefix: part.toString(), "port range": "1024-65535" })),
      ),
    },
    undefined,
    2,
  );
  return { path: `${folder}/jool/jool.conf`, mode: 0o644, text: `${text}\n` };
}
