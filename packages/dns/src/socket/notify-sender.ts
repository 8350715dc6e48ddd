import { type Socket, createSocket } from "node:dgram";
import { randomInt } from "node:crypto";
import { Address } from "@trivet/ip";
import { systemClock } from "../clock.ts";
import type { Counters } from "../query/counters.ts";
import { Notifier, type NotifyState, type NotifyTarget } from "../transfer/notify.ts";
import type { TsigKey } from "../tsig/key.ts";
import { Name } from "../wire/name.ts";
import { type ServerOptions, findKey } from "./options.ts";

/** Sends notifications over sockets of their own, one a secondary, and hands the answers back. */
export class NotifySender {
  readonly notifier: Notifier;
  readonly #sockets = new Map<NotifyTarget, Socket>();

  constructor(
    { notify = [] }: ServerOptions,
    keys: ReadonlyMap<string, TsigKey>,
    counters: Counters,
    onState: (state: NotifyState) => void,
  ) {
    const sources = new Map<NotifyTarget, string | undefined>();
    for (const { address, port = 53, source, key, zones } of notify) {
      const target: NotifyTarget = {
        address: Address.parse(address).toString(),
        port,
        key: key === undefined ? undefined : findKey(keys, key),
        zones: zones?.map((name) => Name.parse(name)),
      };
      sources.set(target, source);
    }
    this.notifier = new Notifier({
      targets: [...sources.keys()],
      clock: systemClock,
      randomId: () => randomInt(0x10000),
      send: (target, message) => {
        counters.add("notifiesSent");
        // A failure to send is a notification that is not answered: it is repeated.
        this.#socket(target, sources.get(target)).send(message, target.port, target.address, () => undefined);
      },
      onState: (state) => {
        counters.add(state.state === "acknowledged" ? "notifiesAcknowledged" : "notifiesFailed");
        onState(state);
      },
    });
  }

  stop(): void {
    this.notifier.stop();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socket(target: NotifyTarget, source: string | undefined): Socket {
    const existing = this.#sockets.get(target);
    if (existing !== undefined) return existing;
    const { address, port } = target;
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("message", (message, from) => {
      if (from.port === port && Address.tryParse(from.address)?.toString() === address)
        this.notifier.receive(target, message);
    });
    // As with a failure to send.
    socket.on("error", () => undefined);
    socket.bind({ port: 0, ...(source === undefined ? {} : { address: source }) });
    this.#sockets.set(target, socket);
    return socket;
  }
}
