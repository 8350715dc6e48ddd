import { readFileSync } from "node:fs";
import { type Diagnostic, SpecError, formatDiagnostic, loadYaml } from "@trivet/spec";
import { speakerFault } from "./convert.ts";
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
  return read(path, readText("configuration file", path), withSecrets);
}

/** As {@link loadConfig}, of text, without other files. @throws ConfigError */
export function parseConfig(path: string, text: string): AgentConfig {
  return read(path, text, (config) => config);
}

function read(path: string, text: string, complete: (config: AgentConfig) => AgentConfig): AgentConfig {
  const loaded = loadYaml({ path, text, schema: agentSchema });
  if (!loaded.ok) throw new ConfigError(loaded.diagnostics);
  const config = complete(loaded.value);
  const fault = speakerFault(config);
  if (fault === undefined) return config;
  const [message = "", remedy = "correct the value"] = fault.message.split("; ");
  throw new ConfigError([
    { code: "invalid-value", severity: "error", message, remedy, ...loaded.locate(stepsOf(fault.path)) },
  ]);
}

/** `peers[1].name` as the steps to it. */
function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));
}

function withSecrets(config: AgentConfig): AgentConfig {
  const peers = config.peers.map((peer) => {
    const { passwordFile, ...rest } = peer;
    if (passwordFile === undefined) return rest;
    return { ...rest, password: readText("password file", passwordFile).replace(/\r?\n$/, "") };
  });
  return { ...config, peers, ...(config.dns === undefined ? {} : { dns: withKeys(config.dns) }) };
}

function withKeys(dns: DnsConfig): DnsConfig {
  const keys = dns.keys.map(({ secretFile, ...key }) =>
    secretFile === undefined ? key : { ...key, secret: readText("secret file", secretFile).trim() },
  );
  return { ...dns, keys };
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigFileError(what, path, error as NodeJS.ErrnoException);
  }
}
