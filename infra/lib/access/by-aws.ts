import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { short } from '../studio/names';
import { OWNER_TAG } from '../studio/profiles';
import type { Values } from '../studio/values';
import type { Access, SamlByAws } from './config/access';
import type { MadeForAws } from './config/normalised';
import { entry } from './permissions';
import type { Places } from './places';

export interface ByAwsProps {
  readonly prefix: string;
  readonly access: Access;
  readonly saml: SamlByAws;
  readonly values: Values;
  readonly places: Places;
}

/**
 * What `verify: aws` needs in IAM: an identity provider, and a role for each domain whose sessions may enter as the person
 * that the session's tag names, and as nobody else.
 *
 * Whoever has an assertion could take the role without the function, too. So who somebody is, the tags and the execution role
 * of a new profile are bounded here; its name, its other settings and the length of a session are not (docs/ACCESS.md).
 */
export class ByAws extends Construct {
  /** As the functions read it: without a reference, since CloudFormation fills no file. */
  readonly made: MadeForAws;

  constructor(scope: Construct, id: string, props: ByAwsProps) {
    super(scope, id);
    const { access, places, prefix, saml, values } = props;
    const given = 'arn' in saml.provider ? saml.provider.arn : undefined;
    const name = `${prefix}-access`;
    const made =
      'metadata' in saml.provider
        ? new iam.CfnSAMLProvider(this, 'Provider', { name, samlMetadataDocument: saml.provider.metadata })
        : undefined;
    const providerArn = made?.ref ?? values.text(given ?? '');
    const existing = saml.roles;
    const roles =
      existing.length > 0
        ? existing
        : access.domains.map((domain) => {
            const roleName = `${prefix}-access-${short(domain.name, 32)}`;
            const role = new iam.Role(this, `Role-${domain.name}`, {
              roleName,
              description: `Taken by people who enter the Studio domain ${domain.name} with an assertion that AWS verified`,
              maxSessionDuration: Duration.hours(1),
              assumedBy: trust(providerArn, saml.recipient, places),
            });
            role.assumeRolePolicy?.addStatements(tagging(providerArn, saml.recipient));
            const statements = entry(Stack.of(this), {
              values,
              domains: [domain],
              places,
              owner: `\${aws:PrincipalTag/${OWNER_TAG}}`,
              roleByClaim: false,
            });
            for (const statement of statements) role.addToPolicy(statement);
            return { arn: `arn:{{partition}}:iam::{{account}}:role/${roleName}`, domain: domain.name };
          });
    this.made = {
      provider: given ?? `arn:{{partition}}:iam::{{account}}:saml-provider/${name}`,
      roles: roles.map(({ arn, domain }) => ({ arn, domain })),
    };
  }
}

/** `SAML:aud` is the recipient of the assertion, whatever its name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html */
function trust(providerArn: string, recipient: string, places: Places): iam.IPrincipal {
  const place = places.verifying ?? {};
  return new iam.FederatedPrincipal(
    providerArn,
    {
      ...place,
      StringEquals: { ...place['StringEquals'], 'SAML:aud': recipient },
      // Who it is has to be said by the provider, or nobody's tag would open nobody's profile.
      Null: { [`aws:RequestTag/${OWNER_TAG}`]: 'false' },
    },
    'sts:AssumeRoleWithSAML',
  );
}

/** The session carries the provider's tag, and no other. */
function tagging(providerArn: string, recipient: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.FederatedPrincipal(providerArn, {}, 'sts:TagSession')],
    actions: ['sts:TagSession'],
    conditions: {
      StringEquals: { 'SAML:aud': recipient },
      'ForAllValues:StringEquals': { 'aws:TagKeys': [OWNER_TAG] },
    },
  });
}
