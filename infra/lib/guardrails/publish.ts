import type { Guardrails } from './config/guardrails';
import { CATALOGUE } from './library/catalogue';
import { rolesOfOrganization } from './library/organization';

/**
 * The guardrails as files, for those who deploy by other means: one `<id>.json` each, in the form of an SCP or managed
 * policy. Whether a guardrail is omitted plays no part: everything that has its parameters is published.
 *
 * What is a resource control policy lies in a folder of its own: neither an SCP nor a managed policy has its form.
 */
export function published(guardrails: Guardrails): Record<string, string> {
  const { approved, organization } = guardrails;
  const file = (name: string, Statement: unknown): [string, string] => [
    name,
    `${JSON.stringify({ Version: '2012-10-17', Statement }, null, 2)}\n`,
  ];
  return Object.fromEntries([
    ...CATALOGUE.map(({ id, statements }) => file(`${id}.json`, statements(approved))),
    ...(organization?.id !== undefined && approved.domainTag !== undefined
      ? [file('resource-control/roles-of-domains.json', rolesOfOrganization(organization.id, approved.domainTag))]
      : []),
  ]);
}
