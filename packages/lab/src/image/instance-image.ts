import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "../host/run.ts";
import { INSTANCE_INIT } from "./instance-init.ts";

/** What an instance may be: a router, a name server, a resolver, NAT64, a web server. All of it comes from the servers' image. */
const PROGRAMS = [
  "/usr/bin/ip",
  "/usr/sbin/ethtool",
  "/usr/sbin/nsd",
  "/usr/sbin/nsd-checkconf",
  "/usr/sbin/unbound",
  "/usr/sbin/tayga",
  "/usr/sbin/nft",
  "/usr/sbin/keepalived",
  "/usr/bin/vtysh",
  ...["zebra", "bgpd", "bfdd", "staticd"].map((daemon) => `/usr/lib/frr/${daemon}`),
];
/** vtysh asks PAM, which loads this one by name. */
const PAM = "/usr/lib/x86_64-linux-gnu/security/pam_permit.so";
const FILES = {
  "etc/pam.d/frr": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
  "etc/frr/vtysh.conf": "service integrated-vtysh-config\n",
};
/** In newer releases only. */
const OPTIONAL = ["/usr/lib/frr/mgmtd", "/etc/keepalived/keepalived.config-opts"];
const FOLDERS = [
  "dev",
  "etc/frr",
  "etc/pam.d",
  "proc",
  "sys",
  "tmp",
  "run",
  "root",
  "usr/bin",
  "usr/sbin",
  "usr/lib64",
  "var/lib/nsd",
  "var/lib/tayga",
  "srv/www",
];
const LINKS = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64", "var/run": "../run" };
const USERS = ["root", "nobody", "frr", "nsd", "unbound"];
const GROUPS = ["root", "nogroup", "frr", "frrvty", "nsd", "unbound"];

/**
 * The image of the lab's instances, without a download: busybox and a few daemons with their libraries, copied from the servers'
 * root file system. Its init is a script that obeys `environment.LAB_*` (see instance-init.ts).
 *
 * @param server folder of the servers' image
 * @returns the path of an image for `lxc image import`
 */
export async function instanceImage(server: string): Promise<string> {
  const recipe = JSON.stringify([PROGRAMS, OPTIONAL, FOLDERS, LINKS, FILES, USERS, GROUPS, INSTANCE_INIT]);
  const hash = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const image = join(dirname(server), `${basename(server)}-instance-${hash}.tar`);
  if (existsSync(image)) return image;
  const work = `${image}.${process.pid}`;
  const root = join(work, "rootfs");
  rmSync(work, { recursive: true, force: true });
  try {
    for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
    const programs = [...PROGRAMS, PAM, ...OPTIONAL.filter((path) => existsSync(join(server, path)))];
    const binaries = programs.filter((path) => path.startsWith("/usr/"));
    for (const file of [...programs, ...(await libraries(server, binaries))]) copy(server, root, file);
    copy(server, root, "/bin/busybox");
    for (const [link, target] of Object.entries(LINKS)) await run(["ln", "-sfn", target, join(root, link)]);
    const { stdout } = await run([join(server, "bin/busybox"), "--list-full"]);
    for (const path of stdout.trim().split("\n")) {
      const applet = join(root, "usr", path.startsWith("sbin/") ? "sbin" : "bin", basename(path));
      // Neither busybox itself nor a real program is replaced by a link.
      if (!existsSync(join(root, "usr/bin", basename(path))) && !existsSync(applet))
        symlinkSync("/usr/bin/busybox", applet);
    }
    if (existsSync(join(server, "usr/share/yang")))
      cpSync(join(server, "usr/share/yang"), join(root, "usr/share/yang"), { recursive: true });
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
    writeFileSync(join(root, "etc/passwd"), await lines(server, "passwd", USERS));
    writeFileSync(join(root, "etc/group"), await lines(server, "group", GROUPS));
    rmSync(join(root, "usr/sbin/init"), { force: true });
    writeFileSync(join(root, "usr/sbin/init"), INSTANCE_INIT, { mode: 0o755 });
    const metadata = {
      architecture: "x86_64",
      creation_date: 1,
      properties: { os: "trivet", description: "trivet lab" },
    };
    writeFileSync(join(work, "metadata.yaml"), JSON.stringify(metadata));
    await run(["tar", "-C", work, "--numeric-owner", "--owner=0", "--group=0", "-cf", `${work}.tar`, "."]);
    renameSync(`${work}.tar`, image);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return image;
}

/** The shared libraries and the loader that the programs name, as paths in the root file system. */
async function libraries(server: string, programs: readonly string[]): Promise<string[]> {
  const { stdout } = await run(["chroot", server, "ldd", ...programs]);
  return [...new Set(stdout.match(/\/\S+\.so[.\d]*/g))];
}

function copy(from: string, to: string, path: string): void {
  const target = join(to, path.replace(/^\/(bin|sbin|lib|lib64)\//, "/usr/$1/"));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(from, path), target);
}

async function lines(server: string, file: string, names: readonly string[]): Promise<string> {
  const { stdout } = await run(["grep", "-E", `^(${names.join("|")}):`, join(server, "etc", file)]);
  return stdout;
}
