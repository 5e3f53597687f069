/** Entry of a pool thread: hosts one VM until it is drained. Piscina calls the default export with the task. */

import type { VmBoot } from "./protocol.ts";
import { Resident } from "./resident.ts";

export default function host(boot: VmBoot): Promise<void> {
  return new Resident(boot).run();
}
