import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Namespace } from "@trivet/lab";

/** Runs in the namespace: from a unix socket, which namespaces share, to a TCP address, which they do not. */
const INNER = `
  const { connect, createServer } = require("node:net");
  const [socket, port, host] = process.argv.slice(1);
  createServer((from) => {
    const to = connect(Number(port), host);
    from.pipe(to).pipe(from);
    for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy());
  }).listen(socket, () => console.log("ready"));
`;

/** A TCP address inside a namespace, reached from here at `127.0.0.1:port`. */
export class Relay implements Disposable {
  readonly port: number;
  readonly #end: () => void;

  private constructor(port: number, end: () => void) {
    this.port = port;
    this.#end = end;
  }

  static async create(namespace: Namespace, port: number, host = "127.0.0.1"): Promise<Relay> {
    const folder = mkdtempSync(join(tmpdir(), "trivet-relay-"));
    const socket = join(folder, "socket");
    const inner = namespace.spawn([process.execPath, "-e", INNER, socket, String(port), host], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (inner.stdout !== null) await once(inner.stdout, "data");
    const outer = createServer((from) => {
      const to = connect(socket);
      from.pipe(to).pipe(from);
      from.on("error", () => to.destroy());
      to.on("error", () => from.destroy());
    });
    outer.listen(0, "127.0.0.1");
    await once(outer, "listening");
    return new Relay((outer.address() as AddressInfo).port, () => {
      outer.close();
      inner.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    });
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
