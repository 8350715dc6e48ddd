import { type InstanceNetwork, type InstanceState, LxdError, type NetworkLease } from "@trivet/lxd";
import { Address, type Family } from "@trivet/ip";
import { macOf, missingFamilies, nicsOf } from "./addresses.ts";
import { same } from "./same.ts";
import { type KnownInstance, type Learnt, type Snapshot, isRunning, keyOf, networkFor } from "./snapshot.ts";

type World = Pick<Snapshot, "instances" | "networks" | "projects">;

export interface LearnerOptions {
  /** Also ask running guests for the addresses of NICs to which LXD gives none. */
  readonly guests: boolean;
  readonly leases: (network: { project: string; name: string }, project: string) => Promise<NetworkLease[]>;
  readonly interfaces: (project: string, name: string) => Promise<NonNullable<InstanceState["network"]>>;
  /** What was learnt changed, or the first round is over. */
  readonly onLearnt: () => void;
  readonly onRead: (what: string, milliseconds: number, failed: boolean) => void;
}

/** Milliseconds: how soon what is still missing is asked for again (twice as long each time), and how often the rest. */
const AGAIN = { first: 250, last: 30_000 };
const RECHECK = 60_000;
/** Reads at once; there are routes to be read at the same time. */
const LANES = 4;
/** Milliseconds after which the first round counts as over whatever is still being read. */
const FIRST_ROUND = 10_000;

/** A NIC whose address LXD's configuration does not tell. */
interface Gap {
  readonly device: string;
  readonly mac: string;
  /** The managed network whose leases may tell, and in which families; absent: only the guest knows. */
  readonly lease?: {
    readonly network: { readonly project: string; readonly name: string };
    readonly families: Family[];
  };
}

/** Something to ask LXD for: the leases of a network, or the interfaces of a guest. */
interface Subject {
  readonly ask: () => Promise<void>;
  readonly satisfied: () => boolean;
  attempts: number;
  asked: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Learns the addresses of running instances that their configuration does not tell: of NICs on a managed network from its leases, of
 * others from the guest. LXD sends no event when these change, so it is asked: at once when an instance starts, soon again while
 * something is missing, and every minute.
 *
 * What was learnt stays until something else is learnt, or the instance stops: a read that fails or tells nothing takes nothing away.
 */
export class Learner {
  readonly #options: LearnerOptions;
  #learnt: ReadonlyMap<string, Learnt>;
  #gaps = new WeakMap<KnownInstance, readonly Gap[]>();
  #world: World = { instances: new Map(), networks: new Map(), projects: new Map() };
  readonly #subjects = new Map<string, Subject>();
  readonly #queue: Subject[] = [];
  #busy = 0;
  #round: "before" | "during" | "over" = "before";
  #roundTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param saved what an earlier agent had learnt */
  constructor(saved: ReadonlyMap<string, Learnt>, options: LearnerOptions) {
    this.#learnt = saved;
    this.#options = options;
  }

  /** By the instance's key. */
  get learnt(): ReadonlyMap<string, Learnt> {
    return this.#learnt;
  }

  /** The first round is not over. */
  get learning(): boolean {
    return this.#round !== "over";
  }

