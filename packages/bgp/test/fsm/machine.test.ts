import { Address } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { CeaseReason, type Negotiated, type OpenMessage, WireError, cease, unwrapHardReset } from "@trivet/bgp";
import type { FsmAction, FsmEvent } from "../../src/fsm/events.ts";
import { transition } from "../../src/fsm/machine.ts";
import { buildOpen } from "../../src/fsm/open.ts";
import { ACCEPTED_STATE, type FsmConfig, type FsmState, INITIAL_STATE } from "../../src/fsm/state.ts";

const CONFIG: FsmConfig = {
  localAsn: 65001,
  routerId: Address.parse("192.0.2.1"),
  peerAsn: 65000,
  holdTime: 90,
  families: [4, 6],
  extendedNextHop: false,
  strictRole: false,
  connectRetry: 8,
  passive: false,
  accepted: false,
  delayOpen: 0,
  random: () => 1,
};
const PEER_OPEN = buildOpen({ ...CONFIG, localAsn: 65000, routerId: Address.parse("192.0.2.254"), holdTime: 30 });

const REACHED: Record<FsmState["phase"], FsmEvent[]> = {
  idle: [],
  connect: [{ type: "start" }],
  active: [{ type: "start" }, { type: "tcp-established" }, { type: "tcp-failed", reason: "reset" }],
  "open-sent": [{ type: "start" }, { type: "tcp-established" }],
  "open-confirm": [{ type: "start" }, { type: "tcp-established" }, { type: "open", message: PEER_OPEN }],
  established: [
    { type: "start" },
    { type: "tcp-established" },
    { type: "open", message: PEER_OPEN },
    { type: "keepalive" },
  ],
};

function reach(phase: FsmState["phase"], config = CONFIG): FsmState {
  let state = INITIAL_STATE;
  for (const event of REACHED[phase]) ({ state } = transition(state, event, config));
  expect(state.phase).toBe(phase);
  return state;
}

/** The actions in short: what is sent, started (with seconds) and stopped. */
function brief(actions: readonly FsmAction[]): string[] {
  return actions
    .filter((action) => action.do !== "stop-timer")
    .map((action) => {
      if (action.do === "start-timer") return `${action.timer} ${action.milliseconds / 1000}`;
      if (action.do !== "send") return action.do;
      const { message } = action;
      return message.kind === "notification" ? `notify ${message.code}/${message.subcode}` : message.kind;
    });
}

function step(
  phase: FsmState["phase"],
  event: FsmEvent,
  config = CONFIG,
): { phase: string; actions: string[]; state: FsmState } {
  const { state, actions } = transition(reach(phase, config), event, config);
  return { phase: state.phase, actions: brief(actions), state };
}

const timer = (name: Extract<FsmEvent, { type: "timer" }>["timer"]): FsmEvent => ({ type: "timer", timer: name });
const NOTIFICATION: FsmEvent = { type: "notification", message: cease(CeaseReason.AdministrativeReset) };
const HEADER_ERROR: FsmEvent = { type: "error", error: new WireError(1, 2, "bad length") };
const STOP: FsmEvent = { type: "stop", reason: "stopped", notification: cease(CeaseReason.AdministrativeShutdown) };
const IDLE_AFTER_FAULT = ["close", "failed", "idleHold 1"];

describe("RFC 4271 §8.2.2 Idle", () => {
  test("start (events 1, 3) connects and starts the ConnectRetryTimer", () => {
    expect(step("idle", { type: "start" })).toMatchObject({ phase: "connect", actions: ["connectRetry 8", "connect"] });
  });

  test("start with PassiveTcpEstablishment (events 4, 5) waits in Active", () => {
    const { state, actions } = transition(INITIAL_STATE, { type: "start" }, { ...CONFIG, passive: true });
    expect([state.phase, brief(actions)]).toEqual(["active", []]);
  });

  test("the IdleHoldTimer's expiry (event 13) starts", () => {
    expect(step("idle", timer("idleHold"))).toMatchObject({ phase: "connect", actions: ["connectRetry 8", "connect"] });
  });

  test.each<[string, FsmEvent]>([
    ["a stop", STOP],
    ["a connection", { type: "tcp-established" }],
    ["an OPEN", { type: "open", message: PEER_OPEN }],
    ["a KEEPALIVE", { type: "keepalive" }],
    ["a NOTIFICATION", NOTIFICATION],
    ["the hold timer", timer("hold")],
  ])("ignores %s", (_, event) => {
    expect(step("idle", event)).toMatchObject({ phase: "idle", actions: [] });
  });
});

