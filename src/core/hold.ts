/** Who keeps commits back, and until when. */

/** A hold as it stands at a moment. */
export interface HoldStatus {
  readonly owner: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds until it ends by itself. */
  readonly endsInMs: number;
}