  /** Looks at what there is now, and asks for what is missing of what is new. */
  look(world: World): void {
    if (this.#stopped) return;
    const before = this.#world;
    if (before.networks !== world.networks || before.projects !== world.projects) this.#gaps = new WeakMap();
    this.#world = world;
    this.#forget();
    const wanted = new Map<string, { make: () => Subject; fresh: boolean }>();
    for (const [key, instance] of world.instances) {
      if (!isRunning(instance)) continue;
      const fresh = isNews(before.instances.get(key), instance);
      for (const gap of this.#gapsOf(instance)) this.#want(wanted, instance, gap, fresh);
    }
    for (const [key, subject] of this.#subjects)
      if (!wanted.has(key)) {
        clearTimeout(subject.timer);
        this.#subjects.delete(key);
      }
    for (const [key, { make, fresh }] of wanted) {
      const known = this.#subjects.get(key);
      const subject = known ?? make();
      this.#subjects.set(key, subject);
      if (known === undefined || fresh) this.#soon(subject);
    }
    if (this.#round === "before") {
      this.#round = "during";
      this.#roundTimer = setTimeout(() => {
        this.#round = "over";
        this.#options.onLearnt();
      }, FIRST_ROUND);
    }
    this.#judgeRound();
  }

  /** Ends all asking. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#roundTimer);
    for (const { timer } of this.#subjects.values()) clearTimeout(timer);
  }

  #want(
    wanted: Map<string, { make: () => Subject; fresh: boolean }>,
    instance: KnownInstance,
    gap: Gap,
    fresh: boolean,
  ): void {
    const { project, name } = instance;
    const add = (key: string, make: () => Subject): void => {
      wanted.set(key, { make, fresh: fresh || wanted.get(key)?.fresh === true });
    };
    if (gap.lease !== undefined) {
      const { network } = gap.lease;
      const key = `leases ${project} ${keyOf(network)}`;
      add(key, () => this.#leases(network, project));
      const asked = this.#subjects.get(key)?.asked === true;
      if (!asked || hasAll(this.#learnt.get(keyOf(instance))?.leased, gap)) return;
    }
    if (this.#options.guests) add(`guest ${keyOf(instance)}`, () => this.#guest(project, name));
  }

  #leases(network: { project: string; name: string }, project: string): Subject {
    const mine = (): { key: string; gap: Gap }[] =>
      [...this.#world.instances].flatMap(([key, instance]) =>
        instance.project !== project || !isRunning(instance)
          ? []
          : this.#gapsOf(instance)
              .filter(({ lease }) => lease !== undefined && keyOf(lease.network) === keyOf(network))
              .map((gap) => ({ key, gap })),
      );
    return {
      attempts: 0,
      asked: false,
      timer: undefined,
      satisfied: () => mine().every(({ key, gap }) => hasAll(this.#learnt.get(key)?.leased, gap)),
      ask: async () => {
        const leases = await this.#timed("leases", this.#options.leases(network, project));
        for (const { key, gap } of mine()) {
          const found = leases.filter(({ hwaddr, type }) => lowerCase(hwaddr) === gap.mac && type !== "gateway");
          this.#learn(
            key,
            "leased",
            gap.device,
            found.map(({ address }) => address),
          );
        }
      },
    };
  }

  #guest(project: string, name: string): Subject {
    const key = keyOf({ project, name });
    const gaps = (): readonly Gap[] => {
      const instance = this.#world.instances.get(key);
      return instance === undefined ? [] : this.#gapsOf(instance);
    };
    return {
      attempts: 0,
      asked: false,
      timer: undefined,
      satisfied: () => gaps().every(({ device }) => this.#learnt.get(key)?.reported?.[device] !== undefined),
      ask: async () => {
        const interfaces = await this.#timed("guest", this.#options.interfaces(project, name));
        for (const gap of gaps()) this.#learn(key, "reported", gap.device, globalAddresses(interfaces, gap.mac));
      },
    };
  }

  /** Nothing found is no news: the guest's interface may be down, or OVN's database out of reach. */
  #learn(key: string, how: keyof Learnt, device: string, addresses: readonly string[]): void {
    if (addresses.length === 0 || !this.#world.instances.has(key)) return;
    const before = this.#learnt.get(key);
    const next = { ...before, [how]: { ...before?.[how], [device]: addresses.toSorted() } };
    if (!same(before, next)) this.#learnt = new Map(this.#learnt).set(key, next);
  }

  /** An instance that stopped has given back what it was leased, and one that is gone has nothing. */
  #forget(): void {
    const gone = [...this.#learnt.keys()].filter((key) => {
      const instance = this.#world.instances.get(key);
      return instance === undefined || instance.status === "Stopped";
    });
    if (gone.length > 0) this.#learnt = new Map([...this.#learnt].filter(([key]) => !gone.includes(key)));
  }

