import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Personas as Choice } from './config/guardrails';
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
      personas,
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
      personas,
      identityTag,
      permissions: dataScientistStatements(Stack.of(this), identityTag),
    });
    policies.bindUser(this.dataScientist);
  }

  private role(
    id: string,
    props: {
      readonly name: string;
      readonly description: string;
      readonly personas: Choice;
      /** Sessions must carry this tag. */
      readonly identityTag?: string;
      readonly permissions: readonly iam.PolicyStatement[];
    },
  ): iam.Role {
    const trust = trustStatements(props.personas, props.identityTag);
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
 * @param identityTag the session tag that says who it is; where given, nobody comes without it, and who is no SAML
 * provider can only pass on the own one.
 */
function trustStatements(personas: Choice, identityTag: string | undefined): iam.PolicyStatement[] {
  const { saml, principals } = personas.trust;
  const statements: iam.PolicyStatement[] = [];
  if (saml !== undefined) {
    const provider = new iam.FederatedPrincipal(resolve(saml.provider));
    const forAws = { StringEquals: { 'SAML:aud': saml.audience } };
    statements.push(
      new iam.PolicyStatement({
        sid: 'PeopleOfTheIdentityProvider',
        principals: [provider],
        actions: ['sts:AssumeRoleWithSAML'],
        conditions: { ...forAws, ...(identityTag && { StringLike: { [`aws:RequestTag/${identityTag}`]: '?*' } }) },
      }),
    );
    if (identityTag !== undefined) {
      statements.push(
        new iam.PolicyStatement({
          sid: 'TheIdentityProviderSaysWhoTheyAre',
          principals: [provider],
          actions: ['sts:TagSession'],
          // No other tags: another policy might trust them.
          conditions: { ...forAws, 'ForAllValues:StringEquals': { 'aws:TagKeys': [identityTag] } },
        }),
      );
    }
  }
  if (principals.length > 0) {
    const people = principals.map((arn) => new iam.ArnPrincipal(resolve(arn)));
    const withMfa = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
    statements.push(
      new iam.PolicyStatement({
        sid: 'PeopleWithMfa',
        principals: people,
        actions: ['sts:AssumeRole'],
        conditions: { ...withMfa, ...(identityTag && { StringLike: { [`aws:RequestTag/${identityTag}`]: '?*' } }) },
      }),
    );
    if (identityTag !== undefined) {
      // Who could write another's name into the session would open another's profile.
      const own = { TheirOwnName: '${aws:username}', TheirOwnTag: `\${aws:PrincipalTag/${identityTag}}` };
      for (const [sid, value] of Object.entries(own)) {
        statements.push(
          new iam.PolicyStatement({
            sid,
            principals: people,
            actions: ['sts:TagSession'],
            conditions: {
              ...withMfa,
              StringEquals: { [`aws:RequestTag/${identityTag}`]: value },
              'ForAllValues:StringEquals': { 'aws:TagKeys': [identityTag] },
            },
          }),
        );
      }
    }
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
