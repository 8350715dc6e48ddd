import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { TLSSocket } from "node:tls";
import { type HttpBindings, type ServerType, createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { Agent } from "../daemon/agent.ts";
import type { Logger } from "../daemon/log.ts";
import type { Metrics } from "../daemon/metrics.ts";
import { createApp } from "./app.ts";
import { addDrainControls } from "./drain.ts";
import { type ClusterIdentity, readIdentity, sha256 } from "./identity.ts";
import { type AskOthers, askServer } from "./others.ts";

/** The API cannot listen. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly fault = "world";
}

/**
 * The API on its unix socket, for root of this server, and on TLS, for the other servers' agents and for clients that LXD trusts with
 * everything.
 */
export class ApiServer {
  readonly #agent: Agent;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #lxdSocket: string;
  readonly #servers: ServerType[] = [];
  #identity: ClusterIdentity | string = "the agent has not started";

  constructor(agent: Agent, world: { readonly metrics: Metrics; readonly lxdSocket: string; readonly log: Logger }) {
    this.#agent = agent;
    this.#log = world.log;
    this.#metrics = world.metrics;
    this.#lxdSocket = world.lxdSocket;
  }

  /** @throws ListenError */
  async start(): Promise<void> {
    const { socket, tls } = this.#agent.config.api;
    this.#identity = readIdentity(tls, this.#lxdSocket);
    await this.#listenUnix(socket);
    if (!tls.enabled) return;
    if (typeof this.#identity === "string") this.#log.warn(`the API is not served to other servers: ${this.#identity}`);
    else await this.#listenTls(this.#identity);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        async (server) =>
          await new Promise<void>((resolve) => {
            server.close(() => resolve());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      ),
    );
  }

  #app(): Hono {
    return createApp(this.#agent, this.#metrics, this.#askOthers);
  }

  readonly #askOthers: AskOthers = async (path, only) => {
    const { snapshot, config } = this.#agent;
    const others =
      snapshot?.members.filter(
        ({ server_name: name }) => name !== snapshot.server && (only === undefined || name === only),
      ) ?? [];
    return await Promise.all(others.map(async (member) => await askServer(member, config.api, this.#identity, path)));
  };

  async #listenUnix(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined) {
      if (!there.isSocket())
        throw new ListenError(
          `the API cannot listen on ${path}: it is no socket, and not removed; change api.socket in agent.yaml`,
        );
      if (await answers(path))
        throw new ListenError(`another agent runs already: it answers at ${path}; stop it first`);
      rmSync(path);
    }
    const app = this.#app();
    addDrainControls(app, this.#agent, this.#askOthers);
    await this.#listen(createAdaptorServer({ fetch: app.fetch }), { path });
    chmodSync(path, 0o600);
  }

  async #listenTls(identity: ClusterIdentity): Promise<void> {
    const { address, port } = this.#agent.config.api.tls;
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(async (c, next) => {
      const { raw } = (c.env.incoming.socket as TLSSocket).getPeerCertificate();
      if (!this.#trusts(raw, identity))
        return c.json({ error: "show the cluster's certificate, or one that LXD trusts with everything" }, 403);
      return await next();
    });
    app.route("/", this.#app());
    const { certificate: cert, key } = identity;
    const server = createAdaptorServer({
      fetch: app.fetch,
      createServer: createHttpsServer,
      // Who may ask is decided above: the certificates are self-signed.
      serverOptions: { cert, key, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.3" },
    });
    await this.#listen(server, { host: address, port });
  }

  #trusts(raw: Buffer | undefined, identity: ClusterIdentity): boolean {
    if (raw === undefined) return false;
    const fingerprint = sha256(raw);
    return fingerprint === identity.fingerprint || this.#agent.snapshot?.trusted.includes(fingerprint) === true;
  }

  async #listen(server: ServerType, at: { path: string } | { host: string; port: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const place = "path" in at ? at.path : `${at.host} port ${at.port}`;
        reject(
          new ListenError(
            `the API cannot listen on ${place}: ${error.code ?? error.message}; change api in agent.yaml`,
          ),
        );
      });
      server.listen(at, resolve);
    });
    this.#servers.push(server);
  }
}

/** Whether something listens on a unix socket. */
async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
