import * as z from "zod";
import { label, prefix } from "./common.ts";

const deviceClass = z.enum(["hdd", "ssd", "nvme"]);
const replication = {
  size: z.int().min(1).max(9).default(3).describe("Replicas."),
  minSize: z.int().min(1).max(9).default(2).describe("Replicas without which nothing is written."),
  failureDomain: z.enum(["host", "osd"]).default("host").describe("What must not hold two replicas."),
  placementGroups: z.int().min(1).max(4096).default(32),
};

export const storagePool = z
  .discriminatedUnion("driver", [
    z.strictObject({
      driver: z.literal("ceph"),
      class: deviceClass.describe("Disks of this device class."),
      source: label.optional().describe("The Ceph pool. Default: lxd-NAME."),
      ...replication,
    }),
    z.strictObject({
      driver: z.literal("cephfs"),
      metadata: deviceClass.default("ssd"),
      data: deviceClass.default("hdd"),
      snapshots: z.boolean().default(true),
      source: label.optional().describe("The file system. Default: lxd-cephfs."),
      ...replication,
    }),
    z.strictObject({
      driver: z.enum(["dir", "zfs", "lvm", "btrfs"]),
      source: z.string().optional().describe("Path, device or volume group on each server. Default: LXD's own choice."),
    }),
  ])
  .describe("An LXD storage pool.");

export const ceph = z.strictObject({
  fsid: z.guid().optional().describe("Default: made from the cluster's name."),
  mons: z
    .array(z.string())
    .optional()
    .describe("Servers with a monitor (and manager and metadata server). Default: three, by number."),
  clusterNetwork: prefix.optional().describe("Replication traffic. Default: the mesh."),
  publicNetwork: prefix.optional().describe("Default: the mesh."),
});
