import * as z from "zod";
import { domainName, label, name } from "./common.ts";
import { lxd, project } from "./compute.ts";
import { model, server, switchSchema } from "./hardware.ts";
import { addresses, mesh, ovn, vlan } from "./network.ts";
import { routing } from "./routing.ts";
import { dns, maintenance, monitoring, services } from "./services.ts";
import { ceph, storagePool } from "./storage.ts";

/** The only version so far. Files that name it must always load. */
export const API_VERSION = "trivet/v1";

/** cluster.yaml. */
export const clusterSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION).describe("The version of this language."),
    name: name.describe("Of the cluster."),
    platform: z.enum(["lxd", "incus"]).default("lxd"),
    domain: domainName.describe("Under it everything in the cluster has its name."),
    include: z
      .array(z.string().min(1))
      .default([])
      .describe("More files with the same sections, relative to this one; `projects/*.yaml` takes all that match."),
    addresses: addresses.prefault({}).describe("What the provider routes to you."),
    models: z.record(label, model).default({}),
    servers: z.record(name, server),
    switches: z.record(name, switchSchema).default({}),
    vlans: z.record(label, vlan).default({}),
    mesh: mesh.optional().describe("The direct links between servers. Default: there, if any link says `to: mesh`."),
    ovn: ovn.optional().describe("Default: there, if a VLAN has the role uplink."),
    ceph: ceph.optional().describe("Default: there, if a storage pool is on Ceph."),
    lxd: lxd.prefault({}).describe("Settings of LXD or Incus."),
    storage: z.record(label, storagePool).default({}),
    projects: z.record(label, project).default({}),
    routing: routing.optional().describe("FRR routers, the provider, and who is told what."),
    dns: dns.optional(),
    services: services.prefault({}),
    monitoring: monitoring.optional(),
    maintenance: maintenance.prefault({}),
  })
  .meta({ title: "cluster.yaml", description: "A small highly available LXD or Incus cluster." });

/** The file as written, defaults of single keys filled in. */
export type ClusterFile = z.output<typeof clusterSchema>;
