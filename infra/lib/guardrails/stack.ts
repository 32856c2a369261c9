import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { MonthlyBudget } from './budget';
import type { Guardrails } from './config/guardrails';
import { Personas, resolve } from './personas';
import { GuardrailPolicies } from './policies';

export interface GuardrailsStackProps extends StackProps {
  readonly config: Config;
  /** What `-c guardrails=FILE` says; absent: only the budget is made. */
  readonly guardrails?: Guardrails;
}

/** The value of the tag `Project` on everything. */
const PROJECT = 'tidegate';

/** What binds people in the account: guardrails as policies, the roles of people, the budget. */
export class GuardrailsStack extends Stack {
  readonly policies?: GuardrailPolicies;
  readonly personas?: Personas;

  constructor(scope: Construct, id: string, props: GuardrailsStackProps) {
    super(scope, id, props);
    const { config, guardrails } = props;
    const { prefix } = config;

    if (guardrails !== undefined) {
      this.policies = new GuardrailPolicies(this, 'Guardrails', { prefix, guardrails });
      const named = [...this.policies.everyone, ...this.policies.users];
      named.forEach((policy) => {
        const construct = policy.node.id;
        new CfnOutput(this, `${construct}PolicyArn`, { value: policy.managedPolicyArn });
      });
      if (this.policies.boundary !== undefined) {
        new CfnOutput(this, 'BoundaryPolicyArn', { value: this.policies.boundary.managedPolicyArn });
      }
      if (guardrails.personas !== undefined) {
        this.personas = new Personas(this, 'Personas', {
          prefix,
          personas: guardrails.personas,
          identityTag: guardrails.approved.identityTag,
          policies: this.policies,
        });
        new CfnOutput(this, 'MlAdministratorRoleArn', { value: this.personas.administrator.roleArn });
        new CfnOutput(this, 'DataScientistRoleArn', { value: this.personas.dataScientist.roleArn });
      }
    }

    // The command line overrules the file: `-c budget=200`.
    const limit = config.budget ?? guardrails?.budget?.monthly;
    if (limit !== undefined) {
      const emails = guardrails?.budget?.emails ?? [];
      const topic = guardrails?.budget?.topic;
      new MonthlyBudget(this, 'Budget', {
        limit,
        project: PROJECT,
        emails: emails.length === 0 && config.alertEmail !== undefined ? [config.alertEmail] : emails,
        topicArn: topic === undefined ? undefined : resolve(topic),
      });
    }
  }
}
