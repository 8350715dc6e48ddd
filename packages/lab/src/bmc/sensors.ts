/** What stands for the metal of a server: its heat, as a function of what its processors do. */
export interface Heat {
  /** Celsius. */
  readonly inlet: number;
  readonly cpu: number;
  readonly exhaust: number;
  /** Revolutions per minute of each fan. */
  readonly fans: readonly number[];
  /** Watts drawn. */
  readonly power: number;
}

/** Seconds in which the processor covers two thirds of the way to its new temperature. */
const INERTIA = 20;
const FANS = 2;
/** Degrees above the air that comes in. */
const CPU = { idle: 12, full: 58 } as const;
const FAN = { least: 1800, most: 6000, from: 45, to: 75 } as const;
const POWER = { standby: 4, idle: 38, full: 103 } as const;

export const THRESHOLDS = { inlet: 42, cpu: 90, exhaust: 70, fan: 600 } as const;

/** Heat of a server that has stood still. */
export function cold(inlet: number): Heat {
  return { inlet, cpu: inlet, exhaust: inlet, fans: Array<number>(FANS).fill(0), power: POWER.standby };
}

/**
 * Its heat some seconds later.
 *
 * @param load share of its processors in use, 0 to 1; `undefined` while it is off
 */
export function warm(heat: Heat, seconds: number, load: number | undefined): Heat {
  const goal = heat.inlet + (load === undefined ? 0 : between(CPU.idle, CPU.full, load));
  const cpu = goal + (heat.cpu - goal) * Math.exp(-seconds / INERTIA);
  const speed = Math.min(1, Math.max(0, (cpu - FAN.from) / (FAN.to - FAN.from)));
  const rpm = load === undefined ? 0 : Math.round(between(FAN.least, FAN.most, speed) / 60) * 60;
  return {
    inlet: heat.inlet,
    cpu,
    exhaust: heat.inlet + (cpu - heat.inlet) * 0.4,
    fans: heat.fans.map(() => rpm),
    power: load === undefined ? POWER.standby : between(POWER.idle, POWER.full, load),
  };
}

function between(least: number, most: number, share: number): number {
  return least + (most - least) * share;
}