describe("RFC 4271 §8.2.2 Connect", () => {
  test("a connection (events 16, 17) is answered with OPEN and a hold timer of four minutes", () => {
    expect(step("connect", { type: "tcp-established" })).toMatchObject({
      phase: "open-sent",
      actions: ["open", "hold 240"],
    });
  });

  test("with DelayOpen, OPEN waits for the DelayOpenTimer (event 12)", () => {
    const config = { ...CONFIG, delayOpen: 3 };
    const waiting = transition(reach("connect"), { type: "tcp-established" }, config);
    expect([waiting.state.phase, brief(waiting.actions)]).toEqual(["connect", ["delayOpen 3"]]);
    const sent = transition(waiting.state, timer("delayOpen"), config);
    expect([sent.state.phase, brief(sent.actions)]).toEqual(["open-sent", ["open", "hold 240"]]);
  });

  test("an OPEN while the DelayOpenTimer runs (event 20) is answered with OPEN and KEEPALIVE", () => {
    const config = { ...CONFIG, delayOpen: 3 };
    const waiting = transition(reach("connect"), { type: "tcp-established" }, config);
    const { state, actions } = transition(waiting.state, { type: "open", message: PEER_OPEN }, config);
    expect([state.phase, brief(actions)]).toEqual([
      "open-confirm",
      ["open", "hold 240", "keepalive", "hold 30", "keepalive 10"],
    ]);
  });

  test("the ConnectRetryTimer's expiry (event 9) connects anew", () => {
    expect(step("connect", timer("connectRetry"))).toMatchObject({
      phase: "connect",
      actions: ["close", "connectRetry 8", "connect"],
    });
  });

  test("a failed connection (event 18) leads to Idle, and to another attempt after the connect retry time", () => {
    expect(step("connect", { type: "tcp-failed", reason: "refused" })).toMatchObject({
      phase: "idle",
      actions: ["close", "failed", "idleHold 8"],
    });
  });

  test("a failed connection while the DelayOpenTimer runs leads to Active", () => {
    const config = { ...CONFIG, delayOpen: 3 };
    const { state: waiting } = transition(reach("connect"), { type: "tcp-established" }, config);
    const { state, actions } = transition(waiting, { type: "tcp-failed", reason: "reset" }, config);
    expect([state.phase, brief(actions)]).toEqual(["active", ["connectRetry 8"]]);
  });

  test("a stop (event 2) ends the attempt without a message", () => {
    expect(step("connect", STOP)).toMatchObject({ phase: "idle", actions: ["close", "failed"] });
  });
});

describe("RFC 4271 §8.2.2 Active", () => {
  test("the ConnectRetryTimer's expiry (event 9) connects", () => {
    expect(step("active", timer("connectRetry"))).toMatchObject({ phase: "connect" });
  });

  test("an accepted connection (event 17) is answered with OPEN", () => {
    const config = { ...CONFIG, accepted: true };
    const { state, actions } = transition(ACCEPTED_STATE, { type: "tcp-established" }, config);
    expect([state.phase, brief(actions)]).toEqual(["open-sent", ["open", "hold 240"]]);
  });

  test("anything else leads to Idle without a message", () => {
    expect(step("active", { type: "keepalive" })).toMatchObject({ phase: "idle", actions: IDLE_AFTER_FAULT });
  });
});

