/** The levels of the log. */

/** Log levels, by nginx's names and numbers (ngx.EMERG = 1 … ngx.DEBUG = 8; ngx.STDERR = 0). */
export const logLevels = [
  "stderr",
  "emerg",
  "alert",
  "crit",
  "error",
  "warn",
  "notice",
  "info",
  "debug",
] as const;
export type LogLevel = (typeof logLevels)[number];
