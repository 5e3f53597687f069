/** All operations of Relua's part. */

import type { ControlledAgent } from "../controlled-agent.ts";
import { EventStreams } from "./events.ts";
import { fileOperation } from "./files.ts";
import { graphOperations } from "./graph.ts";
import { holdOperations } from "./holds.ts";
import { metricsOperation } from "./metrics.ts";
import { moduleOperations } from "./modules.ts";
import { openApiOperation } from "./openapi.ts";
import type { Operation } from "./operation.ts";
import { planOperation } from "./plan.ts";
import { reloadOperations } from "./reloads.ts";
import { resolveOperation } from "./resolve.ts";
import { statusOperations } from "./status.ts";

export interface Operations {
  readonly operations: readonly Operation[];
  readonly events: EventStreams;
}

export function createOperations(agent: ControlledAgent): Operations {
  const events = new EventStreams(agent);
  const operations = [
    ...reloadOperations(agent),
    ...holdOperations(agent),
    ...statusOperations(agent),
    ...moduleOperations(agent),
    ...graphOperations(agent),
    fileOperation(agent),
    resolveOperation(agent),
    planOperation(agent),
    events.operation,
    metricsOperation(agent),
  ];
  return { operations: [...operations, openApiOperation(operations)], events };
}
