import { ArnFormat } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Ground } from '../network/stack';

/**
 * What Lambda needs to give a function network interfaces, and a refusal of the same to the function's own code.
 *
 * Lambda makes the interfaces with the function's role and tries the right beforehand, on any resource:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html. `lambda:SourceFunctionArn` is in a request only
 * when it comes from the code.
 */
export function functionInterfaces(stack: Stack, functionName: string): iam.PolicyStatement[] {
  const actions = [
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ];
  const self = stack.formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [
    new iam.PolicyStatement({ sid: 'LambdaMakesInterfaces', actions, resources: ['*'] }),
    new iam.PolicyStatement({
      sid: 'TheCodeDoesNot',
      effect: iam.Effect.DENY,
      actions,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': self } },
    }),
  ];
}

/**
 * What SageMaker asks of the role of a job or model that runs in a VPC, for the subnets and the group of our jobs only.
 *
 * The actions are from https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html, which names any resource;
 * EC2 knows these: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export function jobInterfaces(stack: Stack, place: Ground): iam.PolicyStatement[] {
  const arn = (resource: string, resourceName: string) => stack.formatArn({ service: 'ec2', resource, resourceName });
  const interfaces = arn('network-interface', '*'); // EC2 makes their ids.
  return [
    new iam.PolicyStatement({
      actions: ['ec2:CreateNetworkInterface'],
      resources: [
        interfaces,
        ...place.subnets.map(({ subnetId }) => arn('subnet', subnetId)),
        arn('security-group', place.jobs.securityGroupId),
      ],
    }),
    new iam.PolicyStatement({
      actions: [
        'ec2:CreateNetworkInterfacePermission',
        'ec2:DeleteNetworkInterface',
        'ec2:DeleteNetworkInterfacePermission',
      ],
      resources: [interfaces],
      conditions: { ArnEquals: { 'ec2:Subnet': place.subnets.map(({ subnetId }) => arn('subnet', subnetId)) } },
    }),
    new iam.PolicyStatement({
      actions: [
        'ec2:DescribeDhcpOptions',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
      ],
      resources: ['*'], // The actions know no resources.
    }),
  ];
}
