import type { Cluster } from "@trivet/spec";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "page" | "ticket";
  readonly summary: string;
  /** A series that makes it fire, with the labels the alert then has. */
  readonly test: { readonly series: string; readonly values: string; readonly labels: Record<string, string> };
}

function list(cluster: Cluster): Alert[] {
  const [server] = cluster.servers;
  const first = server?.name ?? "server-1";
  const bonds = server?.links.filter(({ bonded }) => bonded) ?? [];
  const all: (Alert | false)[] = [
    {
      alert: "ServerDown",
      expr: 'up{job="node"} == 0',
      for: "1m",
      severity: "page",
      summary: "{{ $labels.server }} does not answer",
      test: { series: `up{job="node", server="${first}"}`, values: "0x10", labels: { job: "node", server: first } },
    },
    {
      alert: "AgentDown",
      expr: 'up{job="trivet"} == 0',
      for: "2m",
      severity: "page",
      summary: "the trivet agent on {{ $labels.server }} does not answer",
      test: { series: `up{job="trivet", server="${first}"}`, values: "0x10", labels: { job: "trivet", server: first } },
    },
    bonds.length > 0 && {
      alert: "BondPortDown",
      expr: "node_bonding_active < node_bonding_slaves",
      for: "1m",
      severity: "ticket",
      summary: "{{ $labels.server }}: a port of {{ $labels.master }} is down",
      test: {
        series: `node_bonding_active{server="${first}", master="${bonds[0]?.name ?? ""}"}`,
        values: "1x10",
        labels: { server: first, master: bonds[0]?.name ?? "" },
      },
    },
    {
      alert: "MemoryShort",
      expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1",
      for: "5m",
      severity: "ticket",
      summary: "{{ $labels.server }} has less than a tenth of its memory left",
      test: { series: `node_memory_MemAvailable_bytes{server="${first}"}`, values: "5x10", labels: { server: first } },
    },
    {
      alert: "FilesystemFull",
      expr: 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes < 0.1',
      for: "5m",
      severity: "ticket",
      summary: "{{ $labels.server }}: {{ $labels.mountpoint }} is nearly full",
      test: {
        series: `node_filesystem_avail_bytes{server="${first}", mountpoint="/", fstype="ext4"}`,
        values: "5x10",
        labels: { server: first, mountpoint: "/", fstype: "ext4" },
      },
    },
    {
      alert: "Hot",
      expr: "node_hwmon_temp_celsius > 85",
      for: "2m",
      severity: "page",
      summary: "{{ $labels.server }}: {{ $labels.sensor }} is at {{ $value }} °C",
      test: {
        series: `node_hwmon_temp_celsius{server="${first}", sensor="temp1"}`,
        values: "95x10",
        labels: { server: first, sensor: "temp1" },
      },
    },
    cluster.ceph !== undefined && {
      alert: "CephUnhealthy",
      expr: "ceph_health_status > 0",
      for: "15m",
      severity: "ticket",
      summary: "Ceph has been unhealthy for a quarter of an hour",
      test: { series: 'ceph_health_status{job="ceph"}', values: "1x30", labels: { job: "ceph" } },
    },
    cluster.ceph !== undefined && {
      alert: "CephNearFull",
      expr: "ceph_cluster_total_used_bytes / ceph_cluster_total_bytes > 0.66",
      for: "5m",
      severity: "ticket",
      summary: "Ceph could not heal on the other servers if one went",
      test: { series: 'ceph_cluster_total_used_bytes{job="ceph"}', values: "70x10", labels: { job: "ceph" } },
    },
    cluster.services.haproxy !== undefined && {
      alert: "BackendDown",
      expr: 'haproxy_backend_active_servers{proxy!~"stats|metrics"} == 0',
      for: "1m",
      severity: "page",
      summary: "HAProxy has no server left for {{ $labels.proxy }}",
      test: { series: 'haproxy_backend_active_servers{proxy="www"}', values: "0x10", labels: { proxy: "www" } },
    },
  ];
  return all.filter((each) => each !== false);
}

export function alerts(cluster: Cluster): object[] {
  return list(cluster).map(({ alert, expr, for: pending, severity, summary }) => ({
    alert,
    expr,
    for: pending,
    labels: { severity },
    annotations: { summary },
  }));
}

/** What a ratio is of, in the tests. */
const TOTALS: Record<string, string> = {
  MemoryShort: "node_memory_MemTotal_bytes",
  FilesystemFull: "node_filesystem_size_bytes",
  BondPortDown: "node_bonding_slaves",
  CephNearFull: "ceph_cluster_total_bytes",
};

/** For each alert: it fires on its fault, and a minute after the start nothing has yet. */
export function alertTests(cluster: Cluster): object[] {
  return list(cluster).map(({ alert, severity, summary, test }) => {
    const total = TOTALS[alert];
    const whole =
      total === undefined
        ? []
        : [{ series: test.series.replace(/^\w+/, total), values: `${alert === "BondPortDown" ? 2 : 100}x30` }];
    return {
      name: alert,
      interval: "1m",
      input_series: [{ series: test.series, values: test.values }, ...whole],
      alert_rule_test: [
        { eval_time: "0m", alertname: alert, exp_alerts: [] },
        {
          eval_time: alert === "CephUnhealthy" ? "20m" : "8m",
          alertname: alert,
          exp_alerts: [
            {
              exp_labels: { severity, ...test.labels },
              exp_annotations: { summary: fill(summary, test.labels, test.values) },
            },
          ],
        },
      ],
    };
  });
}

function fill(summary: string, labels: Record<string, string>, values: string): string {
  return summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "")
    .replace("{{ $value }}", values.split("x")[0] ?? "");
}
