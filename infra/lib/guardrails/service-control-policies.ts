import { Stack, type StackProps } from 'aws-cdk-lib';
import * as organizations from 'aws-cdk-lib/aws-organizations';
import { Construct } from 'constructs';
import type { Config } from '../config';
import type { Guardrails } from './config/guardrails';
import { applied, asServiceControlPolicies, statementsOf } from './library/compose';
import { rolesOfOrganization } from './library/organization';

export interface ServiceControlPoliciesProps {
  readonly prefix: string;
  readonly guardrails: Guardrails;
  /** Ids of roots, organisational units, accounts. */
  readonly targets: readonly string[];
  /** ARNs of roles that are left alone. */
  readonly exempt: readonly string[];
}

/**
 * The guardrails as service control policies of the organisation, `<prefix>-guardrails-1` and on.
 *
 * They bind every principal of the targets' accounts, root users too; not the management account, not service-linked
 * roles, not principals of other organisations.
 */
export class ServiceControlPolicies extends Construct {
  readonly policies: readonly organizations.CfnPolicy[];

  constructor(scope: Construct, id: string, props: ServiceControlPoliciesProps) {
    super(scope, id);
    const statements = statementsOf(applied(props.guardrails.omit), props.guardrails.approved);
    this.policies = asServiceControlPolicies(statements, props.exempt).map(
      (content, index) =>
        new organizations.CfnPolicy(this, `Policy${index + 1}`, {
          name: `${props.prefix}-guardrails-${index + 1}`,
          description: `Guardrails of SageMaker (${index + 1})`,
          type: 'SERVICE_CONTROL_POLICY',
          content,
          targetIds: [...props.targets],
        }),
    );
  }
}

/**
 * The resource control policy by which the roles of domains are taken from the organisation only, `<prefix>-roles-of-domains`.
 *
 * It binds the resources of the targets' accounts, whoever comes; not those of the management account.
 */
export class RolesOfOrganization extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly prefix: string;
      /** The organisation's id, `o-…`. */
      readonly organization: string;
      /** The tag of domains. */
      readonly tag: string;
      readonly targets: readonly string[];
    },
  ) {
    super(scope, id);
    new organizations.CfnPolicy(this, 'Policy', {
      name: `${props.prefix}-roles-of-domains`,
      description: 'The roles of Studio domains are taken from this organisation only',
      type: 'RESOURCE_CONTROL_POLICY',
      content: { Version: '2012-10-17', Statement: rolesOfOrganization(props.organization, props.tag) },
      targetIds: [...props.targets],
    });
  }
}

export interface ServiceControlPoliciesStackProps extends StackProps {
  readonly config: Config;
  /** With an `organization`. */
  readonly guardrails: Guardrails;
}

/** A stack of its own: it goes to the management account (or a delegated administrator's), the others do not. */
export class ServiceControlPoliciesStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceControlPoliciesStackProps) {
    super(scope, id, props);
    const { approved, organization } = props.guardrails;
    if (organization === undefined) throw new Error('the guardrails name no `organization` to attach SCPs to');
    new ServiceControlPolicies(this, 'ServiceControl', {
      prefix: props.config.prefix,
      guardrails: props.guardrails,
      targets: organization.targets,
      exempt: organization.exempt,
    });
    if (organization.id !== undefined && approved.domainTag !== undefined) {
      new RolesOfOrganization(this, 'ResourceControl', {
        prefix: props.config.prefix,
        organization: organization.id,
        tag: approved.domainTag,
        targets: organization.targets,
      });
    }
  }
}
