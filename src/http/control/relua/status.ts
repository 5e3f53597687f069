/** `/api/v1/status`, `/healthz`, `/readyz`: what runs, whether it lives, whether it serves. */

import { z } from "zod";
import type { AgentStatus } from "../../../core/status.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentStatus } from "../present.ts";
import { problem, problemResponse } from "../problem.ts";
import { statusSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

const healthSchema = z.strictObject({ status: z.literal("ok") });
const readinessSchema = z.strictObject({ status: z.literal("ready"), generation: z.int() });

export function statusOperations(agent: ControlledAgent): readonly Operation[] {
  return [
    operation({
      method: "GET",
      place: "/api/v1/status",
      summary: "What runs now",
      path: nothing,
      query: nothing,
      body: undefined,
      answers: { 200: { description: "The status", schema: statusSchema } },
      answer: () => Response.json(presentStatus(agent.status(), agent.prefix)),
    }),
    operation({
      method: "GET",
      place: "/healthz",
      summary: "The agent is alive; needs no token",
      path: nothing,
      query: nothing,
      body: undefined,
      answers: { 200: { description: "Alive", schema: healthSchema } },
      answer: () => Response.json({ status: "ok" }),
    }),
    operation({
      method: "GET",
      place: "/readyz",
      summary: "VMs are loaded and changes are noticed; needs no token",
      path: nothing,
      query: nothing,
      body: undefined,
      answers: { 200: { description: "Ready", schema: readinessSchema } },
      answer: () => {
        const status = agent.status();
        const missing = notReady(status);
        if (missing.length === 0) return Response.json({ status: "ready", generation: status.generation });
        return problemResponse(problem(503, "not-ready", missing.join("; "), { errors: missing }));
      },
    }),
  ];
}

/**
 * What is not there yet. A VM that is being replaced does not count while another one serves: requests go to the
 * others, and a balancer that took the agent out for it would make things worse.
 */
function notReady({ vms, watch }: AgentStatus): readonly string[] {
  const firstBoot = vms.filter(({ state, restarts }) => state === "booting" && restarts === 0);
  const missing = firstBoot.map(({ id }) => `VM ${id} is booting`);
  if (vms.length > 0 && !vms.some(({ state }) => state === "ready")) missing.push("no VM is ready");
  if (watch.mode !== "manual" && watch.live === false) missing.push("the watcher is not ready");
  return missing;
}
