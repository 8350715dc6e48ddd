import { Namespace } from "@trivet/lab";
import { Bird, Frr, describeLab, eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionOptions } from "../../src/index.ts";
import { RemoteEndpoint } from "../support/remote-endpoint.ts";

const OURS = { IPv4: "192.0.2.1", IPv6: "2001:db8::1", link: "fe80::1" };
const THEIRS = { IPv4: "192.0.2.2", IPv6: "2001:db8::2", link: "fe80::2" };
const PACE = { transmitInterval: 100, receiveInterval: 100, multiplier: 3 };
const BASE = { asn: 65000, routerId: "192.0.2.2", neighbors: [] };

let ours: Namespace;
let theirs: Namespace;
let endpoint: RemoteEndpoint;
let router: Frr | Bird | undefined;

const FRR = {
  name: "FRR bfdd",
  programs: ["bfdd", "bgpd", "zebra", "vtysh"],
  make: (peers: readonly { readonly peer: string; readonly local: string; readonly multihop?: boolean }[]) => {
    const lines = peers.flatMap(({ peer, local, multihop }) => {
      const [address, zone] = peer.split("%");
      const options =
        multihop === true
          ? `multihop local-address ${local}`
          : zone === undefined
            ? ""
            : `local-address ${local} interface ${zone}`;
      return [
        ` peer ${address} ${options}`,
        "  transmit-interval 100",
        "  receive-interval 100",
        "  detect-multiplier 3",
        "  no shutdown",
        " exit",
      ];
    });
    const frr = new Frr(theirs, BASE);
    frr.daemons = ["bfdd"];
    // In the file that all daemons read, bfdd stops at the first line that is another's.
    return {
      router: frr,
      configure: async () => void (await frr.vtysh(["configure terminal", "bfd", ...lines].join("\n"))),
    };
  },
  states: async () => {
    const peers = JSON.parse(await (router as Frr).vtysh("show bfd peers json")) as {
      status: string;
      diagnostic: string;
      "remote-diagnostic": string;
    }[];
    return peers.map((peer) => `${peer.status} / ${peer.diagnostic} / ${peer["remote-diagnostic"]}`);
  },
};
const BIRD = {
  name: "BIRD",
  programs: ["bird", "birdc"],
  make: (peers: readonly { readonly peer: string; readonly local: string; readonly multihop?: boolean }[]) => {
    const lines = peers.map(({ peer, local, multihop }) => {
      const [address, zone] = peer.split("%");
      return `neighbor ${address} ${zone === undefined ? "" : `dev "${zone}"`} local ${local}${multihop === true ? " multihop yes" : ""};`;
    });
    const pace = "{ interval 100 ms; multiplier 3; };";
    const bird = new Bird(theirs, {
      ...BASE,
      extra: `protocol bfd { interface "*" ${pace} multihop ${pace} ${lines.join("\n")} }`,
    });
    return { router: bird, configure: async () => undefined };
  },
  states: async () => {
    const text = await (router as Bird).birdc("show bfd sessions");
    return text
      .split("\n")
      .filter((line) => /^[0-9a-f.:]+\s+\S+\s+(Up|Down|Init|AdminDown)/.test(line))
      .map((line) => line.split(/\s+/)[2] ?? "");
  },
};

beforeEach(async () => {
  ours = await Namespace.create("bfd");
  theirs = await Namespace.create("router");
  await Namespace.link(
    ours,
    { dev: "eth0", addresses: [`${OURS.IPv4}/24`, `${OURS.IPv6}/64`, `${OURS.link}/64`] },
    theirs,
    { dev: "eth0", addresses: [`${THEIRS.IPv4}/24`, `${THEIRS.IPv6}/64`, `${THEIRS.link}/64`] },
  );
  endpoint = await RemoteEndpoint.start(ours);
}, 30_000);
afterEach(async () => {
  await endpoint.kill();
  await router?.[Symbol.asyncDispose]();
  router = undefined;
  await ours.remove();
  await theirs.remove();
});

