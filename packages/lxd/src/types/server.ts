/** Free-form configuration: LXD keeps every value as text. A removed key is `""` in a PATCH. */
export type Config = Readonly<Record<string, string>>;

/** `GET /1.0`. Untrusted clients see only the first five fields. */
export interface Server {
  readonly api_version: string;
  readonly api_status: string;
  /** Names of what this daemon can do beyond the first API; see `LxdClient.supports`. */
  readonly api_extensions: readonly string[];
  readonly auth: "trusted" | "untrusted";
  readonly public: boolean;
  readonly auth_methods?: readonly string[];
  readonly config?: Config;
  readonly environment?: ServerEnvironment;
}

export interface ServerEnvironment {
  /** The daemon: `lxd` or `incus`. */
  readonly server: string;
  readonly server_version: string;
  /** The cluster member's name, or `none`/the host's name on a standalone server. */
  readonly server_name: string;
  readonly server_clustered: boolean;
  readonly server_event_mode?: string;
  readonly server_pid: number;
  readonly addresses: readonly string[];
  /** PEM. In a cluster the certificate that all members share. */
  readonly certificate: string;
  readonly certificate_fingerprint: string;
  readonly project: string;
  readonly driver: string;
  readonly driver_version: string;
  readonly storage: string;
  readonly storage_version: string;
  readonly kernel: string;
  readonly kernel_version: string;
  readonly kernel_architecture: string;
  readonly architectures: readonly string[];
  readonly os_name?: string;
  readonly os_version?: string;
}

export interface Project {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly used_by?: readonly string[];
}

export interface Profile {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly devices: Readonly<Record<string, Config>>;
  readonly used_by?: readonly string[];
  readonly project?: string;
}

export interface StoragePool {
  readonly name: string;
  readonly driver: string;
  readonly description: string;
  readonly status: string;
  readonly config: Config;
  readonly locations?: readonly string[] | null;
  readonly used_by?: readonly string[];
}

/** A trusted certificate. */
export interface Certificate {
  readonly name: string;
  readonly type: string;
  /** PEM. */
  readonly certificate: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  readonly restricted: boolean;
  readonly projects: readonly string[];
}

export interface Warning {
  readonly uuid: string;
  readonly type: string;
  readonly severity: string;
  readonly status: string;
  readonly location: string;
  readonly project: string;
  readonly entity_url: string;
  readonly count: number;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  readonly last_message: string;
}
