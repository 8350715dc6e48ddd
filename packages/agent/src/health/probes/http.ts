import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { HttpTarget } from "../target.ts";
import type { Outcome } from "../state.ts";

/** Passes with a status from 200 to 399; redirects are not followed, certificates not verified, and the body is not read. */
export async function probeHttp(target: HttpTarget, address: string, signal: AbortSignal): Promise<Outcome> {
  const { secure, port, path } = target;
  const literal = address.includes(":") ? `[${address}]` : address;
  const host = target.host ?? literal;
  const usual = port === (secure ? 443 : 80);
  const options = {
    host: address,
    port,
    path,
    signal,
    agent: false,
    headers: { host: usual ? host : `${host}:${port}`, "user-agent": "trivet-health", connection: "close" },
  };
  return await new Promise((resolve, reject) => {
    const servername = target.host === undefined ? {} : { servername: target.host };
    const request = secure
      ? requestHttps({ ...options, ...servername, rejectUnauthorized: false })
      : requestHttp(options);
    request.on("error", reject);
    // An answer that would make another protocol of the connection is none to what was asked.
    request.on("upgrade", ({ statusCode = 101 }, socket) => {
      socket.destroy();
      resolve({ kind: "failed", why: `HTTP status ${statusCode}` });
    });
    // Last of all, when none of them said anything.
    request.on("close", () => resolve({ kind: "failed", why: "the connection was closed without an answer" }));
    request.on("response", (response) => {
      const { statusCode: status = 0 } = response;
      response.on("error", () => request.destroy());
      response.destroy();
      resolve(status >= 200 && status < 400 ? { kind: "passed" } : { kind: "failed", why: `HTTP status ${status}` });
    });
    request.end();
  });
}
