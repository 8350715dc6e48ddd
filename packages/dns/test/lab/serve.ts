/**
 * A server in a process of its own, for network namespaces: `serve.ts '{"zones": {"example.": "FILE"}, "options": {…}}'`.
 * Lines on standard input: `{"origin": "example.", "path": "FILE"}` puts in a new version, without a path removes the zone;
 * `{"churn": "example.", "on": true}` changes a zone again and again. Lines on standard output: what happened.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  type ServerOptions,
  DnsServer,
  Name,
  Zone,
  ZoneStore,
  catalogRecords,
  readZoneFile,
  record,
  soaRdata,
} from "../../src/index.ts";

interface Start {
  readonly zones: Readonly<Record<string, string>>;
  readonly options: ServerOptions;
}

type Command =
  | { readonly origin: string; readonly path?: string }
  | { readonly catalog: string; readonly serial: number; readonly members: readonly string[] }
  | { readonly churn: string; readonly on: boolean };

const start = JSON.parse(process.argv[2] ?? "") as Start;
const store = new ZoneStore();
const tell = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

function load(origin: string, path: string): void {
  const name = Name.parse(origin);
  store.replace(Zone.build(name, readZoneFile(readFileSync(path, "utf8"), { origin: name, path })));
}

/** Adds one host and takes away the one before, a thousand times a second, until told otherwise. */
function churn(origin: string): void {
  const zone = store.get(Name.parse(origin));
  if (zone === undefined || !churning) {
    tell({ churned: zone?.serial });
    return;
  }
  const serial = zone.serial + 1;
  const host = (number: number) => record(Name.parse(`churn${number}`, zone.origin), 60, "A", "192.0.2.200");
  store.apply(zone.origin, {
    oldSoa: zone.soaRecord,
    newSoa: { ...zone.soaRecord, rdata: soaRdata({ ...zone.soa, serial }) },
    removed: zone.nodes.has(host(zone.serial).name.key) ? [host(zone.serial)] : [],
    added: [host(serial)],
  });
  setTimeout(() => churn(origin), 1);
}

let churning = false;
for (const [origin, path] of Object.entries(start.zones)) load(origin, path);
const server = new DnsServer(store, start.options, {
  onNotify: (state) => tell({ notify: state }),
  onFailure: (error) => tell({ failure: error.message }),
});
tell({ listening: await server.start() });

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line) as Command;
  if ("churn" in command) {
    churning = command.on;
    if (churning) churn(command.churn);
  } else if ("catalog" in command) {
    const origin = Name.parse(command.catalog);
    const members = command.members.map((zone) => ({ zone: Name.parse(zone) }));
    store.replace(Zone.build(origin, catalogRecords({ origin, serial: command.serial, members })));
  } else if (command.path === undefined) store.remove(Name.parse(command.origin));
  else load(command.origin, command.path);
  tell({
    serials: Object.fromEntries(store.zones.map((zone) => [zone.origin.toString(), zone.serial])),
    counters: server.counters,
    memory: process.memoryUsage.rss(),
  });
});
