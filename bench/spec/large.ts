/** A cluster of many servers and instances, as text. */
export function large(servers: number, instances: number): string {
  const lines = [
    "apiVersion: trivet/v1",
    "name: large",
    "domain: large.example.net",
    "addresses: {ipv6: 2001:db0::/28}",
    "models:",
    "  box:",
    "    memory: 1024GiB",
    "    cores: 128",
    "    power: [feed-a, feed-b]",
    "    cards: {left: {ports: [eth0], speed: 25G}, right: {ports: [eth1], speed: 25G}}",
    "    links: {bond0: {ports: [eth0, eth1], to: [leaf-a, leaf-b]}}",
    "    disks:",
    "      system: {size: 480GB, class: ssd, boot: true, osd: false}",
    ...Array.from({ length: 8 }, (_, disk) => `      nvme${disk}: {size: 3.84TB, class: nvme}`),
    "servers:",
    ...Array.from({ length: servers }, (_, server) => `  node-${server + 1}: {model: box}`),
    "switches:",
    "  leaf-a: {power: [feed-a, feed-b], mlag: leaf, mtu: 9216}",
    "  leaf-b: {power: [feed-a, feed-b], mlag: leaf, mtu: 9216}",
    "vlans: {wan: 50, uplink: 100, hosts: 101, bmc: 102, underlay: 103}",
    "storage: {default: {driver: ceph, class: nvme}}",
    "routing: {asn: 64512, routers: {router-1: {}, router-2: {}, router-3: {}}}",
    "projects:",
  ];
  const each = 100;
  for (let project = 0; project * each < instances; project++) {
    lines.push(`  project-${project}:`, "    networks:", "      front: {}", "      back: {}", "    instances:");
    for (let n = project * each; n < Math.min(instances, (project + 1) * each); n++)
      lines.push(`      instance-${n}: {network: ${n % 2 === 0 ? "front" : "back"}, memory: 2GiB, cores: 2}`);
  }
  return `${lines.join("\n")}\n`;
}
