import { type Lab, type ProbeReport, fail, heal, startProbe } from "@trivet/lab";
import { Terminal, describeLab, eventually } from "@trivet/testing";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { NEEDS, TRIVET, healthy, sharedLab } from "./lab.ts";

const SECONDS = 10;

describeLab("a probe of the lab", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });
  afterEach(async () => {
    await heal(lab);
    await healthy(lab);
  });

  // A machine with other things to do may lose a packet by itself: nothing at all is asked of one that does nothing else.
  const LOST = process.env["TRIVET_TRIAL"] === undefined ? 0.01 : 0;

  test("loses nothing on an idle lab, and meets every instance", { retry: 2 }, async () => {
    const probe = await startProbe(lab);
    await pause(SECONDS * 1000);
    const report = await probe.stop();
    const { flows, sent, lost, resolution } = report;
    expect(lost).toBeLessThanOrEqual(sent * LOST);
    for (const flow of flows) {
      expect(flow.answered + flow.lost, flow.name).toBe(flow.sent);
      expect(flow.sent * resolution, flow.name).toBeGreaterThan(0.9 * SECONDS * 1000);
    }
    for (const family of ["ipv4", "ipv6"])
      expect(answering(report, `dns/${family}/`)).toEqual(["dns01", "dns02", "dns03"]);
    expect(flows.map(({ name }) => name)).toContain("gateway/ipv4/1");
  });

  test("ports of a switch come and go, and no packet of its tunnels gets lost in the server", async () => {
    const probe = await startProbe(lab);
    try {
      // A Geneve packet of which the switch does not know that it is its own goes to the host, which answers that nobody wants it.
      const strays = await lab.server("abydos").sh(`
        trap 'kill $tcpdump; ovs-vsctl --if-exists del-port unrelated; ip link del unrelated' EXIT
        tcpdump -i any -l -n 'icmp[0] = 3 and icmp[1] = 3 and icmp[30:2] = 6081' >/run/strays 2>/run/strays.log & tcpdump=$!
        until grep -q '^listening on' /run/strays.log; do sleep 0.1; done
        ip link add unrelated type veth peer name unrelated0
        ip link set unrelated up; ip link set unrelated0 up
        for i in 1 2 3 4 5 6 7 8 9 10; do ovs-vsctl add-port br-int unrelated; sleep 0.2; ovs-vsctl del-port unrelated; done
        cat /run/strays`);
      expect(strays).toBe("");
    } finally {
      expect((await probe.stop()).sent).toBeGreaterThan(0);
    }
  });

  test("on a terminal: a live table, and Ctrl-C ends it with the report", async () => {
    await using terminal = new Terminal([...TRIVET, "lab", "probe", "--name", lab.topology.options.name]);
    await terminal.until("\u001B[H\u001B[JFLOW", 2);
    terminal.type("\u0003");
    const status = await terminal.ended;
    // Onto the terminal's other screen, and back to its own.
    expect(terminal.output).toContain("\u001B[?1049h");
    const [, report = ""] = terminal.output.split("\u001B[?1049l");
    expect(report.replaceAll("\r", "")).toMatch(
      /^FLOW +TARGET[^]*\ndns\/ipv4\/1 [^]*\n\d+ probes in [\d.]+ s, \d+ lost, resolution .*\n$/,
    );
    expect(status).toBe(/, 0 lost, /.test(report) ? 0 : 1);
  });

  test("sees a provider go: gaps in the flows that led through it, which end", async () => {
    const probe = await startProbe(lab);
    let gaps = 0;
    probe.events.on("gap", () => gaps++);
    await fail(lab, "provider", "hive1");
    await eventually("some flows were interrupted and go on", () => gaps > 0);
    const report = await probe.stop();
    expect(report.longestGap?.milliseconds).toBeGreaterThan(10);
    const hit = report.flows.filter(({ longestGap }) => (longestGap?.lost ?? 0) > 1);
    expect(hit.length).toBeGreaterThan(0);
    expect(hit.length).toBeLessThan(report.flows.length);
    expect(report.flows.find(({ name }) => name === "gateway/ipv4/1")?.lost).toBe(0);
  });
});

function answering({ flows }: ProbeReport, prefix: string): string[] {
  const some = flows.filter(({ name }) => name.startsWith(prefix));
  return [...new Set(some.flatMap(({ answers }) => Object.keys(answers)))].toSorted();
}
