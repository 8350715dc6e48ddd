import type { Api } from "./api.ts";
import type { CallOptions } from "./call.ts";
import { AnswerError, DeadlineError, OperationError } from "./errors.ts";
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
  const left = (): CallOptions & { readonly timeout: number } => ({
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
  const open = async (fd: string): Promise<Stream> => {
    const chunks: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const closed = (): void => resolve(Buffer.concat(chunks).toString("utf8"));
    // A text frame marks the stream's end; data come as binary.
    const message = (data: string | Buffer): void => (typeof data === "string" ? closed() : void chunks.push(data));
    const target = `/1.0/operations/${operation.id}/websocket?secret=${secrets[fd] ?? ""}`;
    const socket = await api.socket(target, { message, closed }, { ...left(), silent: true });
    sockets.push(socket);
    return { socket, text: promise };
  };
  const hangUp = (): void => {
    for (const socket of sockets) socket.close();
  };
  const timer = setTimeout(hangUp, left().timeout);
  try {
    await open("control");
    const [stdin, stdout, stderr] = await Promise.all([open("0"), open("1"), open("2")]);
    if (input !== undefined && input !== "") stdin.socket.send(Buffer.from(input));
    stdin.socket.send("");
    const { metadata } = await operation.wait(left());
    const texts = await Promise.all([stdout.text, stderr.text]);
    return { status: Number(metadata?.["return"] ?? -1), stdout: texts[0], stderr: texts[1] };
  } catch (error) {
    // A command that is not there or not executable: the operation fails, with the status that a shell gives it.
    const status = error instanceof OperationError ? error.state?.metadata?.["return"] : undefined;
    if (typeof status === "number") return { status, stdout: "", stderr: (error as OperationError).state?.err ?? "" };
    throw error instanceof DeadlineError ? new DeadlineError({ ...site, cause: error }, timeout) : error;
  } finally {
    clearTimeout(timer);
    // The daemon kills a command that still runs when its control channel is lost.
    hangUp();
  }
}

interface Stream {
  readonly socket: LiveSocket;
  /** All of it, when it has ended. */
  readonly text: Promise<string>;
}
