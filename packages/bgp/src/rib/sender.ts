import type { Family } from "@trivet/ip";
import { RefreshSubtype, encodeEndOfRib, encodeMessage, unicast } from "../wire/index.ts";
import type { OutGroup, Outgoing } from "./out-group.ts";
import { PrefixTable } from "./prefix-table.ts";
import type { Rendered } from "./render.ts";
import type { Changes } from "./route-table.ts";

/** What is handed to the system in one go: large enough for few system calls, small enough that a keepalive never waits long. */
const BATCH = 128 * 1024;

/** Where a sender writes. */
export interface Pipe {
  /** @returns false when the caller should wait for `Sender.drained` */
  write(chunks: readonly Uint8Array[]): boolean;
}

interface SenderOptions {
  readonly families: readonly Family[];
  readonly enhancedRefresh: boolean;
  /** Whether End-of-RIB may be sent yet. */
  readonly holdEndOfRib: boolean;
  readonly endOfRibSent: () => void;
}

/**
 * Brings one peer, and keeps it, in step with its group.
 *
 * While the peer reads, it gets the group's buffers. While it does not, only the prefixes that changed are remembered, each with what
 * the peer was last told of it, and the difference is sent when it reads again. All larger work waits for that moment, in this order:
 * the first dump, what was missed, a move to another group, End-of-RIB, refreshes, the question whether all of it was read.
 */
export class Sender {
  readonly #pipe: Pipe;
  readonly #options: SenderOptions;
  #group: OutGroup | undefined;
  #next: { readonly group: OutGroup; readonly moved: () => void } | undefined;
  #queue: Uint8Array[] = [];
  #position = 0;
  #writable = true;
  /** Per prefix the attribute set last told of; what that looked like is in `#told`, since the set may be gone by then. */
  #missed: Record<Family, PrefixTable> | undefined;
  readonly #told = new Map<number, Rendered | undefined>();
  readonly #dumps: Set<Family>;
  readonly #refreshes = new Set<Family>();
  #endOfRib: "held" | "due" | "sent";
  #questions: Family[] = [];

  constructor(pipe: Pipe, options: SenderOptions) {
    this.#pipe = pipe;
    this.#options = options;
    this.#dumps = new Set(options.families);
    this.#endOfRib = options.holdEndOfRib ? "held" : "due";
  }

  /** The group that the peer is, or comes, in step with. */
  get group(): OutGroup | undefined {
    return this.#next?.group ?? this.#group;
  }

