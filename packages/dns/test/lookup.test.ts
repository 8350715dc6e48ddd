import { describe, expect, test } from "vitest";
import { recordText } from "../src/wire/record.ts";
import { ask, responderOf, shown, storeOf, zoneOf } from "./support.ts";

const HEAD = "@ 3600 IN SOA ns admin 1 3600 900 604800 300\n@ 3600 NS ns\nns 3600 A 192.0.2.53\n";
const SOA = "example. 300 IN SOA ns.example. admin.example. 1 3600 900 604800 300";

function asker(text: string, ...more: [origin: string, text: string][]) {
  const responder = responderOf(
    storeOf(zoneOf("example.", HEAD + text), ...more.map(([origin, other]) => zoneOf(origin, HEAD + other))),
  );
  // The second time the answer comes from the cache; it must be the same.
  return (name: string, type: string) => {
    const answer = shown(ask(responder, name, type));
    expect(shown(ask(responder, name, type))).toEqual(answer);
    return answer;
  };
}

describe("RFC 1034 §4.3.2: names that exist", () => {
  const at = asker("host 60 A 192.0.2.1\nhost 60 A 192.0.2.2\na.b.c 60 TXT deep\n");

  test("data of the type is the answer, with authority", () => {
    expect(at("host.example.", "A")).toEqual({
      rcode: 0,
      aa: true,
      answer: ["host.example. 60 IN A 192.0.2.1", "host.example. 60 IN A 192.0.2.2"],
      authority: [],
      additional: [],
    });
  });

  test("no data of the type: the SOA record with the negative TTL (RFC 2308 §2.2, §3)", () => {
    expect(at("host.example.", "AAAA")).toEqual({ rcode: 0, aa: true, answer: [], authority: [SOA], additional: [] });
  });

  test("an empty non-terminal exists (RFC 4592 §2.2.2)", () => {
    expect(at("b.c.example.", "A")).toMatchObject({ rcode: 0, authority: [SOA] });
  });

  test("a name that does not exist (RFC 2308 §2.1)", () => {
    expect(at("nohost.example.", "A")).toEqual({ rcode: 3, aa: true, answer: [], authority: [SOA], additional: [] });
    expect(at("x.host.example.", "A")).toMatchObject({ rcode: 3 });
  });

  test("outside of all zones: REFUSED", () => {
    expect(at("example.org.", "A")).toEqual({ rcode: 5, aa: false, answer: [], authority: [], additional: [] });
    expect(at(".", "NS")).toMatchObject({ rcode: 5 });
  });
});

describe("RFC 2308 §5: the negative TTL is the lower of the SOA record's TTL and MINIMUM", () => {
  test.each([
    [100, 300, 100],
    [300, 100, 100],
  ])("TTL %i, MINIMUM %i", (ttl, minimum, expected) => {
    const zone = zoneOf("example.", `@ ${ttl} IN SOA ns admin 1 3600 900 604800 ${minimum}\n@ 60 NS ns\n`);
    const answer = ask(responderOf(storeOf(zone)), "no.example.", "A");
    expect(answer.authorities.map(({ ttl: sent }) => sent)).toEqual([expected]);
  });
});

describe("the SOA record of negative answers is whole behind names of any length", () => {
  test.each([
    ["example.", "@ 60 IN SOA ns admin.ns 1 2 3 4 5\n@ 60 NS ns\n"],
    ["example.", "@ 60 IN SOA example. example.org. 1 2 3 4 5\n@ 60 NS ns\n"],
    ["a.b.example.", "@ 60 IN SOA ns.example. admin.example. 1 2 3 4 5\n@ 60 NS ns\n"],
    [".", "@ 60 IN SOA a.root.example. nstld.root.example. 1 2 3 4 5\n@ 60 NS a.root.example.\n"],
  ])("%s %j", (origin, text) => {
    const zone = zoneOf(origin, text);
    const responder = responderOf(storeOf(zone));
    const expected = recordText({ ...zone.soaRecord, ttl: 5 });
    for (const name of [origin, `x.${origin}`, `ns.${origin}`, `${"y".repeat(63)}.${"z".repeat(63)}.${origin}`].map(
      (text) => text.replace("..", "."),
    ))
      expect(shown(ask(responder, name, "TXT")).authority).toEqual([expected]);
  });
});