describeLab("beside another daemon on the same machine", { programs: FRR.programs }, () => {
  test.each([THEIRS.IPv4, undefined])(
    "FRR bfdd has the port: a session at %s is refused, and says so",
    async (local) => {
      const { router: frr } = FRR.make([]);
      router = frr;
      await frr.start();
      await eventually("bfdd has its ports", async () => (await theirs.run(["ss", "-uln"])).stdout.includes(":3784"));
      const second = await RemoteEndpoint.start(theirs);
      try {
        const failure = second.failure();
        second.setSessions([{ name: "second", peer: OURS.IPv4, ...(local === undefined ? {} : { local }) }]);
        expect(await failure).toContain("another BFD daemon, such as FRR's bfdd, has it; stop one of them");
      } finally {
        await second.kill();
      }
    },
  );
});

for (const kind of [FRR, BIRD])
  describeLab(`with ${kind.name}`, { programs: kind.programs }, () => {
    const sessions: Record<
      string,
      { ours: SessionOptions; peer: { peer: string; local: string; multihop?: boolean } }
    > = {
      IPv4: { ours: { peer: THEIRS.IPv4, ...PACE }, peer: { peer: OURS.IPv4, local: THEIRS.IPv4 } },
      IPv6: { ours: { peer: THEIRS.IPv6, ...PACE }, peer: { peer: OURS.IPv6, local: THEIRS.IPv6 } },
      "IPv6 link-local": {
        ours: { peer: `${THEIRS.link}%eth0`, local: `${OURS.link}%eth0`, ...PACE },
        peer: { peer: `${OURS.link}%eth0`, local: THEIRS.link },
      },
      "IPv4 multihop": {
        ours: { peer: THEIRS.IPv4, local: OURS.IPv4, multihop: true, ...PACE },
        peer: { peer: OURS.IPv4, local: THEIRS.IPv4, multihop: true },
      },
    };
    const start = async (name: string): Promise<void> => {
      const pair = sessions[name];
      if (pair === undefined) throw new TypeError(name);
      const made = kind.make([pair.peer]);
      router = made.router;
      await router.start();
      await made.configure();
      const up = endpoint.next("Up");
      endpoint.setSessions([pair.ours]);
      await up;
      await eventually("the router's session is up", async () =>
        (await kind.states()).some((state) => /^up/i.test(state)),
      );
    };

    test.each(Object.keys(sessions))("%s: up at both ends", async (name) => {
      await start(name);
    });

    describe("RFC 5880 §6.8", () => {
      test("the router dies: detected within the detection time", async () => {
        await start("IPv4");
        const down = endpoint.next("Down");
        await theirs.run(["ip", "link", "set", "eth0", "down"]);
        const began = performance.now();
        expect((await down).diagnostic).toBe("Control Detection Time Expired");
        // 300 ms agreed; the rest is for a busy machine. The figure itself is in bench/.
        expect(performance.now() - began).toBeLessThan(3_000);
      });

      test("this end dies: the router detects it", async () => {
        await start("IPv4");
        await endpoint.kill();
        await eventually("the router's session is down", async () =>
          (await kind.states()).every((state) => !/^up/i.test(state)),
        );
      });

      test("administratively down and up again, and other timers by Poll Sequence, without a flap", async () => {
        await start("IPv6");
        const session = sessions["IPv6"]?.ours ?? { peer: "" };
        endpoint.setSessions([{ ...session, adminDown: true }]);
        await eventually("the router's session is down", async () =>
          (await kind.states()).every((state) => !/^up/i.test(state)),
        );
        const up = endpoint.next("Up");
        endpoint.setSessions([session]);
        expect((await up).flaps).toBe(1);
        endpoint.setSessions([{ ...session, transmitInterval: 400, receiveInterval: 400 }]);
        await eventually("the router knows the new timers", async () => {
          const text =
            kind === FRR
              ? await (router as Frr).vtysh("show bfd peers")
              : await (router as Bird).birdc("show bfd sessions");
          return kind === FRR
            ? /Remote timers:[^]*?Transmission interval: 400ms/.test(text)
            : /0\.400\s+1\.200/.test(text);
        });
        expect((await kind.states())[0]).toMatch(/^up/i);
      });
    });
  });
