/** The answers of the agent's HTTP API, as JSON carries them. */

/** `GET /v1/status` */
export interface StatusAnswer {
  readonly server: string;
  readonly version: string;
  /** True after the first full read of LXD and the first announcement. */
  readonly ready: boolean;
  readonly startedAt: string;
}
