import { Namespace, run } from "../src/index.ts";
import { describeLab } from "@trivet/testing";
import { expect, test } from "vitest";

describeLab("a namespace", { programs: ["ping"] }, () => {
  test("carries packets to another and leaves nothing behind", async () => {
    const a = await Namespace.create("a");
    const b = await Namespace.create("b");
    try {
      await Namespace.link(a, { dev: "eth0", addresses: ["192.0.2.1/24", "2001:db8::1/64"] }, b, {
        dev: "eth0",
        addresses: ["192.0.2.2/24", "2001:db8::2/64"],
      });
      await a.run(["ping", "-c", "1", "-W", "2", "192.0.2.2"]);
      await a.run(["ping", "-c", "1", "-W", "2", "2001:db8::2"]);
      const running = b.spawn(["tail", "-f", "/dev/null"], { stdio: "ignore" });
      const ended = new Promise((resolve) => running.on("exit", resolve));
      await b.remove();
      await ended;
      await a.remove();
    } finally {
      const { stdout } = await run(["ip", "netns", "list"]);
      expect(stdout).not.toContain(`trivet-t${process.pid}-`);
    }
  });
});
