import { describe, expect, test } from "vitest";
import { spread } from "../../src/probe/spread.ts";

describe("flows to an anycast address", () => {
  test("meet every instance as often, also when most ports lead to one", () => {
    const answeredBy = ["b", "b", "b", "a", "b", "b", "c", "a", "c"];
    const chosen = spread(answeredBy, 6);
    expect(chosen).toEqual([0, 1, 3, 6, 7, 8]);
  });

  test("take more of one where another has too few", () => {
    expect(spread(["a", "a", "a", "b"], 4)).toEqual([0, 1, 2, 3]);
  });

  test("are as many as wanted where nobody answers", () => {
    expect(spread([undefined, undefined, "a", undefined], 3)).toEqual([0, 1, 2]);
    expect(spread([undefined, undefined], 1)).toEqual([0]);
  });
});
