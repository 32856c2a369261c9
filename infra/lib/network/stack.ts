import { Annotations, CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { removalPolicy } from '../config';
import type { Config } from '../config';
import type { ExistingNetwork, NetworkChoice, NewNetwork } from './choice';
import { Endpoints } from './endpoints';
import { FlowLogs } from './flow-logs';
import { Groups } from './groups';
import { type Caller, calledBy } from './services';

/** Where jobs and functions run. */
export interface Ground {
  readonly vpc: ec2.IVpc;
  readonly subnets: readonly ec2.ISubnet[];
  /** Of the orchestrator's functions. */
  readonly functions: ec2.ISecurityGroup;
  /** Of jobs and endpoints of SageMaker. */
  readonly jobs: ec2.ISecurityGroup;
  /** Ids of the interface endpoints that were made here, by service; none in a VPC whose owners make them. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** What the way into Studio asks of the network. */
export interface AccessNeeds {
  /** People reach the API, and Studio, through endpoints only. */
  readonly privately: boolean;
  /** AWS verifies assertions. */
  readonly byAws: boolean;
  /** IPv4 blocks that people come from, where they come through endpoints. */
  readonly addresses: readonly string[];
}

export interface NetworkStackProps extends StackProps {
  readonly config: Config;
  readonly choice: NetworkChoice;
  readonly logsKey: kms.IKey;
  /** Absent: nobody is let into Studio by this app. */
  readonly access?: AccessNeeds;
}

/** A VPC without a way to the internet, or what an existing one still needs. */
export class NetworkStack extends Stack {
  readonly ground: Ground;
  private readonly zones: readonly string[];

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    const { choice, config } = props;
    const zones = choice.kind === 'new' ? choice.zones : choice.subnetIds.length;
    // As many as were chosen: a stack that is open to every account would know of two only.
    this.zones =
      typeof zones === 'number' ? Array.from({ length: zones }, (_, zone) => Fn.select(zone, Fn.getAzs())) : zones;

    const place = choice.kind === 'new' ? this.make(config.prefix, choice) : this.find(choice);
    if (choice.kind === 'new') {
      new FlowLogs(this, 'FlowLogs', {
        prefix: config.prefix,
        vpcId: place.vpc.vpcId,
        key: props.logsKey,
        removalPolicy: removalPolicy(config),
      });
    }
    const groups = new Groups(this, 'Groups', place.vpc);
    const made: Record<string, string> = {};
    this.ground = {
      vpc: place.vpc,
      subnets: place.subnets,
      functions: groups.functions,
      jobs: groups.jobs,
      endpoints: made,
    };

    const { access } = props;
    const ways = choice.kind === 'new' ? choice : choice.endpoints;
    if (ways !== undefined) {
      const callers = new Set<Caller>();
      if (config.functionsInVpc) callers.add('functions');
      if (config.domains.length > 0) callers.add('studio');
      if (access !== undefined && config.functionsInVpc) callers.add('access');
      if (access?.byAws === true && config.functionsInVpc) callers.add('access-by-aws');
      if (access?.privately === true) callers.add('people');
      const called = calledBy(callers, ways.alsoCalled);
      const { ids } = new Endpoints(this, 'Endpoints', {
        vpc: place.vpc,
        vpcId: place.vpc.vpcId,
        subnetIds: place.subnets.map(({ subnetId }) => subnetId),
        routeTableIds: place.routeTableIds,
        cidr: ways.cidr,
        called,
        peopleFrom: access?.privately === true ? access.addresses : [],
        pullsImages: called.some(({ service }) => service === 'ecr.dkr'),
        answersCloudFormation: config.functionsInVpc,
      });
      for (const [service, endpoint] of Object.entries(ids)) {
        made[service] = endpoint;
        new CfnOutput(this, `Endpoint${service.replace(/[^A-Za-z]/g, '')}`, { value: endpoint });
      }
    }
    // Exported whether used or not: an export that goes while a stack still imports it is refused.
    this.exportValue(groups.functions.securityGroupId);
    this.publish(config.prefix);
  }

  override get availabilityZones(): string[] {
    return [...this.zones];
  }

  private make(prefix: string, choice: NewNetwork) {
    const vpc = new ec2.Vpc(this, 'Vpc', {
      vpcName: prefix,
      ipAddresses: ec2.IpAddresses.cidr(choice.cidr),
      maxAzs: this.zones.length,
      natGateways: 0,
      createInternetGateway: false,
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      restrictDefaultSecurityGroup: choice.closeDefaultGroup,
    });
    const subnets = vpc.isolatedSubnets;
    return { vpc, subnets, routeTableIds: subnets.map(({ routeTable }) => routeTable.routeTableId) };
  }

  private find(choice: ExistingNetwork) {
    const vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: choice.vpcId,
      // Where the subnets lie is not asked for: nothing here depends on it.
      availabilityZones: this.availabilityZones,
      isolatedSubnetIds: [...choice.subnetIds],
    });
    // Their route tables are the endpoints' business, which gets them by itself.
    Annotations.of(vpc).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
    return { vpc, subnets: vpc.isolatedSubnets, routeTableIds: [...(choice.endpoints?.routeTableIds ?? [])] };
  }

  /** For those who come later and know the prefix alone, such as a domain's file: `ssm:/tidegate/network/vpc-id`. */
  private publish(prefix: string): void {
    const { vpc, subnets } = this.ground;
    const ids = subnets.map(({ subnetId }) => subnetId);
    const parameter = (name: string, stringValue: string) =>
      new ssm.StringParameter(this, `Parameter-${name}`, { parameterName: `/${prefix}/network/${name}`, stringValue });
    parameter('vpc-id', vpc.vpcId);
    ids.forEach((id, index) => parameter(`subnet-id-${index + 1}`, id));
    new ssm.StringListParameter(this, 'Parameter-subnet-ids', {
      parameterName: `/${prefix}/network/subnet-ids`,
      stringListValue: ids,
    });
    new CfnOutput(this, 'VpcId', { value: vpc.vpcId });
    new CfnOutput(this, 'SubnetIds', { value: Fn.join(',', ids) });
  }
}
