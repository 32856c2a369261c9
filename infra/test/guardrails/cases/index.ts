import { ACCESS } from './access';
import type { Case } from './case';
import { DOMAINS } from './domains';
import { JOB_CASES } from './jobs';
import { NOTEBOOKS } from './notebooks';

export const CASES: readonly Case[] = [...NOTEBOOKS, ...DOMAINS, ...JOB_CASES, ...ACCESS];
