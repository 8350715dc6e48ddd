import { describe, expect, test } from "vitest";
import { readCheckKeys } from "../../src/health/keys.ts";
import { parseTarget } from "../../src/health/target.ts";

describe("a check", () => {
  test.each([
    ["http://:8080/ready?deep=1", { kind: "http", secure: false, port: 8080, path: "/ready?deep=1" }],
    ["http://", { kind: "http", secure: false, port: 80, path: "/" }],
    ["https://www.example.net/", { kind: "http", secure: true, port: 443, host: "www.example.net", path: "/" }],
    ["tcp://:25", { kind: "tcp", port: 25 }],
    ["exec:pg_isready -q && test -e /ready", { kind: "exec", command: "pg_isready -q && test -e /ready" }],
  ])("%s", (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  test("of a name", () => {
    const target = parseTarget("dns://[2001:db8::5]:5353/example.net?type=AAAA");
    expect(target).toMatchObject({ kind: "dns", port: 5353, type: 28 });
    expect("address" in target && target.address?.toString()).toBe("2001:db8::5");
    expect("name" in target && target.name.toString()).toBe("example.net.");
    expect(parseTarget("dns:///example.net")).toMatchObject({ port: 53, type: 1 });
  });

  test.each([
    ["ping://", "is no check; write http://:PORT/PATH"],
    ["tcp://", "has no port"],
    ["tcp://:99999", "has a port outside 1 to 65535"],
    ["tcp://:25/x", "has a path, which tcp does not know"],
    ["tcp://mail.example.net:25", "only an address of the instance may stand"],
    ["tcp://2001:db8::5:25", "is no check"],
    ["dns://:53", "has no name to ask for"],
    ["dns:///example.net?typ=A", '"typ", which dns does not know'],
    ["dns:///example.net?type=AAAAA", '"AAAAA" is no record type'],
    ["http://1.2.3/", '"1.2.3"'],
    ["exec: ", "has no command"],
    ["http://:80/\u0142", "has a path with characters to be written as %XX"],
    ["http://:80/\u0001", "has a path with characters to be written as %XX"],
  ])("%s is refused", (text, why) => {
    expect(() => parseTarget(text)).toThrow(why);
  });
});

describe("user.trivet.check", () => {
  const source = { project: "web", network: "", instance: "c1" };
  const read = (config: Record<string, string>) => readCheckKeys(config, source);

  test("one or several, and timers for all of them", () => {
    const { checks, timers, problems } = read({
      "user.trivet.check": "tcp://:25",
      "user.trivet.check.web": "http://:80/",
      "user.trivet.check.interval": "0.5",
      "user.trivet.check.fall": "2",
      "user.trivet.checker": "no key of ours",
    });
    expect(checks.map(({ name, text }) => [name, text])).toEqual([
      ["check", "tcp://:25"],
      ["web", "http://:80/"],
    ]);
    expect(timers).toEqual({ interval: 500, fall: 2 });
    expect(problems).toEqual([]);
  });

  test("timers are whole milliseconds, however seconds are written", () => {
    expect(read({ "user.trivet.check.timeout": "2.01", "user.trivet.check.fast": "0.10049" }).timers).toEqual({
      timeout: 2_010,
      fast: 100,
    });
  });

  test("a problem is told without what a terminal would obey, and not at any length", () => {
    const { problems } = read({
      "user.trivet.check": "\u009b31m\u001b[2J",
      "user.trivet.check.web": `tcp:${"x".repeat(100_000)}`,
    });
    for (const { value, why } of problems) {
      expect(value + why).not.toMatch(/\p{Cc}/u);
      expect(Math.max(value.length, why.length)).toBeLessThanOrEqual(300);
    }
    expect(problems).toHaveLength(2);
  });

  test("`none` switches off what a profile says", () => {
    expect(read({ "user.trivet.check": "none", "user.trivet.check.web": "" })).toEqual({
      checks: [],
      timers: {},
      problems: [],
    });
  });

  test("a wrong value is a problem and harms no other", () => {
    const { checks, timers, problems } = read({
      "user.trivet.check": "tcp:25",
      "user.trivet.check.web": "http://:80/",
      "user.trivet.check.timeout": "soon",
      "user.trivet.check.rise": "1.5",
      "user.trivet.check.intervall": "5",
      "user.trivet.check.Web": "http://:80/",
    });
    expect(checks.map(({ name }) => name)).toEqual(["web"]);
    expect(timers).toEqual({});
    expect(problems.map(({ key, why }) => [key, why])).toEqual([
      ["user.trivet.check", expect.stringContaining("is no check")],
      ["user.trivet.check.timeout", '"soon" is no number of seconds from 0.1 to 60'],
      ["user.trivet.check.rise", '"1.5" is no count from 1 to 100'],
      ["user.trivet.check.intervall", expect.stringContaining("is no check")],
      ["user.trivet.check.Web", expect.stringContaining("is no name of a check")],
    ]);
  });
});