describe("RFC 4271 §8.2.2 OpenSent", () => {
  test("a good OPEN (event 19) is answered with KEEPALIVE, and the lower hold time holds", () => {
    const { phase, actions, state } = step("open-sent", { type: "open", message: PEER_OPEN });
    expect([phase, actions]).toEqual(["open-confirm", ["keepalive", "hold 30", "keepalive 10"]]);
    expect(state.negotiated).toMatchObject({ asn: 65000, holdTime: 30, keepalive: 10 } satisfies Partial<Negotiated>);
  });

  test("a hold time of 0 leaves hold and keepalive timers off", () => {
    const message: OpenMessage = { ...PEER_OPEN, holdTime: 0 };
    expect(step("open-sent", { type: "open", message })).toMatchObject({
      phase: "open-confirm",
      actions: ["keepalive"],
    });
  });

  test("the hold timer's expiry (event 10) is notified", () => {
    expect(step("open-sent", timer("hold"))).toMatchObject({
      phase: "idle",
      actions: ["notify 4/0", ...IDLE_AFTER_FAULT],
    });
  });

  test("a failed connection (event 18) leads to Active", () => {
    expect(step("open-sent", { type: "tcp-failed", reason: "reset" })).toMatchObject({
      phase: "active",
      actions: ["close", "connectRetry 8"],
    });
  });

  test("a header or OPEN error (events 21, 22) is notified", () => {
    expect(step("open-sent", HEADER_ERROR)).toMatchObject({
      phase: "idle",
      actions: ["notify 1/2", ...IDLE_AFTER_FAULT],
    });
  });

  test("losing a collision (event 23) is notified with Cease/Connection Collision Resolution", () => {
    expect(step("open-sent", { type: "collision" })).toMatchObject({
      phase: "idle",
      actions: ["notify 6/7", ...IDLE_AFTER_FAULT],
    });
  });

  test("a version error from the peer (event 24) is not damped", () => {
    const message = { kind: "notification", code: 2, subcode: 1, data: new Uint8Array() } as const;
    expect(step("open-sent", { type: "notification", message }).state).toMatchObject({
      idleHold: 1,
      connectRetryCounter: 0,
    });
  });

  test("a NOTIFICATION is never answered with one (§6.4)", () => {
    expect(step("open-sent", NOTIFICATION)).toMatchObject({ phase: "idle", actions: IDLE_AFTER_FAULT });
  });
});

describe("RFC 6608 FSM error subcodes", () => {
  test.each([
    ["open-sent", "5/1"],
    ["open-confirm", "5/2"],
  ] as const)("UPDATE in %s is notified with %s", (phase, code) => {
    expect(step(phase, { type: "update" }).actions[0]).toBe(`notify ${code}`);
  });

  test("OPEN in Established is notified with 5/3", () => {
    expect(step("established", { type: "open", message: PEER_OPEN }).actions[0]).toBe("notify 5/3");
  });

  test("ROUTE-REFRESH before Established is unexpected, too", () => {
    expect(step("open-confirm", { type: "route-refresh" }).actions[0]).toBe("notify 5/2");
  });
});

describe("RFC 4271 §8.2.2 OpenConfirm", () => {
  test("KEEPALIVE (event 26) establishes the session and restarts the hold timer", () => {
    expect(step("open-confirm", { type: "keepalive" })).toMatchObject({
      phase: "established",
      actions: ["hold 30", "sendHold 480"],
    });
  });

  test("the keepalive timer (event 11) sends KEEPALIVE", () => {
    expect(step("open-confirm", timer("keepalive"))).toMatchObject({
      phase: "open-confirm",
      actions: ["keepalive", "keepalive 10"],
    });
  });

  test.each<[string, FsmEvent, string[]]>([
    ["the hold timer (event 10)", timer("hold"), ["notify 4/0", ...IDLE_AFTER_FAULT]],
    ["a failed connection (event 18)", { type: "tcp-failed", reason: "reset" }, IDLE_AFTER_FAULT],
    ["a NOTIFICATION (event 25)", NOTIFICATION, IDLE_AFTER_FAULT],
    ["a collision (event 23)", { type: "collision" }, ["notify 6/7", ...IDLE_AFTER_FAULT]],
    ["a stop (event 2)", STOP, ["notify 6/2", "close", "failed"]],
  ])("%s ends it", (_, event, actions) => {
    expect(step("open-confirm", event)).toMatchObject({ phase: "idle", actions });
  });
});

describe("RFC 4271 §8.2.2 Established", () => {
  test.each<[string, FsmEvent]>([
    ["KEEPALIVE (event 26)", { type: "keepalive" }],
    ["UPDATE (event 27)", { type: "update" }],
  ])("%s restarts the hold timer", (_, event) => {
    expect(step("established", event)).toMatchObject({ phase: "established", actions: ["hold 30"] });
  });

  test.each<[string, FsmEvent, string[]]>([
    ["the hold timer (event 10)", timer("hold"), ["notify 4/0", ...IDLE_AFTER_FAULT]],
    [
      "an UPDATE error (event 28)",
      { type: "error", error: new WireError(3, 1, "bad") },
      ["notify 3/1", ...IDLE_AFTER_FAULT],
    ],
    ["a NOTIFICATION (event 25)", NOTIFICATION, IDLE_AFTER_FAULT],
    ["a failed connection (event 18)", { type: "tcp-failed", reason: "reset" }, IDLE_AFTER_FAULT],
    ["a stop (event 2)", STOP, ["notify 6/2", "close", "failed"]],
    ["a stop without NOTIFICATION", { type: "stop", reason: "detached" }, ["close", "failed"]],
    ["an automatic stop (event 8)", { ...STOP, automatic: true }, ["notify 6/2", ...IDLE_AFTER_FAULT]],
  ])("%s ends it", (_, event, actions) => {
    expect(step("established", event)).toMatchObject({ phase: "idle", actions });
  });
});

