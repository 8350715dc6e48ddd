import type { LxdClient } from "@trivet/lxd";
import { busyboxImage } from "@trivet/testing";

/** What the sandboxes need of the machine. */
export const PROGRAMS = ["lxd", "lxc", "mmdebstrap", "nsenter", "unshare", "busybox", "tar", "dnsmasq"];

/** A `dir` pool and a default profile on it, as most clusters have. */
export async function prepare(client: LxdClient): Promise<void> {
  await client.pools.create({ name: "default", driver: "dir" });
  await client.profiles.update("default", { devices: { root: { type: "disk", path: "/", pool: "default" } } });
}

/** Uploads the busybox image; returns its fingerprint. */
export async function importImage(client: LxdClient): Promise<string> {
  const image = await busyboxImage("#!/bin/sh\necho up >/tmp/rc-ran\n");
  const operation = await client.upload("/1.0/images", image, { "content-type": "application/octet-stream" });
  const { metadata } = await operation.wait();
  return String(metadata?.["fingerprint"]);
}
