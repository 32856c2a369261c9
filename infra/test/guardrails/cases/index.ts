import { ACCESS } from './access';
import type { Case } from './case';
import { DOMAINS } from './domains';
import { JOB_CASES } from './jobs';
import { NOTEBOOKS } from './notebooks';
import { OWN_DOMAIN } from './own-domain';

export const CASES: readonly Case[] = [...NOTEBOOKS, ...DOMAINS, ...JOB_CASES, ...ACCESS, ...OWN_DOMAIN];
