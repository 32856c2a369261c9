import { Fn } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

export interface ParametersProps {
  /** Before each name: `/<prefix>/studio/<domain>`. */
  readonly path: string;
  /** What is written, by name; a list becomes a StringList. */
  readonly values: Readonly<Record<string, string | readonly string[]>>;
}

/** What other stacks and people look up about a domain. */
export class Parameters extends Construct {
  constructor(scope: Construct, id: string, props: ParametersProps) {
    super(scope, id);
    for (const [name, value] of Object.entries(props.values)) {
      const list = typeof value !== 'string';
      new ssm.CfnParameter(this, name, {
        name: `${props.path}/${name}`,
        type: list ? 'StringList' : 'String',
        value: list ? Fn.join(',', [...value]) : value,
      });
    }
  }
}