  /**
   * Follows a group from now on: at first with all of its routes, later with the difference from the former group.
   *
   * @param moved called when the former group's changes are no longer needed
   */
  follow(group: OutGroup, moved: () => void): void {
    if (this.#group === undefined) this.#group = group;
    else this.#next = { group, moved };
    this.#pump();
  }

  /**
   * Asks whether the peer is behind, and if so notes the changes of its group for later.
   *
   * @returns false when it is in step: it is to be sent the changes of `group`
   */
  missed(group: OutGroup, changes: readonly Changes[]): boolean {
    if (group !== this.#group) return true; // it has not begun to follow this one
    if (this.#writable && this.#queue.length === 0) return false;
    this.#missed ??= { 4: new PrefixTable(4), 6: new PrefixTable(6) };
    for (const { table, rows } of changes) {
      if (this.#dumps.has(table.family)) continue; // it was told nothing yet
      const noted: PrefixTable = this.#missed[table.family];
      for (const row of rows) {
        const { size } = noted;
        const mine = noted.addRow(table, row);
        if (noted.size === size) continue;
        const told = table.previous[row] as number;
        noted.value[mine] = told;
        if (!this.#told.has(told)) this.#told.set(told, group.rendered(told));
      }
    }
    return true;
  }

  /** Sends a group's changes to a peer that is in step. */
  send(outgoing: Outgoing): void {
    this.#enqueue(outgoing);
    this.#pump();
  }

  /** The peer asked for all routes of a family (RFC 2918, RFC 7313). */
  refresh(family: Family): void {
    if (!this.#options.families.includes(family)) return;
    this.#refreshes.add(family);
    this.#pump();
  }

  releaseEndOfRib(): void {
    if (this.#endOfRib === "held") this.#endOfRib = "due";
    this.#pump();
  }

  /** Asks the peer for its routes of a family, after all that it is to be sent now; as often as this is called. */
  ask(family: Family): void {
    this.#questions.push(family);
    this.#pump();
  }

  /** What was written has been handed to the system. */
  drained(): void {
    this.#writable = true;
    this.#pump();
  }

  /** Octets that are encoded and wait for the peer to read. */
  get waiting(): number {
    let octets = 0;
    for (let i = this.#position; i < this.#queue.length; i++) octets += (this.#queue[i] as Uint8Array).length;
    return octets;
  }

  #pump(): void {
    while (this.#writable) {
      if (this.#queue.length === 0) {
        if (!this.#refill()) return;
        continue;
      }
      const batch: Uint8Array[] = [];
      for (let octets = 0; octets < BATCH && this.#position < this.#queue.length; this.#position++) {
        const chunk = this.#queue[this.#position] as Uint8Array;
        batch.push(chunk);
        octets += chunk.length;
      }
      if (this.#position === this.#queue.length) {
        this.#queue = [];
        this.#position = 0;
      }
      this.#writable = this.#pipe.write(batch);
    }
  }

  /** Queues the next piece of work. @returns false when there is none */
  #refill(): boolean {
    const group = this.#group;
    if (group === undefined) return false;
    for (const family of this.#dumps) {
      this.#dumps.delete(family);
      this.#enqueue(group.encodeAll(family));
      return true;
    }
    if (this.#missed !== undefined) {
      this.#enqueue(group.encodeMissed(Object.values(this.#missed), this.#told));
      this.#missed = undefined;
      this.#told.clear();
      return true;
    }
    if (this.#next !== undefined) {
      const { group: next, moved } = this.#next;
      this.#group = next;
      this.#next = undefined;
      if (next !== group) this.#enqueue(next.encodeMove(group));
      moved();
      return true;
    }
    if (this.#endOfRib === "due") {
      this.#endOfRib = "sent";
      for (const family of this.#options.families) this.#queue.push(encodeEndOfRib(family));
      this.#options.endOfRibSent();
      return true;
    }
    // Marks must not come before End-of-RIB (RFC 7313 §4), nor an answer without the marks that the peer expects.
    if (this.#endOfRib === "sent" || !this.#options.enhancedRefresh)
      for (const family of this.#refreshes) {
        this.#refreshes.delete(family);
        this.#enqueueRefresh(group, family);
        return true;
      }
    // Until then the peer may keep what is no longer announced (RFC 4724 §4.2).
    if (this.#endOfRib !== "sent" || this.#questions.length === 0) return false;
    for (const family of this.#questions) this.#queue.push(encodeRefresh(family, RefreshSubtype.Request, group));
    this.#questions = [];
    return true;
  }

  #enqueue(outgoing: Outgoing): void {
    for (const { family, chunks } of outgoing)
      if (this.#options.families.includes(family)) for (const chunk of chunks) this.#queue.push(chunk);
  }

  #enqueueRefresh(group: OutGroup, family: Family): void {
    const mark = (subtype: number): void => {
      if (this.#options.enhancedRefresh) this.#queue.push(encodeRefresh(family, subtype, group));
    };
    mark(RefreshSubtype.Begin);
    this.#enqueue(group.encodeAll(family));
    mark(RefreshSubtype.End);
  }
}

function encodeRefresh(family: Family, subtype: number, { profile }: OutGroup): Uint8Array {
  return encodeMessage({ kind: "route-refresh", family: unicast(family), subtype }, profile.context);
}
