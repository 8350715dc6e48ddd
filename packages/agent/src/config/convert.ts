import { createSocket } from "node:dgram";
import { OptionsError, type PeerOptions, type SpeakerOptions, checkOptions } from "@trivet/bgp";
import type { AnnounceConfig } from "../announce/config.ts";
import type { AgentConfig } from "./schema.ts";

/** What the announcer needs of the configuration. */
export function announceConfig(config: AgentConfig): AnnounceConfig {
  return {
    allow: config.allow,
    addresses: config.addresses,
    attributes: config.attributes.map(({ match, ...said }) => ({ match, attributes: defined(said) })),
    ...(config.uplinks === undefined ? {} : { uplinks: config.uplinks }),
    ...(config.projects === undefined ? {} : { projects: config.projects }),
  };
}

export function peerOptions(config: AgentConfig): PeerOptions[] {
  const { enabled, restartTime } = config.gracefulRestart;
  return config.peers.map(({ bfd: _, ...peer }) =>
    defined({ ...peer, ...(enabled ? { gracefulRestart: { restartTime } } : {}) }),
  );
}

export function speakerOptions(config: AgentConfig, routerId: string): SpeakerOptions {
  return {
    asn: config.asn,
    routerId,
    listen: config.listen,
    peers: peerOptions(config),
    holdEndOfRib: true,
  };
}

/** Why the speaker would refuse to run with this configuration, or to go on with it. */
export function speakerFault(config: AgentConfig): OptionsError | undefined {
  try {
    // What the kernel chooses when none is given is an address of this server.
    checkOptions(speakerOptions(config, config.routerId ?? "127.0.0.1"));
    return undefined;
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
}

/** No router id was given and none could be found. */
export class RouterIdError extends Error {
  override readonly name = "RouterIdError";
  readonly fault: "input" | "world";

  constructor(fault: "input" | "world", reason: string) {
    super(`no router id: ${reason}; set routerId in agent.yaml to an IPv4 address that only this server has`);
    this.fault = fault;
  }
}

/**
 * The BGP identifier: the configured one, else the server's own address towards its first IPv4 peer.
 *
 * @throws RouterIdError
 */
export async function findRouterId({ routerId, peers }: AgentConfig): Promise<string> {
  if (routerId !== undefined) return routerId;
  const peer = peers.find(({ address }) => address.includes("."));
  if (peer === undefined) throw new RouterIdError("input", "all peers have IPv6 addresses");
  if (peer.localAddress !== undefined) return peer.localAddress;
  const socket = createSocket("udp4");
  try {
    // Connecting a UDP socket sends nothing; the kernel chooses the source address.
    return await new Promise((resolve, reject) => {
      socket.on("error", (error) => reject(new RouterIdError("world", error.message)));
      // Node tells a failure here, too, and not as an event.
      socket.connect(9, peer.address, (error?: Error) => {
        if (error === undefined) resolve(socket.address().address);
        else reject(new RouterIdError("world", `the first IPv4 peer cannot be reached: ${error.message}`));
      });
    });
  } finally {
    socket.close();
  }
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
