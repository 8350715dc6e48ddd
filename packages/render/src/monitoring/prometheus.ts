import type { Cluster } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, bracketed, yamlFile } from "../file.ts";
import { alerts, alertTests } from "./rules.ts";

/** Prometheus: what it asks, what it warns of, and tests of the warnings. */
export function prometheus(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  if (cluster.monitoring === undefined) return [];
  return [
    yamlFile("monitoring/prometheus.yml", options, "Prometheus.", {
      global: { scrape_interval: "15s", evaluation_interval: "15s", external_labels: { cluster: cluster.name } },
      rule_files: ["rules/*.yml"],
      scrape_configs: jobs(cluster),
    }),
    yamlFile("monitoring/rules/cluster.yml", options, "What to be woken up for.", {
      groups: [{ name: cluster.name, rules: alerts(cluster) }],
    }),
    yamlFile("monitoring/rules/tests/cluster.yml", options, "promtool test rules monitoring/rules/tests/cluster.yml", {
      rule_files: ["../cluster.yml"],
      evaluation_interval: "1m",
      tests: alertTests(cluster),
    }),
  ];
}

interface Target {
  readonly at: string;
  readonly name: string;
}

function jobs(cluster: Cluster): object[] {
  const servers = cluster.servers.flatMap(({ name, address }): Target[] =>
    address === undefined ? [] : [{ name, at: bracketed(address) }],
  );
  const on = (port: number, among = servers) =>
    among.map(({ name, at }) => ({ targets: [`${at}:${port}`], labels: { server: name } }));
  const service = (refs: readonly string[] | undefined, port: number) =>
    (refs ?? []).map((ref) => ({
      targets: [`${ref.split("/")[1] ?? ref}.${cluster.domain}:${port}`],
      labels: { instance_name: ref },
    }));
  const agentTls = {
    scheme: "https",
    tls_config: {
      cert_file: "/etc/prometheus/lxd.crt",
      key_file: "/etc/prometheus/lxd.key",
      insecure_skip_verify: true,
    },
  };
  const mons = servers.filter(({ name }) => cluster.ceph?.mons.includes(name) === true);
  const routers = (cluster.routing?.routers ?? []).flatMap(({ name, interfaces }): Target[] => {
    const address = interfaces.find(({ role }) => role === "hosts")?.addresses[0]?.address;
    return address === undefined ? [] : [{ name, at: bracketed(address) }];
  });
  const all: [string, object[], object?][] = [
    ["node", on(9100)],
    ["trivet", on(8444), agentTls],
    ["ipmi", cluster.servers.some(({ bmc }) => bmc?.address !== undefined) ? on(9290) : []],
    ["ceph", on(9283, mons), { honor_labels: true }],
    ["frr", routers.map(({ name, at }) => ({ targets: [`${at}:9342`], labels: { router: name } }))],
    ["unbound", service(cluster.dns?.resolvers?.instances, 9167)],
    ["nsd", service(cluster.dns?.nameservers?.instances, 9167)],
    ["haproxy", service(cluster.services.haproxy?.instances, 8405)],
    [
      "snmp",
      (cluster.monitoring?.snmp ?? []).map((name) => ({
        targets: [switchAddress(cluster, name)],
        labels: { switch: name },
      })),
      snmpRelabel(),
    ],
  ];
  return all
    .filter(([, targets]) => targets.length > 0)
    .map(([name, targets, more]) => Object.assign({ job_name: name }, more, { static_configs: targets }));
}

function switchAddress(cluster: Cluster, name: string): string {
  const address = cluster.switches.find((each) => each.name === name)?.address;
  return address?.toString() ?? `${name}.${cluster.domain}`;
}

/** The exporter asks the switch: the target becomes its parameter. */
function snmpRelabel(): object {
  return {
    metrics_path: "/snmp",
    params: { module: ["if_mib"] },
    relabel_configs: [
      { source_labels: ["__address__"], target_label: "__param_target" },
      { source_labels: ["__param_target"], target_label: "instance" },
      { target_label: "__address__", replacement: "localhost:9116" },
    ],
  };
}
