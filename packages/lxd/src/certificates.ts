import type { Api } from "./api.ts";
import type { CallOptions } from "./call.ts";
import { Collection } from "./collection.ts";
import { encodeToken } from "./trust.ts";
import type { Certificate } from "./types/server.ts";

/** `/1.0/certificates`: whom the daemon trusts, by fingerprint. */
export class Certificates extends Collection<Certificate> {
  constructor(api: Api) {
    super(api, "/1.0/certificates");
  }

  /**
   * A token with which a client can make itself trusted, once.
   *
   * @param projects when given, the client may only use these
   */
  async token(
    name: string,
    { projects, ...call }: CallOptions & { readonly projects?: readonly string[] } = {},
  ): Promise<string> {
    const limit = projects === undefined ? {} : { restricted: true, projects };
    const operation = await this.api.post(this.path, { type: "client", name, token: true, ...limit }, call);
    return encodeToken(operation.initial);
  }
}