describe("aliases", () => {
  const at = asker(
    [
      "a CNAME b",
      "b CNAME host",
      "host A 192.0.2.1",
      "out CNAME www.example.org.",
      "gone CNAME nohost",
      "nodata CNAME txt",
      "txt TXT x",
      "l1 CNAME l2",
      "l2 CNAME l1",
      "self CNAME self",
      "cut CNAME x.sub",
      "sub NS ns.sub",
      "ns.sub A 192.0.2.7",
    ]
      .map((line) => line.replace(" ", " 60 "))
      .join("\n"),
  );

  test("a chain is followed to its end", () => {
    expect(at("a.example.", "A").answer).toEqual([
      "a.example. 60 IN CNAME b.example.",
      "b.example. 60 IN CNAME host.example.",
      "host.example. 60 IN A 192.0.2.1",
    ]);
  });

  test("a question for the alias itself is not", () => {
    expect(at("a.example.", "CNAME").answer).toEqual(["a.example. 60 IN CNAME b.example."]);
  });

  test("out of the zone: the alias only", () => {
    expect(at("out.example.", "A")).toMatchObject({
      rcode: 0,
      answer: ["out.example. 60 IN CNAME www.example.org."],
      authority: [],
    });
  });

  test("the RCODE is that of the chain's end (RFC 6604 §3)", () => {
    expect(at("gone.example.", "A")).toMatchObject({ rcode: 3, aa: true, authority: [SOA] });
    expect(at("nodata.example.", "A")).toMatchObject({ rcode: 0, authority: [SOA] });
  });

  test("circles end", () => {
    expect(at("l1.example.", "A").answer).toHaveLength(2);
    expect(at("self.example.", "A").answer).toHaveLength(1);
  });

  test("into a delegation: alias and referral, still with authority for the alias", () => {
    expect(at("cut.example.", "A")).toMatchObject({
      aa: true,
      answer: ["cut.example. 60 IN CNAME x.sub.example."],
      authority: ["sub.example. 60 IN NS ns.sub.example."],
    });
  });
});

describe("RFC 4592: the wildcards of its §2.2.1", () => {
  const at = asker(
    [
      '* 3600 TXT "this is a wildcard"',
      "* 3600 MX 10 host1.example.",
      'sub.* 3600 TXT "this is not a wildcard"',
      "host1 3600 A 192.0.2.1",
      "_ssh._tcp.host1 3600 SRV 0 0 22 host1",
      "_ssh._tcp.host2 3600 SRV 0 0 22 host2",
      "subdel 3600 NS ns.example.com.",
      "subdel 3600 NS ns.example.net.",
    ].join("\n"),
  );

  test.each([
    ["host3.example.", "MX", ["host3.example. 3600 IN MX 10 host1.example."], 0],
    ["host3.example.", "A", [], 0],
    ["foo.bar.example.", "TXT", ['foo.bar.example. 3600 IN TXT "this is a wildcard"'], 0],
    ["host1.example.", "MX", [], 0],
    ["sub.*.example.", "MX", [], 0],
    ["_telnet._tcp.host1.example.", "SRV", [], 3],
    ["ghost.*.example.", "MX", [], 3],
    ["*.example.", "TXT", ['*.example. 3600 IN TXT "this is a wildcard"'], 0],
  ])("%s %s", (name, type, answer, rcode) => {
    expect(at(name, type)).toMatchObject({ answer, rcode, aa: true });
  });

  test("host.subdel.example. is behind a delegation", () => {
    expect(at("host.subdel.example.", "A")).toMatchObject({
      rcode: 0,
      aa: false,
      answer: [],
      authority: ["subdel.example. 3600 IN NS ns.example.com.", "subdel.example. 3600 IN NS ns.example.net."],
    });
  });

  test("a wildcard may be an alias; the chain goes on", () => {
    const to = asker("*.w 60 CNAME host\nhost 60 A 192.0.2.1\n");
    expect(to("x.w.example.", "A").answer).toEqual([
      "x.w.example. 60 IN CNAME host.example.",
      "host.example. 60 IN A 192.0.2.1",
    ]);
  });
});

