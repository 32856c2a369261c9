import type { Conditions } from './statement';

/** One statement of a resource control policy (RCP): it binds whoever comes to a resource, from other organisations too. */
export interface ResourceStatement {
  readonly Sid: string;
  readonly Effect: 'Deny';
  readonly Principal: '*';
  readonly Action: readonly string[];
  readonly Resource: '*';
  readonly Condition: Conditions;
}

/** Characters of an RCP at most (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html). */
export const RCP_LIMIT = 5120;

/**
 * Denies to take the roles of domains to everybody outside the organisation: to its principals, and to an AWS service that
 * acts for a resource outside (a confused deputy). An SCP cannot say this: it binds its own principals only.
 *
 * A role is meant by the tag of domains. An AWS service has no `aws:PrincipalOrgID`; one that acts for an account names it
 * in `aws:SourceAccount`, and `aws:SourceOrgID` where that account is in an organisation: a missing one is denied.
 *
 * Limit: who comes by SAML or OpenID Connect takes no role by AssumeRole; the provider in the role's trust decides.
 *
 * @param organization id of the organisation, `o-…`.
 * @param tag key of the tag of domains.
 */
export function rolesOfOrganization(organization: string, tag: string): ResourceStatement[] {
  const domains = { [`aws:ResourceTag/${tag}`]: 'false' };
  const deny = (Sid: string, Condition: Conditions): ResourceStatement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action: ['sts:AssumeRole'],
    Resource: '*',
    Condition,
  });
  return [
    deny('RolesOfDomainsByOrganizationOnly', {
      StringNotEquals: { 'aws:PrincipalOrgID': organization },
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
      Null: domains,
    }),
    deny('RolesOfDomainsForOrganizationOnly', {
      StringNotEquals: { 'aws:SourceOrgID': organization },
      Bool: { 'aws:PrincipalIsAWSService': 'true' },
      Null: { 'aws:SourceAccount': 'false', ...domains },
    }),
  ];
}
