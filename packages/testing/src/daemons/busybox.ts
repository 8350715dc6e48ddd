import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@trivet/lab";

/** Ends at SIGPWR, which is how LXD and Incus ask for a shutdown; runs the script, then reaps what is left to it. */
const INIT = `#!/bin/sh
trap 'exit 0' PWR
[ -x /etc/rc ] && /etc/rc &
while :; do sleep 3600 & wait $!; done
`;

const METADATA = "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  description: busybox\n";

/**
 * A container image of 1 MB, made here from the machine's static busybox: the tar that `POST /1.0/images` takes.
 *
 * @param rc a shell script that the container runs at its start, e.g. to set its addresses
 */
export async function busyboxImage(rc = "#!/bin/sh\n"): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-image-"));
  try {
    const root = join(folder, "rootfs");
    for (const name of ["bin", "sbin", "dev", "proc", "sys", "etc", "tmp", "root", "run"])
      mkdirSync(join(root, name), { recursive: true });
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    const { stdout } = await run(["/bin/busybox", "--list"]);
    for (const applet of stdout.split("\n").filter((name) => name !== "" && name !== "busybox" && name !== "init"))
      symlinkSync("busybox", join(root, "bin", applet));
    writeScript(join(root, "sbin/init"), INIT);
    writeScript(join(root, "etc/rc"), rc);
    writeFileSync(join(folder, "metadata.yaml"), METADATA);
    await run(["tar", "-C", folder, "-czf", join(folder, "image.tar.gz"), "metadata.yaml", "rootfs"]);
    return readFileSync(join(folder, "image.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeScript(path: string, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o755);
}
