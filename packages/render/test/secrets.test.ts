import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SecretError, openSecrets } from "@trivet/render";
import type { Cluster, SecretRef } from "@trivet/spec";
import { example } from "./support.ts";

/** The lab's cluster, whose agents have this password. */
function withPassword(password: SecretRef): Cluster {
  const cluster = example("lab");
  if (cluster.routing === undefined) throw new Error("the lab example has no routing");
  return { ...cluster, routing: { ...cluster.routing, agents: { ...cluster.routing.agents, password } } };
}

describe("secrets", () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "trivet-secret-"));
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(mine));
    writeFileSync(join(folder, "bgp.age"), await encrypter.encrypt("fromage\n"));
    writeFileSync(join(folder, "mine"), `# created: today\n${mine}\n`);
    writeFileSync(join(folder, "other"), `${other}\n`);
    writeFileSync(join(folder, "bgp"), "s3cret\n");
    writeFileSync(join(folder, "empty"), "");
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function open(ref: SecretRef, env: Record<string, string> = {}): Promise<string> {
    return (await openSecrets(withPassword(ref), folder, env))(ref);
  }

  it("come from the environment, from a file, or from a file encrypted with age", async () => {
    expect(await open({ env: "BGP" }, { BGP: "fromenv" })).toBe("fromenv");
    expect(await open({ file: "bgp" })).toBe("s3cret");
    expect(await open({ age: "bgp.age" }, { TRIVET_AGE_IDENTITY: join(folder, "mine") })).toBe("fromage");
  });

  it.each<[SecretRef, Record<string, string>, string]>([
    [{ env: "NOT_SET" }, {}, "NOT_SET is not set"],
    [{ file: "not-there" }, {}, "cannot be read (ENOENT)"],
    [{ file: "empty" }, {}, "is empty"],
    [{ age: "bgp.age" }, {}, "TRIVET_AGE_IDENTITY"],
    [{ age: "bgp.age" }, { TRIVET_AGE_IDENTITY: "bgp" }, "bgp"],
    [{ age: "bgp.age" }, { TRIVET_AGE_IDENTITY: "other" }, "other"],
    [{ env: "TWO_LINES" }, { TWO_LINES: "x\nneighbor 192.0.2.66 remote-as 1" }, "blanks, quotes"],
  ])("%j that cannot be used says so, without any of the secret", async (ref, env, message) => {
    const identity = env["TRIVET_AGE_IDENTITY"];
    const given = identity === undefined ? env : { TRIVET_AGE_IDENTITY: join(folder, identity) };
    const failure = await open(ref, given).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SecretError);
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message).not.toMatch(/192\.0\.2\.66|AGE-SECRET/);
  });
});
