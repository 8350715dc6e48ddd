import type { Api } from "./api.ts";
import type { CallOptions } from "./call.ts";
import { AnswerError, DeadlineError } from "./errors.ts";
import type { LiveSocket } from "./websocket.ts";

export interface ExecOptions extends CallOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: number;
  readonly group?: number;
  /** Written to its standard input, which is otherwise empty. */
  readonly input?: string;
}

export interface ExecResult {
  /** Exit status; 128 and more after a signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const EXEC_TIMEOUT = 30_000;
const SIGKILL = 9;

/**
 * Runs a command in an instance over four WebSockets: its three streams and a control channel. Nothing is written to the server's
 * disk, as recorded output would be.
 *
 * @param path `…/exec` of the instance
 * @throws DeadlineError after `timeout`, the command is then killed; LxdError when it cannot be started
 */
export async function execute(
  api: Api,
  path: string,
  command: readonly string[],
  { environment = {}, cwd, user, group, input, timeout = EXEC_TIMEOUT, signal, ...call }: ExecOptions,
): Promise<ExecResult> {
  const end = performance.now() + timeout;
  const left = (): CallOptions => ({
    ...(signal === undefined ? {} : { signal }),
    timeout: Math.max(1, Math.ceil(end - performance.now())),
  });
  const body = {
    command,
    environment,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    "wait-for-websocket": true,
    interactive: false,
  };
  const site = { server: api.name, call: `exec ${command[0] ?? ""} by POST ${path}` };
  const operation = await api.post(path, body, { ...call, ...left() });
  const secrets = operation.initial.metadata?.["fds"] as Readonly<Record<string, string>> | undefined;
  if (secrets === undefined) throw new AnswerError(site, "exec without file descriptors");

  const sockets: LiveSocket[] = [];
  const open = async (fd: string): Promise<{ readonly socket: LiveSocket; readonly text: Promise<string> }> => {
    const chunks: Buffer[] = [];
    const { promise: text, resolve } = Promise.withResolvers<string>();
    const socket = await api.socket(
      `/1.0/operations/${operation.id}/websocket?secret=${secrets[fd] ?? ""}`,
      {
        // A text frame marks the stream's end; data come as binary.
        message: (data) => (typeof data === "string" ? socket.close() : chunks.push(data)),
        closed: () => resolve(Buffer.concat(chunks).toString("utf8")),
      },
      left(),
    );
    sockets.push(socket);
    return { socket, text };
  };
  let control: LiveSocket | undefined;
  try {
    control = (await open("control")).socket;
    const [stdin, stdout, stderr] = await Promise.all([open("0"), open("1"), open("2")]);
    if (input !== undefined && input !== "") stdin.socket.send(Buffer.from(input));
    stdin.socket.send("");
    const { metadata } = await operation.wait(left());
    const texts = await Promise.all([stdout.text, stderr.text]);
    return { status: Number(metadata?.["return"] ?? -1), stdout: texts[0], stderr: texts[1] };
  } catch (error) {
    const late = error instanceof DeadlineError;
    if (late || signal?.aborted === true) control?.send(JSON.stringify({ command: "signal", signal: SIGKILL }));
    throw late ? new DeadlineError({ ...site, cause: error }, timeout) : error;
  } finally {
    for (const socket of sockets) socket.close();
  }
}
