import * as z from "zod";
import { agentSchema } from "../../src/config/schema.ts";

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
}

/** docs/agent-config.md: every key of agent.yaml, in the order of the schema. */
export function reference(): string {
  const schema = z.toJSONSchema(agentSchema, { io: "input" }) as Schema;
  const lines = [
    "# agent.yaml",
    "",
    "<!-- Made of packages/agent/src/config/schema.ts by `npx vitest run packages/agent/test/config -u`. -->",
    "",
    "The configuration of trivet's agent, `/etc/trivet/agent.yaml`. `trivet agent --check` checks it; `systemctl reload trivet-agent`",
    "takes over a change of peers, filters, attributes and log level, and says in the log which other keys need a restart.",
    "It takes over nothing of a file that is refused: `systemctl status trivet-agent` then says so, and why.",
    "",
    "A star marks keys that must be there. `peers[]` stands for each entry of the list.",
    "",
    "| key | value | default | |",
    "|---|---|---|---|",
    ...rows(schema, ""),
    "",
    "## Keys in LXD",
    "",
    "An instance, or a profile of it, or a network may say for itself what is said of its routes. A wrong value is reported (`trivet status`,",
    "the log, the metric `trivet_problems`) and ignored; it harms nothing else.",
    "",
    "| key | on | value |",
    "|---|---|---|",
    "| `user.trivet.announce` | instance, network | `false` keeps all of its routes back |",
    "| `user.trivet.announce.addresses` | instance | `true` or `false`: overrides `addresses` |",
    "| `user.trivet.announce.med` | instance, network | replaces `med` |",
    "| `user.trivet.announce.local-pref` | instance, network | replaces `localPref` |",
    "| `user.trivet.announce.communities` | instance, network | replaces `communities`; separated by commas, at most 64 |",
    "| `user.trivet.announce.large-communities` | instance, network | replaces `largeCommunities`; separated by commas |",
    "| `user.trivet.check`, `user.trivet.check.NAME` | instance, NIC | a health check; see [health.md](health.md) |",
    "| `user.trivet.check.interval`, `.fast`, `.timeout`, `.rise`, `.fall` | instance, NIC | replace those of `health` |",
    "| `user.trivet.drain` | instance | `true`, or the time it was ordered: it is drained, as by `trivet drain`; see [bgp.md](bgp.md) |",
    "| `user.trivet.drain.SERVER` | the cluster (`lxc config set`) | what SERVER drains, separated by commas: `true` or `* TIME` for all of it, `PREFIX TIME` |",
    "| `user.bgp.routes` | NIC on an uplink | `PREFIX_NEXTHOP,...`, as lxd-bgp has it |",
    "| `ipv4.routes.external`, `ipv6.routes.external` | NIC | prefixes routed to the instance, separated by commas |",
    "| `bgp.ipv4.nexthop`, `bgp.ipv6.nexthop` | uplink, bridge | the next hop of what lies behind it; each server may have its own |",
    "| `bgp.ipv4.instances`, `bgp.ipv6.instances` | network | `true`: announce its instances' own addresses |",
    "",
  ];
  return lines.join("\n");
}

function rows(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const star = schema.required?.includes(key) === true ? " *" : "";
    const row = `| \`${prefix}${key}\`${star} | ${kind(value)} | ${fallback(value)} | ${(value.description ?? "").replaceAll("|", "\\|")} |`;
    const inner =
      value.items?.properties === undefined ? rows(value, `${prefix}${key}.`) : rows(value.items, `${prefix}${key}[].`);
    return [row].concat(inner);
  });
}

function fallback({ default: value, properties }: Schema): string {
  return value === undefined || properties !== undefined ? "" : `\`${JSON.stringify(value)}\``;
}

function kind(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(", ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf !== undefined) return schema.anyOf.map(kind).join(" or ");
  if (schema.type === "array")
    return schema.items?.properties === undefined ? `list of ${kind(schema.items ?? {})}` : "list";
  if (schema.type === "object") return "map";
  if (schema.type === "integer" || schema.type === "number") return "number";
  return schema.type === "boolean" ? "true or false" : "text";
}
