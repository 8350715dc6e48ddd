// A speaker in a process of its own, so that it can live in a network namespace: does what its parent says, tells what happens.
import { Address, Prefix } from "@trivet/ip";
import { type Route, Speaker } from "@trivet/bgp";
import type { Request, RouteText } from "./remote-speaker.ts";

let speaker: Speaker | undefined;

process.on("message", ({ id, call, args }: Request) => {
  void perform(call, args).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit());

async function perform(call: Request["call"], args: readonly unknown[]): Promise<unknown> {
  if (call === "create") {
    const made = new Speaker(args[0] as ConstructorParameters<typeof Speaker>[0]);
    speaker = made;
    for (const event of ["session", "notification", "refresh"] as const)
      made.on(event, (detail: unknown) => process.send?.({ event, detail }));
    return await made.start();
  }
  if (speaker === undefined) throw new Error("no speaker yet");
  if (call === "announce") return speaker.announce((args[0] as RouteText[]).map(toRoute));
  if (call === "announceMany") return speaker.announce(many(args[0] as string, args[1] as number, args[2] as string));
  if (call === "adjRibIn") return [...speaker.adjRibIn(args[0] as string)].map(({ prefix }) => prefix.toString());
  if (call === "confirm") return await Promise.all(speaker.confirm().values());
  return await (speaker[call] as (...all: unknown[]) => unknown).apply(speaker, [...args]);
}

function toRoute({ prefix, nextHop, ...attributes }: RouteText): Route {
  return {
    prefix: Prefix.parse(prefix),
    ...(nextHop === undefined ? {} : { nextHop: Address.parse(nextHop) }),
    attributes,
  };
}

/** The first `count` /32s or /64s of a prefix. */
function* many(within: string, count: number, nextHop: string): Generator<Route> {
  const prefix = Prefix.parse(within);
  const hop = Address.parse(nextHop);
  const length = prefix.family === 4 ? 32 : 64;
  let made = 0;
  for (const subnet of prefix.subnets(length)) {
    if (made++ === count) return;
    yield { prefix: subnet, nextHop: hop };
  }
}
