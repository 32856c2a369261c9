import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Personas as Choice, Trust } from './config/guardrails';
import { administratorStatements, dataScientistStatements } from './persona-permissions';
import type { GuardrailPolicies } from './policies';

export interface PersonasProps {
  readonly prefix: string;
  readonly personas: Choice;
  /** The tag that says whose a profile is. */
  readonly identityTag: string;
  readonly policies: GuardrailPolicies;
}

/**
 * The roles of people. What runs in Studio and in jobs has roles of its own: the execution role of each domain, and the
 * job and pipeline roles of the orchestrator.
 */
export class Personas extends Construct {
  /** Makes domains, profiles, images and lifecycle configurations; runs nothing. */
  readonly administrator: iam.Role;
  /** Opens the own profile; everything else is the execution role's. */
  readonly dataScientist: iam.Role;

  constructor(scope: Construct, id: string, props: PersonasProps) {
    super(scope, id);
    const { prefix, personas, identityTag, policies } = props;

    this.administrator = this.role('MlAdministrator', {
      name: `${prefix}-ml-administrator`,
      description: 'People who make Studio domains, user profiles and images; runs no jobs',
      trust: personas.administrators,
      identityTag,
      mustBeSomebody: false,
      permissions: administratorStatements(Stack.of(this), {
        executionRoles: personas.executionRoles.map(resolve),
        keys: personas.keys.map(resolve),
        identityTag,
      }),
    });
    policies.bindAdministrator(this.administrator);

    this.dataScientist = this.role('DataScientist', {
      name: `${prefix}-data-scientist`,
      description: 'People who open their own Studio profile, which then acts by its execution role',
      trust: personas.scientists,
      identityTag,
      mustBeSomebody: true,
      permissions: dataScientistStatements(Stack.of(this), identityTag),
    });
    policies.bindUser(this.dataScientist);
  }

  private role(
    id: string,
    props: {
      readonly name: string;
      readonly description: string;
      readonly trust: Trust;
      readonly identityTag: string;
      /** Whether sessions must carry the identity tag; an identity provider sends it for every role. */
      readonly mustBeSomebody: boolean;
      readonly permissions: readonly iam.PolicyStatement[];
    },
  ): iam.Role {
    const trust = trustStatements(props.trust, props.identityTag, props.mustBeSomebody);
    const role = new iam.Role(this, id, {
      // Each statement has conditions of its own, which CDK's principals cannot tell apart.
      assumedBy: new iam.AccountPrincipal(Aws.ACCOUNT_ID),
      roleName: props.name,
      description: props.description,
    });
    const resource = role.node.defaultChild as iam.CfnRole;
    resource.assumeRolePolicyDocument = new iam.PolicyDocument({ statements: trust, minimize: false });
    new iam.ManagedPolicy(this, `${id}Permissions`, {
      managedPolicyName: `${props.name}-permissions`,
      description: `What ${props.name} may do`,
      statements: [...props.permissions],
      roles: [role],
    });
    return role;
  }
}

/**
 * Who may take a role: people of the SAML provider, and principals who came with MFA.
 *
 * A session's identity tag comes from the SAML provider, or is the own name or tag of who takes the role: who could
 * write another's name into the session would open another's profile. Other tags are refused; another policy might
 * trust them.
 *
 * @param mustBeSomebody nobody comes without the identity tag.
 */
function trustStatements(
  { saml, principals }: Trust,
  identityTag: string,
  mustBeSomebody: boolean,
): iam.PolicyStatement[] {
  const somebody = mustBeSomebody ? { StringLike: { [`aws:RequestTag/${identityTag}`]: '?*' } } : {};
  const noOtherTags = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [identityTag] } };
  const statement = (sid: string, who: iam.IPrincipal[], action: string, conditions: Record<string, unknown>) =>
    new iam.PolicyStatement({ sid, principals: who, actions: [action], conditions });

  const statements: iam.PolicyStatement[] = [];
  if (saml !== undefined) {
    const provider = [new iam.FederatedPrincipal(resolve(saml.provider))];
    const forAws = { StringEquals: { 'SAML:aud': saml.audience } };
    statements.push(
      statement('PeopleOfTheProvider', provider, 'sts:AssumeRoleWithSAML', { ...forAws, ...somebody }),
      statement('TheProviderSaysWhoTheyAre', provider, 'sts:TagSession', { ...forAws, ...noOtherTags }),
    );
  }
  if (principals.length > 0) {
    const people = principals.map((arn) => new iam.ArnPrincipal(resolve(arn)));
    const withMfa = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
    const own = (value: string) => ({
      ...withMfa,
      ...noOtherTags,
      StringEquals: { [`aws:RequestTag/${identityTag}`]: value },
    });
    statements.push(
      statement('PeopleWithMfa', people, 'sts:AssumeRole', { ...withMfa, ...somebody }),
      statement('TheirOwnName', people, 'sts:TagSession', own('${aws:username}')),
      statement('TheirOwnTag', people, 'sts:TagSession', own(`\${aws:PrincipalTag/${identityTag}}`)),
    );
  }
  return statements;
}

/** An ARN of the configuration, in the stack's own partition, region and account where it says so. */
export function resolve(arn: string): string {
  return arn
    .replaceAll('{{partition}}', Aws.PARTITION)
    .replaceAll('{{region}}', Aws.REGION)
    .replaceAll('{{account}}', Aws.ACCOUNT_ID);
}
