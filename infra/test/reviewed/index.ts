import * as access from './access';
import * as guardrails from './guardrails';
import type { Acknowledged, Reasons } from './kinds';
import * as network from './network';
import * as orchestrator from './orchestrator';
import * as storage from './storage';
import * as studio from './studio';

const PARTS: readonly { wildcards: Reasons; anyResource: Reasons; acknowledged: readonly Acknowledged[] }[] = [
  storage,
  network,
  orchestrator,
  guardrails,
  studio,
  access,
];

/** Every wildcard that a policy may hold, and why. */
export const WILDCARDS: Reasons = Object.assign({}, ...PARTS.map(({ wildcards }) => wildcards));

/** Every action that may stand beside the resource `*`, and why. */
export const ANY_RESOURCE: Reasons = Object.assign({}, ...PARTS.map(({ anyResource }) => anyResource));

/** Every finding that stays. */
export const ACKNOWLEDGED: readonly Acknowledged[] = PARTS.flatMap(({ acknowledged }) => acknowledged);
