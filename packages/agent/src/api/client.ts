import { Agent, request } from "undici";

/** Where an agent listens unless its configuration says otherwise. */
export const DEFAULT_SOCKET = "/run/trivet/agent.sock";

/** Milliseconds until an answer begins. Others are asked meanwhile, for 4 s. */
const ANSWER = 20_000;
/** LXD may take 15 s to be read and as long to store an order. */
const CHANGE = 60_000;

/** No agent answered, or it answered with an error. */
export class AgentUnavailableError extends Error {
  override readonly name = "AgentUnavailableError";
  readonly fault = "world";
  readonly socket: string;

  constructor(socket: string, reason: string) {
    super(`the agent at ${socket} ${reason}`);
    this.socket = socket;
  }
}

/** The agent was asked for something that makes no sense. */
class BadQuestionError extends Error {
  override readonly name = "BadQuestionError";
  readonly fault = "input";
}

/** Asks the agent of this server over its unix socket. */
export class AgentClient implements AsyncDisposable {
  readonly #socket: string;
  readonly #dispatcher: Agent;

  /** @param socket path of the agent's unix socket */
  constructor(socket: string = DEFAULT_SOCKET) {
    this.#socket = socket;
    this.#dispatcher = new Agent({ connect: { socketPath: socket, timeout: 5_000 } });
  }

  /**
   * @param path with query, `/v1/routes`
   * @throws AgentUnavailableError, BadQuestionError
   */
  async get<T>(path: string): Promise<T> {
    return await this.#ask<T>("GET", path, ANSWER);
  }

  /** Changes what the agent does. @throws as {@link get} */
  async change<T>(method: "PUT" | "DELETE", path: string): Promise<T> {
    return await this.#ask<T>(method, path, CHANGE);
  }

  async #ask<T>(method: "GET" | "PUT" | "DELETE", path: string, headersTimeout: number): Promise<T> {
    const options = { method, dispatcher: this.#dispatcher, headersTimeout };
    const response = await request(new URL(path, "http://agent"), options).catch((error: NodeJS.ErrnoException) => {
      throw new AgentUnavailableError(this.#socket, reasonOf(error));
    });
    const text = await response.body.text().catch((error: Error) => {
      throw new AgentUnavailableError(this.#socket, `broke off its answer (${error.message})`);
    });
    const said = messageOf(text) || `HTTP status ${response.statusCode}`;
    if (response.statusCode === 400) throw new BadQuestionError(said);
    if (response.statusCode !== 200) throw new AgentUnavailableError(this.#socket, `answered: ${said}`);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new AgentUnavailableError(this.#socket, `answered what is no JSON: ${said}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "is not there; start it with `systemctl start trivet-agent`, or name its socket with --socket",
  ECONNREFUSED: "is not running; start it with `systemctl start trivet-agent`",
  EACCES: "may be asked by root only; use sudo",
};

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return REASONS[code ?? ""] ?? `does not answer (${message}); \`journalctl -u trivet-agent\` may say why`;
}

function messageOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === "string") return error;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return body.slice(0, 200);
}
