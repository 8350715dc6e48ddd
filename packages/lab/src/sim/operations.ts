import { setImmediate as turn } from "node:timers/promises";
import { timestamp, uuidOf } from "./json.ts";

export interface OperationRecord {
  readonly id: string;
  readonly class: "task";
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: string;
  readonly status_code: number;
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly may_cancel: boolean;
  readonly err: string;
  /** The server that runs it. */
  readonly location: string;
  /** Not shown in the resource, but in its events. */
  readonly project?: string;
}

export interface OperationOptions {
  readonly description: string;
  readonly location: string;
  readonly project?: string;
  readonly resources: OperationRecord["resources"];
}

/** LXD forgets an operation that ended after this time. */
const REMEMBERED_MS = 5_000;

/** LXD's background operations. Each is told of when it is pending, when it runs, and when it ended. */
export class Operations {
  readonly #running = new Map<string, { record: OperationRecord; ended: Promise<OperationRecord> }>();
  readonly #ended = new Map<string, { record: OperationRecord; at: number }>();
  readonly #tell: (operation: OperationRecord) => void;
  #count = 0;

  constructor(tell: (operation: OperationRecord) => void) {
    this.#tell = tell;
  }

  /**
   * Starts an operation. Its work begins in a later turn of the event loop, after its caller was answered.
   *
   * @param work fails the operation by throwing
   * @returns the operation as it is answered to who asked for it, and a promise of how it ends, which never rejects
   */
  start(
    options: OperationOptions,
    work: () => void | Promise<void>,
  ): { readonly record: OperationRecord; readonly ended: Promise<OperationRecord> } {
    this.#count++;
    const now = timestamp(Date.now());
    const pending: OperationRecord = {
      id: uuidOf(`operation ${this.#count}`),
      class: "task",
      ...options,
      created_at: now,
      updated_at: now,
      status: "Pending",
      status_code: 105,
      metadata: null,
      may_cancel: false,
      err: "",
    };
    const record: OperationRecord = { ...pending, status: "Running", status_code: 103 };
    this.#tell(pending);
    this.#tell(record);
    const ended = this.#perform(record, work);
    this.#running.set(record.id, { record, ended });
    return { record, ended };
  }

  get(id: string): OperationRecord | undefined {
    return this.#running.get(id)?.record ?? this.#ended.get(id)?.record;
  }

  /** How it ends, or ended; `undefined` for one that is not known. */
  ending(id: string): Promise<OperationRecord> | undefined {
    const ended = this.#ended.get(id);
    return this.#running.get(id)?.ended ?? (ended === undefined ? undefined : Promise.resolve(ended.record));
  }

  /** Those that run, and those that ended a moment ago. */
  list(): OperationRecord[] {
    this.#forgetOld();
    return [...this.#running.values(), ...this.#ended.values()].map(({ record }) => record);
  }

  async #perform(record: OperationRecord, work: () => void | Promise<void>): Promise<OperationRecord> {
    await turn();
    let end: Pick<OperationRecord, "status" | "status_code" | "err">;
    try {
      await work();
      end = { status: "Success", status_code: 200, err: "" };
    } catch (error) {
      end = { status: "Failure", status_code: 400, err: error instanceof Error ? error.message : String(error) };
    }
    const final = { ...record, ...end, updated_at: timestamp(Date.now()) };
    this.#running.delete(record.id);
    this.#ended.set(record.id, { record: final, at: performance.now() });
    this.#forgetOld();
    this.#tell(final);
    return final;
  }

  #forgetOld(): void {
    const oldest = performance.now() - REMEMBERED_MS;
    for (const [id, { at }] of this.#ended) if (at < oldest) this.#ended.delete(id);
  }
}

/** The operation as a resource. */
export function operationView({ project, ...view }: OperationRecord): Omit<OperationRecord, "project"> {
  void project; // only in its events
  return view;
}
