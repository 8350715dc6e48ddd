import { existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CommandError, run } from "../host/run.ts";
import type { Places } from "./places.ts";

const LOOP = "/dev/loop-control";
/** Bytes a server may write; the image is sparse, and takes what is written. */
const SIZE = 24 * 2 ** 30;

/** What a lab can lose with its machine: no journal, no flushes. A server's power cut keeps what it wrote, as the kernel lives on. */
const OPTIONS = "loop,noatime,nobarrier,noinit_itable";

/**
 * Makes the servers' disks visible everywhere, and so gone everywhere once they are unmounted; else each process of this machine with a
 * mount namespace of its own (another lab's server, `ip netns exec`) would hold the disks of a lab that was removed.
 */
export async function shareDisks({ containers }: Places): Promise<void> {
  if (isMounted(containers) || !existsSync(LOOP)) return;
  mkdirSync(containers, { recursive: true });
  await run(["mount", "--bind", containers, containers]);
  // Of a group of its own: where systemd shares all mounts, each disk would be mounted a second time below the first.
  await run(["mount", "--make-private", containers]);
  await run(["mount", "--make-shared", containers]);
}

/**
 * Gives a server a disk that has an end: an ext4 image, mounted where its files are. Idempotent, also after this machine's reboot.
 * Where the kernel has no loop devices its files lie in the folder as they are.
 *
 * @param folder the server's own, below the lab's containers
 */
export async function attachDisk(places: Places, folder: string): Promise<void> {
  if (isMounted(folder)) return;
  const image = join(places.folder, "disks", `${basename(folder)}.img`);
  if (!existsSync(image)) {
    if (existsSync(folder) || !existsSync(LOOP)) return;
    mkdirSync(join(places.folder, "disks"), { recursive: true });
    writeFileSync(`${image}.new`, "");
    truncateSync(`${image}.new`, SIZE);
    await run([
      "mkfs.ext4",
      "-q",
      "-m",
      "0",
      "-O",
      "^has_journal",
      "-E",
      "nodiscard,lazy_itable_init=1",
      `${image}.new`,
    ]);
    await run(["mv", `${image}.new`, image]);
  } else {
    await repair(image);
  }
  mkdirSync(folder, { recursive: true });
  await run(["mount", "-o", OPTIONS, image, folder]);
}

/** Whether a server's files have a file system of their own. */
export function isMounted(folder: string): boolean {
  return mountPoints().includes(folder);
}

/** Loop devices over files of the lab. */
export function loopDevices(places: Places): string[] {
  const all = existsSync("/sys/block") ? readdirSync("/sys/block").filter((name) => name.startsWith("loop")) : [];
  return all.filter((name) => {
    const file = `/sys/block/${name}/loop/backing_file`;
    return existsSync(file) && readFileSync(file, "utf8").startsWith(`${places.folder}/`);
  });
}

/** Where file systems are mounted, in the order they were. */
export function mountPoints(): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
}

/** After a crash of this machine. */
async function repair(image: string): Promise<void> {
  try {
    await run(["e2fsck", "-y", image], { timeout: 300_000 });
  } catch (error) {
    // 1 and 2: errors were found and corrected.
    if (!(error instanceof CommandError) || ![1, 2].includes(Number(error.status))) throw error;
  }
}
