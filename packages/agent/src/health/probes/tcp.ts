import { connect } from "node:net";

/** Resolves when a connection stands, which is closed at once. */
export async function probeTcp(host: string, port: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on("error", reject);
    socket.on("connect", () => {
      resolve();
      socket.destroy();
    });
  });
}
