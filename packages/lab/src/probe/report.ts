/** Probes of one flow that were lost one after the other. */
export interface Gap {
  /** Name of the flow. */
  readonly flow: string;
  /** When the first lost probe was due after the last answered one: ISO 8601, UTC. */
  readonly start: string;
  /** From the sending of the last answered probe to that of the next answered one, less the interval. */
  readonly milliseconds: number;
  /** Probes that were lost in it. */
  readonly lost: number;
}

export interface FlowReport {
  /** The same at every run: `dns/ipv4/3`, `web02/ipv6/1`, `gateway/ipv4/1`. */
  readonly name: string;
  /** `dns`: a question to a name server, over UDP; `echo`: ICMP. */
  readonly kind: "dns" | "echo";
  readonly target: string;
  readonly sent: number;
  readonly answered: number;
  /** Never answered, or after more than a second. What is neither answered nor lost is still on its way. */
  readonly lost: number;
  readonly longestGap: Gap | null;
  /** The slowest answer, in milliseconds. */
  readonly slowest: number;
  /** How many answers came from which instance. */
  readonly answers: Readonly<Record<string, number>>;
}

/** What `lab probe --json` prints. */
export interface ProbeReport {
  readonly lab: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds: number;
  /** Milliseconds between two probes of a flow. */
  readonly interval: number;
  /** The longest time, in milliseconds, that really lay between two probes of a flow: what is shorter may have been missed. */
  readonly resolution: number;
  /** Processor time the probe used, as a share of one processor. */
  readonly cpu: number;
  readonly sent: number;
  readonly lost: number;
  readonly longestGap: Gap | null;
  readonly flows: readonly FlowReport[];
}

/** The part of a report that one prober knows: the flows that begin in its namespace. */
export interface PartialReport {
  readonly flows: readonly FlowReport[];
  readonly resolution: number;
  readonly cpuSeconds: number;
}

export function longest(gaps: readonly (Gap | null)[]): Gap | null {
  let found: Gap | null = null;
  for (const gap of gaps) if (gap !== null && gap.milliseconds > (found?.milliseconds ?? 0)) found = gap;
  return found;
}
