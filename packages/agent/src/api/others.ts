import { Api, type ClusterMember, type Endpoint, LxdError } from "@trivet/lxd";
import type { AgentConfig } from "../config/schema.ts";
import type { ClusterIdentity } from "./identity.ts";

/** Asks the agents of all other servers, or of one of them. */
export type AskOthers = (path: string, only?: string) => Promise<OthersAnswer[]>;

const TIMEOUT = 4_000;

/** What another server's agent answered, or why it could not be asked. */
export type OthersAnswer = { readonly server: string } & ({ readonly answer: unknown } | { readonly error: string });

/** Asks the agent of another server, at the address LXD has for it: it must show the cluster's certificate, and is shown it. */
export async function askServer(
  member: ClusterMember,
  api: AgentConfig["api"],
  identity: ClusterIdentity | string,
  path: string,
): Promise<OthersAnswer> {
  const server = member.server_name;
  const endpoint = endpointOf(member, api, identity);
  if (typeof endpoint === "string") return { server, error: endpoint };
  await using agent = new Api(endpoint, { name: `agent of ${server}`, timeout: TIMEOUT });
  try {
    const { body } = await agent.fetch("GET", path, {});
    return { server, answer: JSON.parse(body.toString("utf8")) };
  } catch (error) {
    if (error instanceof LxdError || error instanceof SyntaxError) return { server, error: error.message };
    throw error;
  }
}

function endpointOf(
  member: ClusterMember,
  api: AgentConfig["api"],
  identity: ClusterIdentity | string,
): Endpoint | string {
  const configured = api.servers[member.server_name];
  if (configured?.startsWith("/") === true) return { socketPath: configured };
  if (typeof identity === "string") return `no cluster certificate to show it: ${identity}`;
  const url = configured ?? withPort(member.url, api.tls.port);
  return { url, cert: identity.certificate, key: identity.key, serverCert: identity.certificate };
}

function withPort(url: string, port: number): string {
  const { hostname } = new URL(url);
  return `https://${hostname}:${port}`;
}
