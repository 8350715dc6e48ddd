import {
  LxdClient,
  UnreachableError,
  UntrustedServerError,
  addTrust,
  decodeToken,
  fetchServerCertificate,
  fingerprint,
  joinByToken,
} from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeServer, fixture, reply, sync } from "./support/fake-server.ts";

const identity = { cert: fixture("client.crt"), key: fixture("client.key") };
let fake: FakeServer;

beforeEach(async () => {
  fake = await FakeServer.onTls();
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

function token(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString("base64");
}

describe("a remote's certificate", () => {
  test("is fetched without being believed", async () => {
    const shown = await fetchServerCertificate(fake.url);
    expect(fingerprint(shown)).toBe(fingerprint(fixture("server.crt")));
    expect(fake.requests).toEqual([]);
  });

  test("pinned, self-signed and for another name, is believed; the client shows its own", async () => {
    let shown: unknown;
    fake.handle = (request, response) => {
      shown = (request.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate()
        .subject.CN;
      reply(response, 200, sync({ auth: "trusted" }));
    };
    await using client = new LxdClient({ url: fake.url, ...identity, serverCert: fixture("server.crt") });
    expect(await client.server()).toEqual({ auth: "trusted" });
    expect(shown).toBe("client");
  });

  test("other than the pinned one ends the call before anything is sent", async () => {
    await using client = new LxdClient({ url: fake.url, ...identity, serverCert: fixture("other.crt") });
    const error = await client.server().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UntrustedServerError);
    expect((error as Error).message).toContain("if its certificate was replaced on purpose, pin the new one");
    const { value } = await client.events().next();
    expect(value).toMatchObject({ type: "down", error: expect.any(UntrustedServerError) as unknown });
    expect(fake.requests).toEqual([]);
  });

  test("cannot be had from a server that is not there", async () => {
    await fake.stop();
    await expect(fetchServerCertificate(fake.url)).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe("becoming trusted", () => {
  /** What `POST /1.0/certificates` was given, on a server with these extensions. */
  async function posted(extensions: string[]): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    fake.handle = (request, response) => {
      if (request.method === "GET")
        return reply(response, 200, sync({ auth: "untrusted", api_extensions: extensions }));
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(JSON.parse(text)));
      return reply(response, 200, sync({}));
    };
    await addTrust({ url: fake.url, ...identity, serverCert: fixture("server.crt") }, "secret", { name: "agent" });
    return await promise;
  }

  test("on LXD 5.0 by password, on Incus by token: a secret serves as both", async () => {
    expect(await posted([])).toEqual({ type: "client", name: "agent", password: "secret", trust_token: "secret" });
  });

  test("on newer LXD by token alone", async () => {
    expect(await posted(["explicit_trust_token"])).toEqual({ type: "client", name: "agent", trust_token: "secret" });
  });

  test("is not asked for by a client that is trusted", async () => {
    fake.handle = (_, response) => reply(response, 200, sync({ auth: "trusted", api_extensions: [] }));
    await addTrust({ url: fake.url, ...identity, serverCert: fixture("server.crt") }, "secret");
    expect(fake.requests).toEqual(["GET /1.0"]);
  });

  test("by token alone: the first address with the token's certificate is taken", async () => {
    await using impostor = await FakeServer.onSocket();
    fake.handle = (_, response) => reply(response, 200, sync({ auth: "trusted", api_extensions: [] }));
    const addresses = ["127.0.0.1:1", new URL(fake.url).host];
    const whole = token({ client_name: "x", fingerprint: fingerprint(fixture("server.crt")), addresses, secret: "s" });
    expect(await joinByToken(whole, identity)).toMatchObject({ url: fake.url });
    expect(impostor.requests).toEqual([]);
  });

  test("by token alone: a server with another certificate is told nothing", async () => {
    const addresses = [new URL(fake.url).host];
    const whole = token({ client_name: "x", fingerprint: fingerprint(fixture("other.crt")), addresses, secret: "s" });
    await expect(joinByToken(whole, identity)).rejects.toBeInstanceOf(UntrustedServerError);
    expect(fake.requests).toEqual([]);
  });
});

describe("a token", () => {
  test("of a client or of a joining server", () => {
    const common = { fingerprint: "ab", addresses: ["[2001:db8::1]:8443"], secret: "s" };
    expect(decodeToken(token({ client_name: "c", ...common }))).toEqual({ name: "c", ...common });
    expect(decodeToken(token({ server_name: "s1", expires_at: "2026-01-01", ...common }))).toEqual({
      name: "s1",
      expiresAt: "2026-01-01",
      ...common,
    });
  });

  test.each(["", "%%%", token({}), token({ fingerprint: "ab", addresses: [], secret: 1 }), btoa("null")])(
    "%j is none",
    (text) => {
      expect(() => decodeToken(text)).toThrow(/^token: decode: it/);
    },
  );
});
