/** `/api/v1/resolve`: names to files and files to names, by what runs. */

import { resolve } from "node:path";
import { z } from "zod";
import { resolutionReason } from "../../../core/nowhere.ts";
import { knownFiles, resolveName, resolvePath } from "../../../core/resolution.ts";
import { canonicalName } from "../../../core/search-path.ts";
import { toldResolution } from "../../../core/told-resolution.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { resolutionSchema } from "../schemas.ts";
import { nothing, takes, text } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

export function resolveOperation(agent: ControlledAgent): Operation {
  return operation({
    method: "GET",
    place: "/api/v1/resolve",
    summary: "Where the search for a name ends, or which names lead to a file",
    path: nothing,
    query: z
      .object({
        name: text.min(1, takes("a name")).optional(),
        file: text.min(1, takes("a file")).optional().describe("Absolute, or relative to the prefix"),
      })
      .refine(
        ({ name, file }) => (name === undefined) !== (file === undefined),
        takes("name or file, one of them"),
      ),
    body: undefined,
    answers: {
      200: { description: "The resolution; reason says why it leads nowhere", schema: resolutionSchema },
    },
    answer: ({ query: { name, file } }) => {
      const { searchPath, sources, prefix } = agent;
      const { ignoredBy } = sources;
      const active = knownFiles(sources.active);
      const found =
        name === undefined
          ? resolvePath(searchPath, active, resolve(prefix, file ?? ""))
          : resolveName(searchPath, active, name);
      const { skipped } = agent.status().watch;
      const reason = resolutionReason({ searchPath, ignoredBy, skipped }, active.files, found);
      return Response.json(
        toldResolution(name === undefined ? null : canonicalName(name), found, reason, prefix),
      );
    },
  });
}
