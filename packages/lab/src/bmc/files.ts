import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/run.ts";
import { LabError } from "../runtime/lab-error.ts";
import type { Lab } from "../runtime/lab.ts";
import type { Credentials } from "./sessions.ts";

const USER = "admin";

/** What the BMCs of a lab need, in its folder; only root may read it. */
export interface BmcFiles {
  readonly key: string;
  readonly certificate: string;
  /** User and password for every BMC, as curl and others read them: `curl --netrc-file`. */
  readonly netrc: string;
}

export function bmcFiles(lab: Lab): BmcFiles {
  const file = (name: string): string => join(lab.places.folder, "bmc", name);
  return { key: file("key.pem"), certificate: file("certificate.pem"), netrc: file("netrc") };
}

/** Makes those that are not there: a password, and a certificate of their own for all BMCs of the lab. */
export async function makeBmcFiles(lab: Lab): Promise<BmcFiles> {
  const files = bmcFiles(lab);
  const { servers } = lab.topology;
  mkdirSync(join(lab.places.folder, "bmc"), { recursive: true, mode: 0o700 });
  if (!existsSync(files.certificate)) {
    const names = servers.flatMap(({ name, bmc }) => [`IP:${bmc}`, `DNS:${name}-bmc`]).join(",");
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "3650"];
    const subject = ["-subj", `/CN=BMCs of lab ${lab.name}`, "-addext", `subjectAltName=${names}`];
    await run(["openssl", "req", "-x509", ...made, ...subject, "-keyout", files.key, "-out", files.certificate]);
  }
  if (!existsSync(files.netrc)) {
    const password = randomBytes(12).toString("base64url");
    const lines = servers.map(({ bmc }) => `machine ${bmc} login ${USER} password ${password}\n`);
    writeFileSync(files.netrc, lines.join(""), { mode: 0o600 });
  }
  return files;
}

/** @throws LabError when they were never made */
export function readCredentials({ netrc }: BmcFiles): Credentials {
  if (!existsSync(netrc)) throw new LabError(`no BMC credentials at ${netrc}`, "`trivet lab up` makes them");
  const [, user = "", password = ""] = /login (\S+) password (\S+)/.exec(readFileSync(netrc, "utf8")) ?? [];
  return { user, password };
}
