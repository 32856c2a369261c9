import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

/**
 * Security groups of those that run inside.
 *
 * HTTPS may go anywhere: the gateway endpoints' addresses belong to the region, and the isolated subnets have no other
 * way out than the endpoints.
 */
export class Groups extends Construct {
  readonly functions: ec2.SecurityGroup;
  readonly jobs: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, vpc: ec2.IVpc) {
    super(scope, id);
    const group = (name: string, description: string) => {
      const made = new ec2.SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
      made.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'HTTPS, to the VPC endpoints');
      return made;
    };

    this.functions = group('Functions', 'Lambda functions: out to the VPC endpoints, nothing in');

    this.jobs = group('Jobs', 'Jobs and endpoints of SageMaker: among themselves, and out to the VPC endpoints');
    // Containers of one job choose their own ports; encrypted, they are UDP 500 and ESP:
    // https://docs.aws.amazon.com/sagemaker/latest/dg/train-encrypt.html
    this.jobs.addIngressRule(this.jobs, ec2.Port.allTraffic(), 'containers of one job');
    this.jobs.addEgressRule(this.jobs, ec2.Port.allTraffic(), 'containers of one job');
  }
}
