/** `GET /1.0/operations/ID`. */
export interface OperationState {
  readonly id: string;
  /** `task`, `websocket`, `token`. */
  readonly class: string;
  readonly description: string;
  readonly status: string;
  /** 100 created, 103 running, 104 cancelling, 105 pending, 200 success, 400 failure, 401 cancelled. */
  readonly status_code: number;
  /** Progress (`*_progress`), file descriptors of an exec, a token's secret. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly may_cancel: boolean;
  readonly err: string;
  readonly location?: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What an operation says of its progress, e.g. `create_instance_from_image_unpack_progress: "Unpack: 42% (1.3GB/s)"`. */
export interface Progress {
  /** The metadata key, e.g. `download_progress`. */
  readonly stage: string;
  readonly text: string;
  /** 0 to 100, when the text or the daemon gives it. */
  readonly percent?: number;
}
