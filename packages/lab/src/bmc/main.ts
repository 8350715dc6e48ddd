import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { once } from "node:events";
import { Lab } from "../runtime/lab.ts";
import { bmcFiles, readCredentials } from "./files.ts";
import { LabMachine } from "./lab-machine.ts";
import { Redfish, internalError } from "./redfish.ts";
import { Sessions } from "./sessions.ts";

/** The process that is the BMCs of a lab, in its namespace `bmc`. Usage: main.ts LAB */
const PORT = 443;
const SENSE_EVERY = 2000;
/** Octets; what a BMC is told is short. */
const LONGEST_BODY = 65_536;

const lab = Lab.open(process.argv[2] ?? "");
const files = bmcFiles(lab);
const [key, cert, credentials] = [readFileSync(files.key), readFileSync(files.certificate), readCredentials(files)];

for (const server of lab.servers) {
  const machine = new LabMachine(lab, server, log);
  machine.sense();
  setInterval(() => machine.sense(), SENSE_EVERY);
  const redfish = new Redfish(machine, new Sessions(credentials, () => performance.now() / 1000));
  const https = createServer({ key, cert, minVersion: "TLSv1.2" }, (request, response) => {
    serve(redfish, request, response).catch((error: unknown) => log(`${server.name}: ${String(error)}`));
  });
  await once(https.listen(PORT, server.plan.bmc), "listening");
}
process.send?.("ready");
process.disconnect?.();

async function serve(redfish: Redfish, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/" } = request;
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const body = await read(request);
  if (body === undefined) return void response.writeHead(413, { connection: "close" }).end();
  const answer = await redfish.answer({ method, url, headers, body }).catch((error: unknown) => {
    log(`${method} ${url}: ${String(error)}`);
    return internalError();
  });
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** @returns `undefined` when it is too long */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
