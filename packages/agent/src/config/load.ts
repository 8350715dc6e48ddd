import { readFileSync } from "node:fs";
import { type Diagnostic, SpecError, formatDiagnostic, loadYaml } from "@trivet/spec";
import type { DnsConfig } from "./dns-schema.ts";
import { type AgentConfig, agentSchema } from "./schema.ts";

/** A configuration file that cannot be used. The message is the first fault in one line; `report` shows all with their lines. */
export class ConfigError extends SpecError {
  readonly report: string;

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics);
    this.report = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join("\n");
  }
}

/** A file that cannot be read. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
  readonly fault = "input";

  constructor(what: string, path: string, { code, message }: NodeJS.ErrnoException) {
    super(`${path}: cannot read this ${what}: ${REASONS[code ?? ""] ?? message}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied; run it as root",
  EISDIR: "it is a folder",
};

/**
 * Reads agent.yaml, and the password files it names.
 *
 * @throws ConfigError, ConfigFileError
 */
export function loadConfig(path: string): AgentConfig {
  const config = parseConfig(path, readText("configuration file", path));
  const peers = config.peers.map((peer) => {
    const { passwordFile, ...rest } = peer;
    if (passwordFile === undefined) return rest;
    return { ...rest, password: readText("password file", passwordFile).replace(/\r?\n$/, "") };
  });
  return { ...config, peers, ...(config.dns === undefined ? {} : { dns: withSecrets(config.dns) }) };
}

function withSecrets(dns: DnsConfig): DnsConfig {
  const keys = dns.keys.map(({ secretFile, ...key }) =>
    secretFile === undefined ? key : { ...key, secret: readText("secret file", secretFile).trim() },
  );
  return { ...dns, keys };
}

/** @throws ConfigError */
export function parseConfig(path: string, text: string): AgentConfig {
  const loaded = loadYaml({ path, text, schema: agentSchema });
  if (!loaded.ok) throw new ConfigError(loaded.diagnostics);
  return loaded.value;
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigFileError(what, path, error as NodeJS.ErrnoException);
  }
}
