/** NJet's envelope of an answer (njt_rpc_result_util.c): `code`, `msg`, and `data` with what went wrong. */

/** Codes as NJet numbers them (njt_rpc_result_util.h). */
export const resultCodes = { success: 0, partial: 1, json: 3, error: 4 } as const;

const messages: Readonly<Record<number, string>> = {
  [resultCodes.success]: "success.",
  [resultCodes.partial]: "partial success.",
  [resultCodes.error]: "update dyn conf error.",
};

export interface Result {
  readonly code: (typeof resultCodes)[keyof typeof resultCodes];
  /** NJet's own words for the code when left out. */
  readonly msg?: string;
  readonly data?: readonly string[];
  /** Keys that Relua adds behind NJet's. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Byte for byte what NJet writes: no blanks, `data` first, and only when there is any. */
export function resultBody({ code, msg, data, more }: Result): string {
  return JSON.stringify({
    ...(data?.length ? { data } : {}),
    code,
    msg: msg ?? messages[code],
    ...more,
  });
}
