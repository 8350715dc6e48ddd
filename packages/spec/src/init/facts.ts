import * as z from "zod";
import { API_VERSION } from "../schema/cluster.ts";
import { type Rejected, loadYaml } from "../source/load.ts";

/** What was found on one server. */
const factsSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("facts"),
  host: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, "is no host name"),
  memory: z.int().min(0),
  cores: z.int().min(1),
  nics: z.array(z.strictObject({ name: z.string(), mac: z.string(), speed: z.int().min(0), slot: z.string() })),
  disks: z.array(
    z.strictObject({
      name: z.string(),
      class: z.enum(["hdd", "ssd", "nvme"]),
      size: z.int(),
      serial: z.string(),
      boot: z.boolean(),
    }),
  ),
  bmc: z.strictObject({ address: z.string() }).optional(),
});
export type Facts = z.output<typeof factsSchema>;

/** Reads a file of `trivet facts`. */
export function readFacts(path: string, text: string): { ok: true; value: Facts } | Rejected {
  return loadYaml({ path, text, schema: factsSchema });
}

/**
 * What a server runs to tell of itself: plain sh, no root needed but for serials and the BMC. It prints one word and its values a
 * line, separated by tabs.
 */
export const FACTS_SCRIPT = `
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
tab=$(printf '\\t')
say() { out=$1; shift; for word in "$@"; do out="$out$tab$word"; done; printf '%s\\n' "$out"; }
say host "$(hostname -s 2>/dev/null || cat /proc/sys/kernel/hostname)"
say memory "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
say cores "$(getconf _NPROCESSORS_ONLN)"
# A container that plays a server has no hardware of its own: its ports are the cables' ends that it was given, its disk is its root.
container=no
if [ -e /run/systemd/container ] || grep -qz ^container= /proc/1/environ 2>/dev/null; then container=yes; fi
for path in /sys/class/net/*; do
  name=\${path##*/}
  if [ $container = yes ]; then
    [ "$(cat "$path/ifindex")" != "$(cat "$path/iflink")" ] || continue
    case $name in veth*) continue ;; esac
  else
    [ -e "$path/device" ] || continue
  fi
  mac=$(cat "$path/address")
  [ -r "$path/bonding_slave/perm_hwaddr" ] && mac=$(cat "$path/bonding_slave/perm_hwaddr")
  speed=$(ethtool "$name" 2>/dev/null | grep -o '[0-9]*base' | sort -n | tail -1)
  speed=\${speed%base}
  [ -n "$speed" ] || speed=$(cat "$path/speed" 2>/dev/null || echo 0)
  slot=onboard
  [ -e "$path/device" ] && slot=$(basename "$(readlink -f "$path/device")")
  say nic "$name" "$mac" "\${speed:-0}" "\${slot%.*}"
done
if [ $container = yes ]; then
  say disk root ssd "$(df -B1 --output=size / | tail -1 | tr -d ' ')" "" yes
else
  lsblk -bdnro NAME,SIZE,ROTA,TYPE,TRAN,SERIAL 2>/dev/null | while read -r name size rota type tran serial; do
    [ "$type" = disk ] || continue
    case $name in zram*|loop*|rbd*|nbd*|drbd*) continue ;; esac
    class=ssd
    [ "$rota" = 1 ] && class=hdd
    case $name in nvme*) class=nvme ;; *) case $tran in sata|sas|usb|ata|virtio|"") ;; *) serial=$tran ;; esac ;; esac
    # The system is on what is mounted, swapped to, or in a pool of ZFS, be it through partitions, RAID or LVM.
    system=no
    lsblk -nro FSTYPE,MOUNTPOINT "/dev/$name" 2>/dev/null | grep -qE 'zfs_member| (/|\\[SWAP\\])' && system=yes
    say disk "$name" "$class" "$size" "\${serial:-}" "$system"
  done
fi
address=$(ipmitool lan print 2>/dev/null | awk -F': ' '/^IP Address  / { print $2 }')
[ -n "$address" ] && [ "$address" != 0.0.0.0 ] && say bmc "$address"
exit 0
`;

/** What the script printed, as facts. Lines it does not know are left out. */
export function parseFacts(output: string): Facts {
  const facts = {
    apiVersion: API_VERSION as typeof API_VERSION,
    kind: "facts" as const,
    host: "server",
    memory: 0,
    cores: 1,
    nics: [] as Facts["nics"],
    disks: [] as Facts["disks"],
  };
  let bmc: Facts["bmc"];
  for (const line of output.split("\n")) {
    const [word, a = "", b = "", c = "", d = "", e = ""] = line.split("\t");
    if (word === "host" && a !== "") facts.host = a;
    if (word === "memory") facts.memory = (Number(a) || 0) * 1024;
    if (word === "cores") facts.cores = Number(a) || 1;
    if (word === "nic") facts.nics.push({ name: a, mac: b, speed: Math.max(0, Number(c) || 0), slot: d });
    if (word === "disk")
      facts.disks.push({
        name: a,
        class: b === "hdd" || b === "nvme" ? b : "ssd",
        size: Number(c) || 0,
        serial: d,
        boot: e === "yes",
      });
    if (word === "bmc") bmc = { address: a };
  }
  return bmc === undefined ? facts : { ...facts, bmc };
}
