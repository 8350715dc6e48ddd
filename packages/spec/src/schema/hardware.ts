import * as z from "zod";
import { address, bytes, domainName, interfaceName, label, linkLocal, mac, mtu, name, speed } from "./common.ts";

const card = z.strictObject({
  ports: z.array(interfaceName).min(1).optional().describe("The interfaces of this card, as Linux names them."),
  speed: speed.optional().describe("Of each port. Default 1G."),
  mtu: mtu.optional().describe("Of each port. Default: its link's."),
});

const disk = z.strictObject({
  size: bytes.optional(),
  class: z.enum(["hdd", "ssd", "nvme"]).optional().describe("The Ceph device class."),
  device: z
    .string()
    .regex(/^\/dev\/[\w./:-]+$/, "is no device; write it like /dev/disk/by-id/…")
    .optional()
    .describe("The whole disk or partition that Ceph gets."),
  serial: z.string().optional().describe("As printed on the disk: tells the on-site staff which one to swap."),
  boot: z.boolean().optional().describe("The system is on this disk."),
  osd: z.boolean().optional().describe("Ceph uses this disk, or what the system leaves of it. Default true."),
  affinity: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Ceph primary affinity: how much the first replica is preferred here. Default 1."),
});

const link = z.strictObject({
  ports: z.array(interfaceName).min(1).optional().describe("One port, or several that are bonded."),
  to: z
    .union([name, z.array(name).min(2)])
    .optional()
    .describe("`mesh` (the next other server), a server, a switch, or several switches with MLAG."),
  mtu: mtu.optional().describe("Default: the mesh's, or the largest of the networks it carries."),
  mode: z
    .enum(["802.3ad", "active-backup", "balance-xor", "balance-rr"])
    .optional()
    .describe("How ports are bonded. Default 802.3ad."),
  lacpRate: z.enum(["fast", "slow"]).optional().describe("Default fast."),
  miiMonitor: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .describe("Milliseconds between looks at the link. Default 100; 0 never notices a failure."),
  hash: z.enum(["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4"]).optional().describe("Default layer3+4."),
  linkLocal: linkLocal
    .optional()
    .describe("The link-local address this end already has; without it trivet assigns one."),
});

const hardware = {
  memory: bytes.describe("RAM."),
  cores: z.int().min(1).max(4096).describe("CPU threads. Default 4."),
  power: z.array(label).min(1).describe("The power feed of each power supply."),
  cards: z.record(label, card).describe("Network cards and their ports: what fails together."),
  links: z.record(interfaceName, link).describe("What the ports are cabled to."),
  disks: z.record(label, disk),
};

const someHardware = z.strictObject(hardware).partial();
export const model = someHardware.describe("Hardware that several servers have alike.");

export const server = someHardware
  .extend({
    model: label.optional().describe("Hardware from `models`; what is written here replaces it key by key."),
    number: z
      .int()
      .min(0)
      .max(99)
      .optional()
      .describe("Makes the server's addresses (100 + number). Default: the number its name ends in."),
    addresses: z.array(address).optional().describe("On the hosts network, instead of the planned ones."),
    mesh: z.array(address).optional().describe("On the mesh, instead of the planned one."),
    macs: z
      .record(interfaceName, mac)
      .optional()
      .describe("MAC address of each port; with it a port keeps its name whatever the kernel calls it."),
    bmc: z
      .strictObject({
        address: address.optional().describe("Default: planned on the bmc network."),
        host: domainName.optional().describe("Its name, if it has one."),
      })
      .optional()
      .describe("The management controller."),
    failureDomain: label.optional().describe("LXD failure domain, such as the rack."),
  })
  .describe("A server of the cluster.");

export const switchSchema = z.strictObject({
  power: z.array(label).min(1).default(["main"]).describe("The power feed of each power supply."),
  mlag: label.optional().describe("Switches with the same word here form one MLAG or stack, so a bond may span them."),
  mtu: mtu.default(1500).describe("The largest frame payload it carries."),
  address: address.optional().describe("Its management address."),
});
