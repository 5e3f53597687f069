/** What `targets` of watch.config.ts may hold: one entry for each host beside us. */

import { z } from "zod";
import { closedObject } from "../core/closed-object.ts";
import { takes, text, texts, whole } from "./fields.ts";

const name = text("a name")
  .min(1, takes("a name"))
  .max(100, takes("a name of at most 100 letters"))
  .optional();
const url = z.url({ protocol: /^https?$/, ...takes("an address that starts with http:// or https://") });
const token = text("a text, or nothing").optional();
/** Milliseconds that one call, or one run of the program, may take. */
const timeoutMs = whole(1, 3_600_000).default(10_000);

/** nginx or OpenResty with lualib/resty/relua.lua. */
const nginxSchema = closedObject({
  type: z.literal("nginx"),
  /** How it is called in messages and `status`; default the address. */
  name,
  /** The location that runs the library's `content()`. */
  url,
  token,
  timeoutMs,
});

/** NJet, by its `http_lua_package_clean`. */
const njetSchema = closedObject({
  type: z.literal("njet"),
  name,
  /** NJet's control address; a path is kept, without one it is /api/v1/config/http_lua_package_clean. */
  url,
  timeoutMs,
});

/** Any program: it gets the plan as JSON on its standard input. */
const commandSchema = closedObject({
  type: z.literal("command"),
  name,
  /** The program and its arguments; no shell is in between. */
  run: texts("words: a program and its arguments").min(1, takes("a program and its arguments")),
  timeoutMs,
});

export const targetsSchema = z
  .array(
    z.discriminatedUnion("type", [nginxSchema, njetSchema, commandSchema], {
      error: 'it takes an object with type "nginx", "njet" or "command"',
    }),
    takes("a list of targets"),
  )
  .max(100, takes("at most 100 targets"));

/** One host beside us, as configured, with defaults filled in. */
export type TargetConfig = z.output<typeof targetsSchema>[number];
