import { Aws, Fn, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { ACCESS_STAGE } from '../shared/access-stage';
import type { CalledService } from './services';

export interface EndpointsProps {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly routeTableIds: readonly string[];
  /** The VPC's IPv4 block: who may call the interface endpoints. */
  readonly cidr: string;
  readonly vpc: ec2.IVpc;
  readonly called: readonly CalledService[];
  /** IPv4 blocks outside the VPC whose browsers come in, over a VPN for one. */
  readonly peopleFrom: readonly string[];
  /** Whether images are pulled from inside, whose layers lie in a bucket of AWS's own. */
  readonly pullsImages: boolean;
  /** Whether functions inside answer CloudFormation, through a bucket of AWS's own. */
  readonly answersCloudFormation: boolean;
}

/** The ways out of the isolated subnets, each for principals and, where it can be said, resources of this account only. */
export class Endpoints extends Construct {
  /** By service: the id of the interface endpoint. */
  readonly ids: Record<string, string> = {};

  constructor(scope: Construct, id: string, props: EndpointsProps) {
    super(scope, id);
    const { region } = Stack.of(this);

    const gateway = (service: string, policy: iam.PolicyStatement[]) =>
      new ec2.CfnVPCEndpoint(this, pascal(service), {
        serviceName: `com.amazonaws.${region}.${service}`,
        vpcEndpointType: 'Gateway',
        vpcId: props.vpcId,
        routeTableIds: [...props.routeTableIds],
        policyDocument: new iam.PolicyDocument({ statements: policy }),
      });
    gateway('s3', [ownOnly(), ...bucketsOfAws(this, props)]);
    gateway('dynamodb', [ownOnly()]);

    const group = new ec2.SecurityGroup(this, 'Group', {
      vpc: props.vpc,
      description: 'Interface endpoints: HTTPS from within the VPC',
      allowAllOutbound: false,
    });
    group.addIngressRule(ec2.Peer.ipv4(props.cidr), ec2.Port.tcp(443), 'HTTPS from within the VPC');
    const people = props.peopleFrom.length > 0 ? this.peopleGroup(props) : group;
    for (const { service, beginning, admits } of props.called) {
      const forPeople = admits === 'access' || admits === 'profiles';
      const endpoint = new ec2.CfnVPCEndpoint(this, pascal(service), {
        serviceName: `${beginning ?? 'com.amazonaws'}.${region}.${service}`,
        vpcEndpointType: 'Interface',
        vpcId: props.vpcId,
        subnetIds: [...props.subnetIds],
        securityGroupIds: [(forPeople ? people : group).securityGroupId],
        privateDnsEnabled: true,
        policyDocument: new iam.PolicyDocument({
          statements: admitted(this, admits),
        }),
      });
      this.ids[service] = endpoint.ref;
    }
  }

  /** Of the endpoints that browsers call. */
  private peopleGroup(props: EndpointsProps): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'PeopleGroup', {
      vpc: props.vpc,
      description: 'Interface endpoints that people reach: HTTPS from within the VPC and from their addresses',
      allowAllOutbound: false,
    });
    for (const block of [...new Set([props.cidr, ...props.peopleFrom])]) {
      group.addIngressRule(ec2.Peer.ipv4(block), ec2.Port.tcp(443), 'HTTPS');
    }
    return group;
  }
}

/** Who may pass, and to what. */
function admitted(scope: Construct, admits: CalledService['admits']): iam.PolicyStatement[] {
  switch (admits) {
    case 'profiles':
      return [ownProfilesOnly(scope)];
    case 'access':
      return [accessOnly(scope)];
    case 'images':
      return [ownOnly(), imagesOfOthers()];
    case 'assertions':
      return [ownOnly(), assertionsForOwnRoles(scope)];
    case undefined:
      return [ownOnly()];
  }
}

/** AWS's own images lie in accounts of AWS: they may be pulled, and nothing may be pushed anywhere else. */
function imagesOfOthers(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'PullImages',
    principals: [new iam.AnyPrincipal()],
    actions: [
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
    ],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
  });
}

/** Principals of this account, to resources of it, so that nobody carries data out to an account of their own. */
function ownOnly(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'ThisAccountOnly',
    principals: [new iam.AnyPrincipal()],
    actions: ['*'],
    resources: ['*'],
    conditions: {
      StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID, 'aws:ResourceAccount': Aws.ACCOUNT_ID },
    },
  });
}

/**
 * Opening Studio in a browser carries no signature of a principal; the endpoint is asked for the user profile:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/studio-interface-endpoint.html
 */
function ownProfilesOnly(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'ProfilesOfThisAccountOnly',
    principals: [new iam.AnyPrincipal()],
    actions: ['sagemaker:CreatePresignedDomainUrl'],
    resources: [Stack.of(scope).formatArn({ service: 'sagemaker', resource: 'user-profile', resourceName: '*' })],
  });
}

/**
 * AssumeRoleWithSAML is not signed: whoever asks is nobody yet, and the assertion says who takes the role. The role's trust
 * policy names the provider: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
 */
function assertionsForOwnRoles(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AssertionsForRolesOfThisAccount',
    principals: [new iam.AnyPrincipal()],
    actions: ['sts:AssumeRoleWithSAML', 'sts:TagSession'],
    resources: [Stack.of(scope).formatArn({ service: 'iam', region: '', resource: 'role', resourceName: '*' })],
  });
}

/** Who signs in is nobody yet; the API's own policy and functions decide. Its id comes after this endpoint. */
function accessOnly(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AccessOfThisAccountOnly',
    principals: [new iam.AnyPrincipal()],
    actions: ['execute-api:Invoke'],
    resources: [
      Stack.of(scope).formatArn({ service: 'execute-api', resource: '*', resourceName: `${ACCESS_STAGE}/*` }),
    ],
  });
}

/** What lies in buckets that belong to AWS and is needed from inside. */
function bucketsOfAws(scope: Construct, props: EndpointsProps): iam.PolicyStatement[] {
  const { region } = Stack.of(scope);
  const objects = (bucket: string) =>
    Stack.of(scope).formatArn({ service: 's3', region: '', account: '', resource: bucket, resourceName: '*' });
  const statements: iam.PolicyStatement[] = [];
  if (props.pullsImages) {
    statements.push(
      new iam.PolicyStatement({
        sid: 'LayersOfImages',
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:GetObject'],
        // https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
        resources: [objects(`prod-${region}-starport-layer-bucket`)],
      }),
    );
  }
  if (props.answersCloudFormation) {
    statements.push(
      new iam.PolicyStatement({
        sid: 'AnswersToCloudFormation',
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:PutObject'],
        // Signed by CloudFormation itself; the bucket's name has the region without its hyphens:
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-vpce-bucketnames.html
        resources: [objects(`cloudformation-custom-resource-response-${Fn.join('', Fn.split('-', region))}`)],
      }),
    );
  }
  return statements;
}

function pascal(service: string): string {
  return service.replace(/(^|[.-])([a-z])/g, (_match, _separator, letter: string) => letter.toUpperCase());
}
