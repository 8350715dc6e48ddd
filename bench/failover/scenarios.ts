import { setTimeout as pause } from "node:timers/promises";
import { ANYCAST, type Lab, fail, heal } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { AGENT_BFD, packetsFirst } from "./packets-first.ts";

/** Something that happens to a cluster while it is probed. */
export interface Scenario {
  readonly name: string;
  /** Nobody needs to notice a failure: not a packet may be lost. */
  readonly planned: boolean;
  /** Services whose own server is gone are not counted. */
  readonly server?: string;
  readonly act: (lab: Lab) => Promise<void>;
  /** Seconds that it is watched afterwards. */
  readonly watch: number;
  /** Makes it good; not watched. */
  readonly undo?: (lab: Lab) => Promise<void>;
}

/** What the machine and the lab lose by themselves. */
export const nothing: Scenario = {
  name: "nothing",
  planned: true,
  act: async () => undefined,
  watch: 30,
};

const TRIVET = "/srv/node /srv/trivet/packages/cli/src/main.ts";
const PATIENCE = { timeout: 180_000 };

/** What the lab's switches lose by themselves when ports come and go: none of trivet's, LXD's or OVN's, and nothing is sent to them. */
export const ports: Scenario = {
  name: "unrelated ports of a switch: ten come, ten go",
  planned: false,
  act: async (lab) =>
    void (await lab.server("abydos").sh(
      `ip link add unrelated type veth peer name unrelated0
       ip link set unrelated up; ip link set unrelated0 up
       for i in 1 2 3 4 5 6 7 8 9 10; do
         ovs-vsctl add-port br-int unrelated; sleep 1
         ovs-vsctl del-port br-int unrelated; sleep 1
       done
       ip link del unrelated`,
      PATIENCE,
    )),
  watch: 3,
};

export function powerCut(server: string, watch: number): Scenario {
  return {
    name: `power cut of ${server}`,
    planned: false,
    server,
    act: async (lab) => await fail(lab, "power", server),
    watch,
    undo: async (lab) => void (await heal(lab)),
  };
}

export const agentCrash: Scenario = {
  name: "crash of an agent",
  planned: true,
  act: async (lab) => {
    await newAgentFirst(lab, "systemctl kill -s KILL trivet-agent");
  },
  watch: 40,
};

export const agentRestart: Scenario = {
  name: "restart of an agent",
  planned: true,
  act: async (lab) => {
    await newAgentFirst(lab, "systemctl restart trivet-agent");
  },
  watch: 40,
};

/** Milliseconds: to look through all processes is work that the lab's packets wait for. */
const LOOK = 250;

/** What starts an agent again; and its BFD comes first, too, as soon as it is there, also where the servers refuse it when it asks. */
async function newAgentFirst(lab: Lab, command: string): Promise<void> {
  const before = packetsFirst(lab);
  const isNew = ([task, name]: [string, string]): boolean => name === AGENT_BFD && !before.has(task);
  await Promise.all([
    lab.first.sh(command, PATIENCE),
    eventually("the new agent watches", () => [...packetsFirst(lab)].some(isNew), PATIENCE.timeout, LOOK),
  ]);
}

/** Stops and starts the name server of abydos, and waits until it answers. */
async function restartNameServer(lab: Lab): Promise<void> {
  await lab.first.sh("lxc stop -f dns02 --project dns; lxc start dns02 --project dns", PATIENCE);
  const asked = `lxc exec dns02 --project dns -- nslookup mx.trivet.example ${ANYCAST.ipv4}`;
  await lab.first.sh(`until timeout 10 ${asked}; do sleep 0.1; done`, PATIENCE);
}

/** Three seconds, in which a service that answers is also reached through OVN. */
async function settle(): Promise<void> {
  await pause(3_000);
}

export const instanceDrain: Scenario = {
  name: "anycast instance: drain, stop, start, undrain",
  planned: true,
  act: async (lab) => {
    await lab.first.sh(`${TRIVET} drain dns/dns02`, PATIENCE);
    await restartNameServer(lab);
    await settle();
    await lab.first.sh(`${TRIVET} undrain dns/dns02`, PATIENCE);
  },
  watch: 5,
};

export const instanceRestart: Scenario = {
  name: "anycast instance: stop, start",
  planned: true,
  act: restartNameServer,
  watch: 10,
};

export const serverDrain: Scenario = {
  name: "whole server: drain, stop and start of its name server, undrain",
  planned: true,
  server: "abydos",
  act: async (lab) => {
    // mx01 has no other server to be reached through; its traffic stops, as is said.
    await lab.first.sh(`${TRIVET} drain abydos --force`, PATIENCE);
    await restartNameServer(lab);
    await settle();
    await lab.first.sh(`${TRIVET} undrain abydos`, PATIENCE);
  },
  watch: 5,
};

export const routerRestart: Scenario = {
  name: "restart of a router",
  planned: false,
  act: async (lab) => void (await lab.first.sh("lxc restart -f frr01", PATIENCE)),
  watch: 15,
};

export const providerDeath: Scenario = {
  name: "death of a provider's router",
  planned: false,
  act: async (lab) => await fail(lab, "provider", "hive1"),
  watch: 10,
  undo: async (lab) => void (await heal(lab)),
};
