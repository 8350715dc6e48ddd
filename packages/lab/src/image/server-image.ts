import { createHash } from "node:crypto";
import { existsSync, mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/run.ts";
import { type Suite, serverPackages } from "./packages.ts";
import { aptSources } from "./sources.ts";

const CACHE = "/var/cache/trivet/lab";
const NEEDED_GB = 3;

/** Run in the new root, after the packages: everything off, so that a lab starts what it wants; nothing two servers may not share. */
const PREPARE = [
  "systemctl --root=$1 disable --quiet lxd lxd.socket lxd-agent incus incus.socket incus-lxcfs incus-startup lxcfs lxc-net lxc" +
    " frr keepalived ovn-central ovn-host openvswitch-switch nsd unbound tayga ceph.target dnsmasq nftables rsync" +
    " systemd-networkd-wait-online systemd-resolved apt-daily.timer apt-daily-upgrade.timer 2>/dev/null || true",
  "rm -f $1/etc/ssh/ssh_host_* $1/var/lib/dbus/machine-id && : >$1/etc/machine-id",
  "rm -rf $1/var/cache/apt/* $1/var/lib/apt/lists/*",
];

const DPKG_OPTIONS = [
  "force-unsafe-io",
  "path-exclude=/usr/share/doc/*",
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/locale/*",
];

export interface ImageOptions {
  /** Told what is being done, line by line. */
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The root file system that a lab's servers share: a Debian with systemd, sshd and every daemon of a server, none of them enabled.
 * It is made on first use (one to two minutes) and kept in `/var/cache/trivet/lab`; callers only read it (overlay, bind or copy).
 * Interrupted, it leaves nothing that looks finished; two callers at once make it once.
 *
 * @returns its folder
 * @throws CommandError when packages cannot be fetched or installed
 */
export async function serverImage(suite: Suite, { progress, signal }: ImageOptions = {}): Promise<string> {
  const packages = serverPackages(suite);
  const recipe = JSON.stringify([suite, packages, PREPARE, DPKG_OPTIONS]);
  const folder = join(CACHE, `${suite}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const { bavail, bsize } = statfsSync(CACHE);
  const free = (bavail * bsize) / 1e9;
  if (free < NEEDED_GB) progress?.(`only ${free.toFixed(1)} GB are free below ${CACHE}; the image needs ${NEEDED_GB}`);
  progress?.(`installing ${packages.length} packages of ${suite} into ${folder}`);
  const build = [
    "mmdebstrap",
    "--mode=root",
    "--variant=minbase",
    "--components=main",
    `--include=${packages.join(",")}`,
    "--aptopt=APT::Install-Recommends false",
    "--aptopt=Acquire::Languages none",
    ...DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`),
    ...PREPARE.map((line) => `--customize-hook=${line}`),
    suite,
    `${folder}.part`,
    ...(await aptSources(suite)),
  ];
  // The lock makes a second caller wait, who then finds the folder; the rename makes it whole or absent. A killed mmdebstrap leaves mounts.
  const unmount = 'grep -F " $0.part/" /proc/self/mounts | cut -d " " -f 2 | sort -r | xargs -r umount -l';
  const script = `test -d "$0" || { ${unmount} && rm -rf --one-file-system "$0.part" && "$@" && mv "$0.part" "$0"; }`;
  await run(["flock", `${folder}.lock`, "sh", "-c", script, folder, ...build], {
    timeout: 30 * 60_000,
    ...(progress === undefined ? {} : { onLine: progress }),
    ...(signal === undefined ? {} : { signal }),
  });
  return folder;
}
