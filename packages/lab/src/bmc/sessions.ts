import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { RedfishError } from "./messages.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

interface Session {
  readonly id: string;
  readonly token: string;
  readonly user: string;
  used: number;
}

const MOST = 16;
export const TIMEOUT_SECONDS = 1800;
const CHALLENGE = { "www-authenticate": 'Basic realm="trivet lab BMC"' };

/** Who may: by HTTP basic authentication, or by a session's token (DSP0266 §13.3). */
export class Sessions {
  readonly #credentials: Credentials;
  readonly #now: () => number;
  readonly #sessions = new Map<string, Session>();
  #count = 0;

  /** @param now seconds of any clock that only goes forward */
  constructor(credentials: Credentials, now: () => number) {
    this.#credentials = credentials;
    this.#now = now;
  }

  /** @throws RedfishError unless the headers of a request say who asks */
  authorize(headers: Readonly<Record<string, string | undefined>>): void {
    this.#expire();
    const token = headers["x-auth-token"];
    if (token !== undefined) {
      const session = [...this.#sessions.values()].find((one) => same(one.token, token));
      if (session === undefined) throw new RedfishError("NoValidSession", [], CHALLENGE);
      session.used = this.#now();
      return;
    }
    const basic = /^Basic ([\w+/=]+)$/i.exec(headers["authorization"] ?? "")?.[1];
    if (basic === undefined) throw new RedfishError("NoValidSession", [], CHALLENGE);
    const [user = "", ...rest] = Buffer.from(basic, "base64").toString("utf8").split(":");
    if (!this.#known(user, rest.join(":"))) throw new RedfishError("NoValidSession", [], CHALLENGE);
  }

  /** @throws RedfishError on a wrong name or password, or when there are too many sessions */
  create(user: string, password: string, uri: string): Session {
    this.#expire();
    if (!this.#known(user, password))
      throw new RedfishError("ResourceAtUriUnauthorized", [uri, "wrong user name or password"]);
    if (this.#sessions.size >= MOST) throw new RedfishError("SessionLimitExceeded");
    const session = {
      id: String(++this.#count),
      token: randomBytes(24).toString("base64url"),
      user,
      used: this.#now(),
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  get(id: string): Session | undefined {
    this.#expire();
    return this.#sessions.get(id);
  }

  ids(): string[] {
    this.#expire();
    return [...this.#sessions.keys()];
  }

  delete(id: string): void {
    this.#sessions.delete(id);
  }

  #known(user: string, password: string): boolean {
    const right = same(password, this.#credentials.password);
    return same(user, this.#credentials.user) && right;
  }

  #expire(): void {
    const oldest = this.#now() - TIMEOUT_SECONDS;
    for (const { id, used } of this.#sessions.values()) if (used < oldest) this.#sessions.delete(id);
  }
}

/** Compares in a time that tells nothing of where they differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