  #gapsOf(instance: KnownInstance): readonly Gap[] {
    let gaps = this.#gaps.get(instance);
    if (gaps === undefined) this.#gaps.set(instance, (gaps = findGaps(this.#world, instance)));
    return gaps;
  }

  #soon(subject: Subject): void {
    clearTimeout(subject.timer);
    subject.attempts = 0;
    if (!this.#queue.includes(subject)) this.#queue.push(subject);
    this.#fill();
  }

  #fill(): void {
    while (this.#busy < LANES && !this.#stopped) {
      const subject = this.#queue.shift();
      if (subject === undefined) return;
      this.#busy++;
      void this.#run(subject);
    }
  }

  async #run(subject: Subject): Promise<void> {
    const [before, learning] = [this.#learnt, this.learning];
    try {
      await subject.ask();
    } catch (error) {
      if (!this.#stopped && !(error instanceof LxdError)) warn(error);
    } finally {
      this.#busy--;
    }
    if (this.#stopped) return;
    const first = !subject.asked;
    subject.asked = true;
    const pause = subject.satisfied() ? RECHECK : Math.min(AGAIN.first * 2 ** subject.attempts++, AGAIN.last);
    clearTimeout(subject.timer);
    subject.timer = setTimeout(() => this.#again(subject), pause * (1 - Math.random() / 5));
    // What the leases did not tell the guest may.
    if (first) this.look(this.#world);
    if (this.#learnt !== before || this.learning !== learning) this.#options.onLearnt();
    this.#fill();
  }

  #again(subject: Subject): void {
    if (!this.#queue.includes(subject)) this.#queue.push(subject);
    this.#fill();
  }

  async #timed<T>(what: string, read: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      const value = await read;
      this.#options.onRead(what, performance.now() - began, false);
      return value;
    } catch (error) {
      if (!this.#stopped) this.#options.onRead(what, performance.now() - began, true);
      throw error;
    }
  }

  #judgeRound(): void {
    if (this.#round !== "during" || [...this.#subjects.values()].some(({ asked }) => !asked)) return;
    clearTimeout(this.#roundTimer);
    this.#round = "over";
  }
}

/** A bug of ours, which must not end the agent: what is missing is asked for again. */
function warn(error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning("addresses cannot be learnt: a bug of ours", { type: "Bug", detail });
}

/** Of one interface; a guest has few, and may report any number. */
const MOST_REPORTED = 64;

/**
 * The global addresses of the interface with this MAC address, as the guest says. LXD passes on what a VM's agent tells: where its types
 * promise a text or a list, there may be none.
 */
function globalAddresses(interfaces: Readonly<Record<string, Unsure<InstanceNetwork>>>, mac: string): string[] {
  const own = Object.values(interfaces).find((one) => lowerCase(one?.hwaddr) === mac);
  const global = (own?.addresses ?? []).flatMap((one: Unsure<InstanceNetwork["addresses"][number]>) =>
    one?.scope === "global" && typeof one.address === "string" ? [one.address] : [],
  );
  return global.filter((address) => Address.tryParse(address) !== undefined).slice(0, MOST_REPORTED);
}

type Unsure<T> = { readonly [K in keyof T]?: T[K] | null } | null;

function lowerCase(text: unknown): string {
  return typeof text === "string" ? text.toLowerCase() : "";
}

function findGaps(world: World, instance: KnownInstance): Gap[] {
  return nicsOf(instance).flatMap(([device, nic]) => {
    const mac = macOf(instance, device, nic);
    if (mac === undefined) return [];
    const network = networkFor(world, instance.project, nic["network"] ?? "");
    if (network?.type !== "ovn" && network?.type !== "bridge") return [{ device, mac }];
    const families = missingFamilies(instance, device, nic, network);
    return families.length === 0 ? [] : [{ device, mac, lease: { network, families } }];
  });
}

function hasAll(leased: Learnt["leased"], { device, lease }: Gap): boolean {
  const found = leased?.[device] ?? [];
  return lease?.families.every((family) => found.some((text) => text.includes(":") === (family === 6))) ?? false;
}

/** It started, or a NIC of it is another: whatever it was leased may have changed. */
function isNews(before: KnownInstance | undefined, now: KnownInstance): boolean {
  if (before === undefined || !isRunning(before)) return true;
  return before.config !== now.config && !same(nicNotes(before), nicNotes(now));
}

function nicNotes({ config, location, expanded_devices }: KnownInstance): unknown {
  const notes = Object.entries(config).filter(([key]) => /^volatile\..*\.(host_name|hwaddr)$/.test(key));
  return [location, notes, expanded_devices];
}
