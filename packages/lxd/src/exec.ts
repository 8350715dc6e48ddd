import type { Api } from "./api.ts";
import type { CallOptions } from "./call.ts";
import { AnswerError, DeadlineError, ExecDeadlineError, LxdError, OperationError } from "./errors.ts";
import type { Operation } from "./operation.ts";
import { Tail } from "./tail.ts";
import type { LiveSocket } from "./websocket.ts";

export interface ExecOptions extends CallOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: number;
  readonly group?: number;
  /** Written to its standard input, which is otherwise empty. */
  readonly input?: string;
  /** Milliseconds that the command may take once the daemon runs it; `timeout` is then for its start alone. */
  readonly commandTimeout?: number;
  /** Octets to keep of each stream, the last; 16 MiB unless told. */
  readonly maxOutput?: number;
}

export interface ExecResult {
  /** Exit status; 128 and more after a signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Octets at the beginning of both streams that were not kept; absent when all were. */
  readonly cut?: number;
}

const EXEC_TIMEOUT = 30_000;
const MAX_OUTPUT = 2 ** 24;
/** Milliseconds from SIGTERM to SIGKILL, for a command that did not end in time. */
const LAST_WORDS = 1_000;
const SIGTERM = 15;

/**
 * Runs a command in an instance over four WebSockets: its three streams and a control channel. Nothing is written to the server's
 * disk, as recorded output would be.
 *
 * @param path `…/exec` of the instance
 * @throws ExecDeadlineError after `timeout` or `commandTimeout`, the command is then sent SIGTERM and a second later killed, as when
 *   `signal` fires; LxdError when it cannot be started
 */
export async function execute(
  api: Api,
  path: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const { environment = {}, cwd, user, group, input, timeout = EXEC_TIMEOUT, signal, ...rest } = options;
  const { commandTimeout, maxOutput = MAX_OUTPUT, ...call } = rest;
  let end = performance.now() + timeout;
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
  const sockets: LiveSocket[] = [];
  let over = false;
  const hangUp = (): void => {
    over = true;
    for (const socket of sockets) socket.close();
  };
  let running: { readonly control: LiveSocket; readonly operation: Operation } | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const operation = await api.post(path, body, { ...call, ...left() });
    const secrets = operation.initial.metadata?.["fds"] as Readonly<Record<string, string>> | undefined;
    if (secrets === undefined) throw new AnswerError(site, "exec without file descriptors");
    const open = async (fd: string): Promise<Stream> => {
      const tail = new Tail(maxOutput);
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      // A text frame marks the stream's end; data come as binary.
      const message = (data: string | Buffer): void => (typeof data === "string" ? resolve() : tail.push(data));
      const target = `/1.0/operations/${operation.id}/websocket?secret=${secrets[fd] ?? ""}`;
      const socket = await api.socket(target, { message, closed: () => resolve() }, { ...left(), silent: true });
      sockets.push(socket);
      // Another has failed meanwhile.
      if (over) hangUp();
      return { socket, tail, ended };
    };
    const { socket: control } = await open("control");
    const [stdin, stdout, stderr] = await Promise.all([open("0"), open("1"), open("2")]);
    // With its last stream the daemon runs it.
    running = { control, operation };
    if (commandTimeout !== undefined) end = performance.now() + commandTimeout;
    if (input !== undefined && input !== "") stdin.socket.send(Buffer.from(input));
    stdin.socket.send("");
    const { metadata } = await operation.wait(left());
    running = undefined;
    timer = setTimeout(hangUp, left().timeout);
    await Promise.all([stdout.ended, stderr.ended]);
    const cut = stdout.tail.cut + stderr.tail.cut;
    return {
      status: Number(metadata?.["return"] ?? -1),
      stdout: stdout.tail.toString(),
      stderr: stderr.tail.toString(),
      ...(cut === 0 ? {} : { cut }),
    };
  } catch (error) {
    if (error instanceof OperationError) running = undefined;
    // A command that is not there or not executable: the operation fails, with the status that a shell gives it.
    const status = error instanceof OperationError ? error.state?.metadata?.["return"] : undefined;
    if (typeof status === "number") return { status, stdout: "", stderr: (error as OperationError).state?.err ?? "" };
    if (!(error instanceof DeadlineError)) throw error;
    const begun = running !== undefined;
    const late = Math.max(0, performance.now() - end);
    throw new ExecDeadlineError({ ...site, cause: error }, begun ? (commandTimeout ?? timeout) : timeout, {
      begun,
      late,
    });
  } finally {
    clearTimeout(timer);
    if (running === undefined) hangUp();
    else void terminate(running).finally(hangUp);
  }
}

interface Stream {
  readonly socket: LiveSocket;
  readonly tail: Tail;
  readonly ended: Promise<void>;
}

/** Asks a command to end, which then may end its children too: the daemon kills it alone, when its control channel is lost. */
async function terminate({ control, operation }: { control: LiveSocket; operation: Operation }): Promise<void> {
  control.send(JSON.stringify({ command: "signal", signal: SIGTERM }));
  try {
    await operation.wait({ timeout: LAST_WORDS });
  } catch (error) {
    if (!(error instanceof LxdError)) throw error;
  }
}