describe("delegations", () => {
  const at = asker(
    "sub 60 NS ns.sub\nsub 60 NS ns.other\nsub 60 NS ns.example.org.\nns.sub 60 A 192.0.2.7\nns.sub 60 AAAA 2001:db8::7\nother 60 NS ns.other\nns.other 60 A 192.0.2.8\nsub 60 DS 1 8 2 aa\nns.sub 60 TXT hidden\n",
  );

  test("the referral has the NS records, and glue in the zone, siblings included (RFC 9471)", () => {
    for (const name of ["sub.example.", "a.b.sub.example.", "ns.sub.example."])
      expect(at(name, "A")).toEqual({
        rcode: 0,
        aa: false,
        answer: [],
        authority: [
          "sub.example. 60 IN NS ns.sub.example.",
          "sub.example. 60 IN NS ns.other.example.",
          "sub.example. 60 IN NS ns.example.org.",
        ],
        additional: [
          "ns.sub.example. 60 IN A 192.0.2.7",
          "ns.sub.example. 60 IN AAAA 2001:db8::7",
          "ns.other.example. 60 IN A 192.0.2.8",
        ],
      });
  });

  test("DS is answered here, with authority (RFC 4035 §3.1.4.1)", () => {
    expect(at("sub.example.", "DS")).toMatchObject({ aa: true, answer: ["sub.example. 60 IN DS 1 8 2 aa"] });
    expect(at("other.example.", "DS")).toMatchObject({ aa: true, answer: [], authority: [SOA] });
    expect(at("x.sub.example.", "DS")).toMatchObject({ aa: false });
  });

  test("with parent and child on one server, DS comes from the parent and all else from the child", () => {
    const both = asker("sub 60 NS ns.sub\nns.sub 60 A 192.0.2.7\nsub 60 DS 1 8 2 aa\n", [
      "sub.example.",
      "@ 60 TXT child\n",
    ]);
    expect(both("sub.example.", "DS").answer).toEqual(["sub.example. 60 IN DS 1 8 2 aa"]);
    expect(both("sub.example.", "TXT")).toMatchObject({ aa: true, answer: ['sub.example. 60 IN TXT "child"'] });
  });
});

describe("RFC 6672: DNAME", () => {
  const at = asker(
    `d 60 DNAME target\nd 60 A 192.0.2.1\nx.target 60 A 192.0.2.2\nx.d 60 A 192.0.2.9\nlong 60 DNAME ${"l".repeat(60)}.${"l".repeat(60)}.example.org.\n`,
  );

  test("what is below is redirected, with a CNAME of the same TTL (§3.1)", () => {
    expect(at("x.d.example.", "A").answer).toEqual([
      "d.example. 60 IN DNAME target.example.",
      "x.d.example. 60 IN CNAME x.target.example.",
      "x.target.example. 60 IN A 192.0.2.2",
    ]);
    expect(at("y.d.example.", "A")).toMatchObject({ rcode: 3, authority: [SOA] });
  });

  test("the owner itself is not (§2.3)", () => {
    expect(at("d.example.", "A").answer).toEqual(["d.example. 60 IN A 192.0.2.1"]);
    expect(at("d.example.", "AAAA")).toMatchObject({ rcode: 0, answer: [], authority: [SOA] });
  });

  test("a name that becomes too long is YXDOMAIN (§2.2)", () => {
    const name = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(30)}.long.example.`;
    expect(at(name, "A")).toMatchObject({ rcode: 6, answer: [expect.stringContaining("DNAME")] });
  });

  test("at the top it redirects the whole zone but the top", () => {
    const top = asker("@ 60 DNAME example.org.\n");
    expect(top("x.example.", "A").answer.at(-1)).toBe("x.example. 60 IN CNAME x.example.org.");
    expect(top("example.", "NS").answer).toEqual(["example. 3600 IN NS ns.example."]);
  });
});

describe("RFC 8482: ANY", () => {
  test("one set of records, as many as there may be", () => {
    const at = asker("host 60 A 192.0.2.1\nhost 60 TXT x\nhost 60 AAAA 2001:db8::1\nent.host 60 A 192.0.2.1\n");
    expect(at("host.example.", "ANY").answer).toEqual(["host.example. 60 IN A 192.0.2.1"]);
    expect(at("no.example.", "ANY")).toMatchObject({ rcode: 3 });
  });
});

describe("additional records (RFC 1034 §3.7, RFC 2782)", () => {
  const at = asker("@ 60 MX 10 mail\nmail 60 A 192.0.2.25\nmail 60 AAAA 2001:db8::25\n_s._tcp 60 SRV 0 0 1 mail\n");

  test.each([
    ["example.", "MX"],
    ["_s._tcp.example.", "SRV"],
  ])("%s %s brings the addresses of its target", (name, type) => {
    expect(at(name, type).additional).toEqual([
      "mail.example. 60 IN A 192.0.2.25",
      "mail.example. 60 IN AAAA 2001:db8::25",
    ]);
  });

  test("NS brings those of the name servers", () => {
    expect(at("example.", "NS").additional).toEqual(["ns.example. 3600 IN A 192.0.2.53"]);
  });
});
