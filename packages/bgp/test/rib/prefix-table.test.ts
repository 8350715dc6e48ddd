import { Address, type Family, Prefix } from "@trivet/ip";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PrefixTable } from "../../src/rib/prefix-table.ts";

describe("property: a prefix table is a map", () => {
  const length = { 4: 32, 6: 128 };
  test.each<Family>([4, 6])("IPv%i", (family) => {
    const prefix = fc
      .tuple(fc.nat(40), fc.constantFrom(length[family], length[family] - 3, 8, 0))
      .map(([n, bits]) => Prefix.of(Address.fromBigInt(family, BigInt(n) << (family === 4 ? 3n : 99n)), bits));
    const step = fc.record({ prefix, value: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const table = new PrefixTable(family);
        const model = new Map<string, number>();
        for (const { prefix: key, value } of steps) {
          if (value === 0) {
            const row = table.find(key);
            expect(row >= 0).toBe(model.delete(key.toString()));
            if (row >= 0) table.remove(row);
          } else {
            table.value[table.add(key)] = value;
            model.set(key.toString(), value);
          }
        }
        const rows = Array.from({ length: table.size }, (_, row) => [table.prefixAt(row).toString(), table.value[row]]);
        expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(model));
        for (const text of model.keys()) expect(table.find(Prefix.parse(text))).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 200 },
    );
  });
});
