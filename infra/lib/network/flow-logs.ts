import type { RemovalPolicy } from 'aws-cdk-lib';
import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { flowLogsOfThisAccount } from '../shared/confused-deputy';
import { flowLogsOf, logGroup } from '../shared/log-groups';

export interface FlowLogsProps {
  readonly prefix: string;
  readonly vpcId: string;
  readonly key: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** Who talked to whom in the VPC, accepted and refused, by the minute. */
export class FlowLogs extends Construct {
  constructor(scope: Construct, id: string, props: FlowLogsProps) {
    super(scope, id);
    const group = logGroup(this, 'Group', {
      name: flowLogsOf(props.prefix),
      key: props.key,
      removalPolicy: props.removalPolicy,
    });
    const role = new iam.Role(this, 'Role', {
      assumedBy: flowLogsOfThisAccount(Stack.of(this)),
      description: 'Taken by VPC flow logs to write to their log group',
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [group.logGroupArn], // Ends in `:*`: a stream for each network interface.
      }),
    );
    const flowLog = new ec2.CfnFlowLog(this, 'FlowLog', {
      resourceId: props.vpcId,
      resourceType: 'VPC',
      trafficType: 'ALL',
      maxAggregationInterval: 60,
      logDestinationType: 'cloud-watch-logs',
      logGroupName: group.logGroupName,
      deliverLogsPermissionArn: role.roleArn,
    });
    // With the role comes its policy, without which the first minutes would be lost.
    flowLog.node.addDependency(role);
  }
}