describe("RFC 9687 send hold timer", () => {
  test("runs for 8 minutes or twice the hold time, and anew whenever the system takes octets", () => {
    expect(step("established", { type: "sent" }).actions).toEqual(["sendHold 480"]);
    const slow = { ...CONFIG, holdTime: 600 };
    const { state } = transition(
      reach("open-sent", slow),
      { type: "open", message: { ...PEER_OPEN, holdTime: 600 } },
      slow,
    );
    expect(brief(transition(state, { type: "keepalive" }, slow).actions)).toContain("sendHold 1200");
  });

  test("its expiry closes without a NOTIFICATION, which could not be sent either", () => {
    expect(step("established", timer("sendHold"))).toMatchObject({ phase: "idle", actions: IDLE_AFTER_FAULT });
  });
});

describe("RFC 4271 §8.1.1 DampPeerOscillations, §10 jitter", () => {
  test("each fault doubles the time in Idle, up to a minute", () => {
    let state = INITIAL_STATE;
    const holds: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      for (const event of [timer("idleHold"), { type: "tcp-established" } as const])
        ({ state } = transition(state, event, CONFIG));
      const result = transition(state, HEADER_ERROR, CONFIG);
      ({ state } = result);
      holds.push(brief(result.actions).at(-1));
    }
    expect(holds).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => `idleHold ${seconds}`));
  });

  test("a session that lived for a keepalive interval forgets them", () => {
    const { state } = transition({ ...reach("established"), idleHold: 32 }, timer("keepalive"), CONFIG);
    expect(state.idleHold).toBe(1);
  });

  test("timers other than the hold timer are shortened by up to a quarter", () => {
    const config = { ...CONFIG, random: () => 0 };
    expect(step("idle", { type: "start" }, config).actions).toContain("connectRetry 6");
    expect(step("open-sent", { type: "open", message: PEER_OPEN }, config).actions).toEqual([
      "keepalive",
      "hold 30",
      "keepalive 7.5",
    ]);
  });

  test("the machine of an accepted connection does not come back", () => {
    const config = { ...CONFIG, accepted: true };
    const { state } = transition(ACCEPTED_STATE, { type: "tcp-established" }, config);
    const { actions } = transition(state, { type: "tcp-failed", reason: "reset" }, config);
    expect(brief(actions)).toEqual(["close", "failed"]);
  });
});

describe("RFC 8538 Hard Reset", () => {
  const config = { ...CONFIG, restart: { time: 30, restarting: false, forwarding: true } };
  const message: OpenMessage = {
    ...PEER_OPEN,
    capabilities: [
      ...PEER_OPEN.capabilities,
      { kind: "graceful-restart", restarting: false, notification: true, restartTime: 120, families: [] },
    ],
  };
  const established = [{ type: "open", message } as const, { type: "keepalive" } as const].reduce<FsmState>(
    (state, event) => transition(state, event, config).state,
    reach("open-sent", config),
  );

  test("wraps a shutdown where both ends have the N bit", () => {
    const { actions } = transition(established, STOP, config);
    const sent = actions.find((action) => action.do === "send");
    expect(sent?.message).toMatchObject({ code: 6, subcode: CeaseReason.HardReset });
    expect(sent?.message.kind === "notification" && unwrapHardReset(sent.message)).toMatchObject({
      code: 6,
      subcode: 2,
    });
  });

  test("does not wrap a reset, after which the session returns", () => {
    const event: FsmEvent = { type: "stop", reason: "reset", notification: cease(CeaseReason.AdministrativeReset) };
    expect(brief(transition(established, event, config).actions)).toContain("notify 6/4");
  });
});
