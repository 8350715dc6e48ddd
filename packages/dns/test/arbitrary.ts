import fc from "fast-check";
import { Name } from "../src/wire/name.ts";

const anyLabel = fc.uint8Array({ minLength: 1, maxLength: 63 });
export const anyName = fc
  .array(anyLabel, { maxLength: 4 })
  .filter((labels) => labels.reduce((sum, label) => sum + label.length + 1, 1) <= 255)
  .map((labels) => Name.fromWire(Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0])));
