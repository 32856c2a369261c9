import type { Guardrails } from './config/guardrails';
import { CATALOGUE } from './library/catalogue';

/**
 * The guardrails as files, for those who deploy by other means: one `<id>.json` each, in the form of an SCP or managed
 * policy. Whether a guardrail is omitted plays no part: everything that has its parameters is published.
 */
export function published(guardrails: Guardrails): Record<string, string> {
  return Object.fromEntries(
    CATALOGUE.map(({ id, statements }) => {
      const document = { Version: '2012-10-17', Statement: statements(guardrails.approved) };
      return [`${id}.json`, `${JSON.stringify(document, null, 2)}\n`];
    }),
  );
}
