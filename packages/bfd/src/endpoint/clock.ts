import type { Clock } from "../engine.ts";

/**
 * Turns of the event loop that a deadline waits at most while packets keep coming. Node reads 32 datagrams of a socket in a turn, and a
 * socket's buffer has room for fewer than 300 (net.core.rmem_default): what lay there is read, and a flood delays nothing for long.
 */
const TURNS = 16;

/**
 * The system's time.
 *
 * A thread that stood still (its process stopped, its virtual machine paused, its processor taken) finds its timers expired and its
 * sockets full. Node calls timers first; a deadline therefore waits until a turn of the event loop has read nothing. That takes
 * microseconds where nothing waits to be read.
 *
 * @param received how many packets were read so far
 */
export function systemClock(received: () => number): Clock {
  return {
    now: () => performance.timeOrigin * 1000 + performance.now() * 1000,
    schedule: (after, run) => {
      const timer = setTimeout(run, after / 1000);
      return () => clearTimeout(timer);
    },
    deadline: (after, run) => {
      let immediate: NodeJS.Immediate | undefined;
      const settle = (turns: number): void => {
        const before = received();
        immediate = setImmediate(() => {
          if (received() === before || turns === 1) run();
          else settle(turns - 1);
        });
      };
      const timer = setTimeout(() => settle(TURNS), after / 1000);
      return () => {
        clearTimeout(timer);
        clearImmediate(immediate);
      };
    },
    random: Math.random,
  };
}
