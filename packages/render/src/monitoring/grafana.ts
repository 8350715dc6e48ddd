import type { Cluster } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, yamlFile } from "../file.ts";

type Query = readonly [expr: string, legend: string];
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly Query[];
}

/** A dashboard of the layers, and how Grafana finds it. */
export function grafana(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  if (cluster.monitoring === undefined) return [];
  const text = JSON.stringify(dashboard(cluster, options), undefined, 2);
  return [
    { path: "monitoring/grafana/cluster.json", mode: 0o644, text: `${text}\n` },
    yamlFile("monitoring/grafana/provisioning/dashboards/trivet.yaml", options, "Where Grafana finds the dashboards.", {
      apiVersion: 1,
      providers: [{ name: "trivet", type: "file", options: { path: "/var/lib/grafana/dashboards" } }],
    }),
    yamlFile("monitoring/grafana/provisioning/datasources/trivet.yaml", options, "Where Grafana finds the figures.", {
      apiVersion: 1,
      datasources: [
        { name: "prometheus", uid: "prometheus", type: "prometheus", access: "proxy", url: "http://localhost:9090" },
      ],
    }),
  ];
}

function rows(cluster: Cluster): [string, Panel[]][] {
  const device = (pattern: string) => `device=~"${pattern}"`;
  const bits = (pattern: string): Query[] => [
    [`rate(node_network_receive_bytes_total{${device(pattern)}}[2m]) * 8`, "{{server}} {{device}} in"],
    [`rate(node_network_transmit_bytes_total{${device(pattern)}}[2m]) * -8`, "{{server}} {{device}} out"],
  ];
  const links = cluster.servers[0]?.links ?? [];
  const mesh = links
    .filter(({ peer }) => "server" in peer)
    .map((link) => link.device)
    .join("|");
  const trunk = links
    .filter(({ peer }) => "switches" in peer)
    .map((link) => link.device)
    .join("|");
  const wan = cluster.vlans.find(({ role }) => role === "wan");
  const all: [string, (Panel | false)[]][] = [
    [
      "Network",
      [
        wan !== undefined && { title: `Provider (${wan.name})`, unit: "bps", queries: bits(wan.bridge) },
        { title: "To the switch", unit: "bps", queries: bits(trunk) },
        mesh !== "" && { title: "Mesh", unit: "bps", queries: bits(mesh) },
        { title: "Ports up in each bond", unit: "none", queries: [["node_bonding_active", "{{server}} {{master}}"]] },
      ],
    ],
    [
      "Servers",
      [
        {
          title: "CPU",
          unit: "percentunit",
          queries: [['1 - avg by (server) (rate(node_cpu_seconds_total{mode="idle"}[2m]))', "{{server}}"]],
        },
        {
          title: "Memory in use",
          unit: "percentunit",
          queries: [["1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{server}}"]],
        },
        { title: "Load", unit: "none", queries: [["node_load5", "{{server}}"]] },
        { title: "Temperatures", unit: "celsius", queries: [["node_hwmon_temp_celsius", "{{server}} {{sensor}}"]] },
        { title: "Fans", unit: "rotrpm", queries: [["ipmi_fan_speed_rpm", "{{server}} {{name}}"]] },
        { title: "Power", unit: "watt", queries: [["ipmi_power_watts", "{{server}} {{name}}"]] },
      ],
    ],
    [
      "Ceph",
      cluster.ceph === undefined
        ? []
        : [
            { title: "Health (0 is good)", unit: "none", queries: [["ceph_health_status", "health"]] },
            {
              title: "Use",
              unit: "percentunit",
              queries: [
                ["ceph_cluster_total_used_bytes / ceph_cluster_total_bytes", "all"],
                ["ceph_pool_percent_used * on (pool_id) group_left (name) ceph_pool_metadata", "{{name}}"],
              ],
            },
            {
              title: "Operations",
              unit: "iops",
              queries: [
                ["rate(ceph_pool_rd[2m]) * on (pool_id) group_left (name) ceph_pool_metadata", "{{name}} read"],
                ["rate(ceph_pool_wr[2m]) * on (pool_id) group_left (name) ceph_pool_metadata", "{{name}} write"],
              ],
            },
            { title: "Latency of the disks", unit: "ms", queries: [["ceph_osd_apply_latency_ms", "{{ceph_daemon}}"]] },
          ],
    ],
    [
      "Services",
      [
        {
          title: "Instances' CPU",
          unit: "none",
          queries: [
            [
              'topk(10, sum by (project, name) (rate(lxd_cpu_seconds_total{mode!="idle"}[2m])))',
              "{{project}}/{{name}}",
            ],
          ],
        },
        cluster.dns?.nameservers !== undefined && {
          title: "NSD",
          unit: "reqps",
          queries: [["rate(nsd_queries_total[2m])", "{{instance_name}}"]],
        },
        cluster.dns?.resolvers !== undefined && {
          title: "unbound",
          unit: "reqps",
          queries: [["rate(unbound_queries_total[2m])", "{{instance_name}}"]],
        },
        cluster.services.haproxy !== undefined && {
          title: "HAProxy",
          unit: "reqps",
          queries: [["sum by (proxy, code) (rate(haproxy_frontend_http_responses_total[2m]))", "{{proxy}} {{code}}"]],
        },
      ],
    ],
  ];
  return all
    .map(([title, panels]): [string, Panel[]] => [title, panels.filter((panel) => panel !== false)])
    .filter(([, panels]) => panels.length > 0);
}

function dashboard(cluster: Cluster, options: RenderOptions): object {
  let y = 0;
  let id = 0;
  const panels: object[] = [];
  for (const [title, row] of rows(cluster)) {
    panels.push({ id: ++id, type: "row", title, collapsed: false, gridPos: { x: 0, y: y++, w: 24, h: 1 }, panels: [] });
    for (const [index, { title, unit, queries }] of row.entries()) {
      panels.push({
        id: ++id,
        type: "timeseries",
        title,
        datasource: { type: "prometheus", uid: "prometheus" },
        gridPos: { x: (index % 3) * 8, y: y + Math.floor(index / 3) * 8, w: 8, h: 8 },
        fieldConfig: { defaults: { unit, custom: { fillOpacity: 10, showPoints: "never" } }, overrides: [] },
        options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
        targets: queries.map(([expr, legendFormat], target) => ({
          refId: String.fromCodePoint(65 + target),
          expr,
          legendFormat,
        })),
      });
    }
    y += Math.ceil(row.length / 3) * 8;
  }
  return {
    uid: `trivet-${cluster.name}`,
    title: `Cluster ${cluster.name}`,
    description: `Rendered by trivet from ${options.source}: change that and render again.`,
    tags: ["trivet"],
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    panels,
  };
}
