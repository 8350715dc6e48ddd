import type { Api } from "./api.ts";
import type { CallOptions, Tagged, WriteOptions } from "./call.ts";
import { UnsupportedError } from "./errors.ts";
import type { Operation, WaitOptions } from "./operation.ts";
import type { Config, Project } from "./types/server.ts";

export interface ListOptions extends CallOptions {
  /** Of every project that the client may see. */
  readonly allProjects?: boolean;
}

/** A change that is waited for: `timeout` then counts until it is done. */
export interface ChangeOptions extends WriteOptions, WaitOptions {}

export interface CollectionTraits {
  /** The daemon's PATCH merges configuration, so that two changes of different keys do not conflict. */
  readonly patches?: boolean;
  /** The extension without which the daemon has no such things. */
  readonly requires?: string;
  /** How a listing of all projects is had. */
  readonly projects?: {
    /** With this extension the daemon lists them itself; without, each project is asked. */
    readonly extension: string;
    /** Projects without this feature show the default project's things; the first that a project's configuration names counts. */
    readonly features: readonly string[];
  };
}

const CHANGE_TIMEOUT = 300_000;

/**
 * A collection of the API, such as `/1.0/networks`. Listings are whole: LXD has no pages. Changes are waited for, whether the
 * daemon answers at once or with an operation; to get hold of the operation use the client's own `post`, `put`, `patch`, `delete`.
 */
export class Collection<T, Draft = Partial<T>> {
  protected readonly api: Api;
  protected readonly path: string;
  readonly #traits: CollectionTraits;

  constructor(api: Api, path: string, traits: CollectionTraits = {}) {
    this.api = api;
    this.path = path;
    this.#traits = traits;
  }

  /** All of a project, or of all projects. Empty where the daemon has no such things. */
  async list(options: ListOptions = {}): Promise<T[]> {
    return await this.listing<T>("1", options);
  }

  async get(name: string, options: CallOptions = {}): Promise<T> {
    return await this.api.get<T>(this.at(name), options);
  }

  /** With the ETag for {@link replace} and {@link update}. */
  async read(name: string, options: CallOptions = {}): Promise<Tagged<T>> {
    return await this.api.read<T>(this.at(name), options);
  }

  async create(draft: Draft, options: ChangeOptions = {}): Promise<void> {
    await this.need(options);
    await this.done(options, async (call) => await this.api.post(this.path, draft, call));
  }

  /**
   * Changes the fields that are given; of `config` the keys that are given, where `""` removes one. The daemon's own PATCH would,
   * depending on the resource, empty the description, the rules, the ports or the other keys.
   *
   * @throws ConflictError when someone else changed it meanwhile
   */
  async update(name: string, change: Draft, options: ChangeOptions = {}): Promise<void> {
    const { value, etag } = await this.read(name, options);
    const { config, description } = value as Described;
    if (this.#traits.patches === true) {
      const kept = { ...(description === undefined ? {} : { description }), ...change };
      await this.done(options, async (limited) => await this.api.patch(this.at(name), kept, limited));
      return;
    }
    const whole = { ...value, ...change, config: { ...config, ...(change as Described).config } };
    await this.replace(name, whole, { ...(etag === undefined ? {} : { etag }), ...options });
  }

  async replace(name: string, whole: Draft, options: ChangeOptions = {}): Promise<void> {
    await this.done(options, async (call) => await this.api.put(this.at(name), whole, call));
  }

  async rename(name: string, to: string, options: ChangeOptions = {}): Promise<void> {
    await this.done(options, async (call) => await this.api.post(this.at(name), { name: to }, call));
  }

  async remove(name: string, options: ChangeOptions = {}): Promise<void> {
    await this.done(options, async (call) => await this.api.delete(this.at(name), call));
  }

  protected at(name: string): string {
    return `${this.path}/${encodeURIComponent(name)}`;
  }

  /** Starts a change and waits for its end, all within the options' time. */
  protected async done(options: ChangeOptions, start: (call: CallOptions) => Promise<Operation>): Promise<Operation> {
    const { timeout = CHANGE_TIMEOUT, onProgress, ...rest } = options;
    const end = performance.now() + timeout;
    const operation = await start({ ...rest, timeout });
    const { signal } = rest;
    await operation.wait({
      timeout: Math.max(1, end - performance.now()),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return operation;
  }

  protected async listing<R>(recursion: string, options: ListOptions): Promise<R[]> {
    const { requires, projects } = this.#traits;
    if (requires !== undefined && !(await this.api.supports(requires, limits(options)))) return [];
    const { allProjects, ...call } = options;
    const query = { ...call.query, recursion };
    if (allProjects !== true || projects === undefined) return await this.api.get<R[]>(this.path, { ...call, query });
    if (await this.api.supports(projects.extension, limits(options)))
      return await this.api.get<R[]>(this.path, { ...call, query: { ...query, "all-projects": "true" } });
    return await this.#eachProject<R>(projects.features, { ...call, query });
  }

  async #eachProject<R>(features: readonly string[], call: CallOptions): Promise<R[]> {
    const all = await this.api.get<Project[]>("/1.0/projects", { ...limits(call), query: { recursion: "1" } });
    const own = all.filter(({ name, config }) => {
      const feature = features.find((key) => config[key] !== undefined);
      return name === "default" || (feature !== undefined && config[feature] === "true");
    });
    const lists = own.map(async ({ name }) => {
      const list = await this.api.get<R[]>(this.path, { ...call, project: name });
      for (const one of list) Object.assign(one as object, { project: name });
      return list;
    });
    return (await Promise.all(lists)).flat();
  }

  /** @throws UnsupportedError when the daemon has no such things */
  protected async need(options: CallOptions): Promise<void> {
    const { requires } = this.#traits;
    if (requires === undefined || (await this.api.supports(requires, limits(options)))) return;
    throw new UnsupportedError({ server: this.api.name, call: this.path }, requires);
  }
}

interface Described {
  readonly description?: string;
  readonly config?: Config;
}

/** What of a call's options also holds for a call made on its behalf. */
function limits({ timeout, signal }: CallOptions): CallOptions {
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) };
}
