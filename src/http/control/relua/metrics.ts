/** `/metrics`: the agent in Prometheus' text format. */

import { Metrics } from "../../../observe/metrics.ts";
import { packageVersion } from "../../../observe/version.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

export function metricsOperation(agent: ControlledAgent): Operation {
  const metrics = new Metrics(agent, packageVersion());
  return operation({
    method: "GET",
    place: "/metrics",
    summary: "Metrics, for Prometheus",
    path: nothing,
    query: nothing,
    body: undefined,
    answers: { 200: { description: "Text format 0.0.4", contentType: "text/plain; version=0.0.4" } },
    answer: async () =>
      new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
  });
}
