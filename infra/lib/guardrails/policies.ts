import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Guardrails } from './config/guardrails';
import { applied, asBoundary, asManagedPolicies, statementsOf } from './library/compose';
import type { Document } from './library/statement';

export interface GuardrailPoliciesProps {
  readonly prefix: string;
  readonly guardrails: Guardrails;
}

/**
 * The guardrails as managed policies of the account. They only deny: attached to a role they take away.
 *
 * Named by number, `<prefix>-guardrails-everyone-1`, because a policy holds 6,144 characters at most.
 */
export class GuardrailPolicies extends Construct {
  /** For every role that has to do with SageMaker. */
  readonly everyone: readonly iam.ManagedPolicy[];
  /** For those who use Studio, besides `everyone`; not for those who administer it. */
  readonly users: readonly iam.ManagedPolicy[];
  /** To be set as a role's permissions boundary; absent unless asked for. */
  readonly boundary?: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, props: GuardrailPoliciesProps) {
    super(scope, id);
    const { prefix, guardrails } = props;
    const chosen = applied(guardrails.omit);
    const policies = (binds: 'everyone' | 'users', construct: string, description: string) => {
      const statements = statementsOf(
        chosen.filter((guardrail) => guardrail.binds === binds),
        guardrails.approved,
      );
      return asManagedPolicies(statements).map((document, index) =>
        managedPolicy(this, `${construct}${index + 1}`, {
          name: `${prefix}-guardrails-${binds}-${index + 1}`,
          description: `${description} (${index + 1})`,
          document,
        }),
      );
    };
    this.everyone = policies('everyone', 'Everyone', 'Denies on SageMaker what nobody is to do');
    this.users = policies('users', 'Users', 'Denies on SageMaker what those who use Studio are not to do');

    if (guardrails.boundary !== undefined) {
      const { services, guardrails: named } = guardrails.boundary;
      const within = chosen.filter(({ id: name, binds }) =>
        named.length > 0 ? named.includes(name) : binds === 'everyone',
      );
      this.boundary = managedPolicy(this, 'Boundary', {
        name: `${prefix}-guardrails-boundary`,
        description: 'As a permissions boundary: what a role may be allowed at most',
        document: asBoundary(statementsOf(within, guardrails.approved), services),
      });
    }
  }

  /** Binds a role that uses Studio: the execution role of a domain, a data scientist. */
  bindUser(role: iam.IRole): void {
    for (const policy of [...this.everyone, ...this.users]) role.addManagedPolicy(policy);
  }

  /** Binds a role that administers Studio. */
  bindAdministrator(role: iam.IRole): void {
    for (const policy of this.everyone) role.addManagedPolicy(policy);
  }
}

/** A managed policy with exactly this document: not a statement merged, not a Sid lost, which reviewers look for. */
function managedPolicy(
  scope: Construct,
  id: string,
  props: { readonly name: string; readonly description: string; readonly document: Document<unknown> },
): iam.ManagedPolicy {
  return new iam.ManagedPolicy(scope, id, {
    managedPolicyName: props.name,
    description: props.description,
    document: new iam.PolicyDocument({
      minimize: false,
      statements: props.document.Statement.map((statement) => iam.PolicyStatement.fromJson(statement)),
    }),
  });
}
