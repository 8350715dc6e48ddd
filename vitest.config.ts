import { defineConfig } from "vitest/config";

/**
 * Two projects. `unit`: everything that needs neither root nor packages, side by side. `lab`: files named `*.lab.test.ts`, which
 * meet real daemons in network namespaces and containers, one file after the other; without root or packages they say what is
 * missing and are skipped (TRIVET_LAB=required makes that a failure).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "scripts/test/**/*.test.ts"],
          exclude: ["**/*.lab.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "lab",
          include: ["packages/*/test/**/*.lab.test.ts", "e2e/**/*.test.ts"],
          fileParallelism: false,
          globalSetup: ["e2e/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
