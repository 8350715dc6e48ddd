import { request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: {
    readonly type: string;
    readonly operation: string;
    readonly error: string;
    readonly metadata: unknown;
  };
}

/** One plain HTTP call on a unix socket, without any client library between. */
export async function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: JSON.parse(text) as Answer["body"],
        });
      });
    });
    call.on("error", reject);
    call.end(body === undefined || body === null ? undefined : JSON.stringify(body));
  });
}
