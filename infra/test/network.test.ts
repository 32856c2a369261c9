import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXISTING } from './configurations';
import { name, statements, text } from './policies';
import { FOLLOWING, Synthesized, pipelineFolder } from './stack';
import { readConfig } from '../lib/config';
import { CALLED } from '../lib/network/services';

const FULL = { network: 'new', functionsInVpc: true };
const stack = new Synthesized(FULL);
const each = (of: Synthesized, type: string) =>
  of.ofType(type).map(([id, { Properties }]) => [id, Properties] as const);
const endpoints = (of: Synthesized) =>
  Object.fromEntries(each(of, 'AWS::EC2::VPCEndpoint').map(([, p]) => [text(p.ServiceName), p]));
const R = '${AWS::Region}';

describe('a VPC of its own', () => {
  it('A1 is made only when asked for', () => {
    assert.deepEqual(Object.keys(new Synthesized().templates).sort(), ['Tidegate', 'TidegateStorage']);
  });

  it('A1 has no way to the internet', () => {
    for (const type of [
      'AWS::EC2::InternetGateway',
      'AWS::EC2::EgressOnlyInternetGateway',
      'AWS::EC2::NatGateway',
      'AWS::EC2::VPCGatewayAttachment',
      'AWS::EC2::Route',
      'AWS::EC2::EIP',
    ]) {
      assert.deepEqual(stack.ofType(type), [], type);
    }
    for (const [id, subnet] of each(stack, 'AWS::EC2::Subnet')) assert.equal(subnet.MapPublicIpOnLaunch, false, id);
  });

  it('A1 has two zones or three, which share its addresses evenly', () => {
    for (const [zones, size] of [
      [2, 21],
      [3, 22],
    ] as const) {
      const of = new Synthesized({ network: 'new', zones: String(zones), cidr: '10.8.0.0/20' });
      const subnets = each(of, 'AWS::EC2::Subnet').map(([, p]) => p);
      assert.equal(subnets.length, zones);
      for (const { CidrBlock } of subnets) assert.match(CidrBlock, new RegExp(`^10\\.8\\.\\d+\\.0/${size}$`));
      const placed = subnets.map(({ AvailabilityZone }) => AvailabilityZone);
      assert.deepEqual(
        placed,
        [...placed.keys()].map((index) => ({ 'Fn::Select': [index, { 'Fn::GetAZs': '' }] })),
      );
      assert.equal(of.ofType('AWS::EC2::VPC')[0]![1].Properties.CidrBlock, '10.8.0.0/20');
    }
  });

  it('A1 lies in the zones that are named, where a service is not in every one', () => {
    const of = new Synthesized({ network: 'new', zones: 'us-east-1b,us-east-1d' });
    const placed = each(of, 'AWS::EC2::Subnet').map(([, { AvailabilityZone }]) => AvailabilityZone);
    assert.deepEqual(placed, ['us-east-1b', 'us-east-1d']);
  });

  it('A1 exports what a switch may cease to use, so that switching off is not refused', () => {
    const exports = (of: Synthesized, stack: string) =>
      Object.keys(of.template(stack).toJSON()['Outputs']).filter((name) => name.startsWith('ExportsOutput'));
    const without = new Synthesized({ network: 'new' });
    assert.deepEqual(exports(without, 'TidegateNetwork'), exports(stack, 'TidegateNetwork'));
    assert.ok(exports(without, 'TidegateStorage').some((name) => name.includes('BucketAccessLogs')));
  });

  it('A1 closes its default security group, unless that is refused', () => {
    assert.equal(stack.ofType('Custom::VpcRestrictDefaultSG').length, 1);
    const open = new Synthesized({ ...FULL, closeDefaultGroup: 'false' });
    assert.deepEqual(open.ofType('Custom::VpcRestrictDefaultSG'), []);
  });

  it('A1 logs who talks to whom, encrypted, for 90 days', () => {
    const [[, log]] = each(stack, 'AWS::EC2::FlowLog') as any;
    assert.deepEqual(
      [log.ResourceType, log.TrafficType, log.MaxAggregationInterval, log.LogDestinationType, name(log.ResourceId.Ref)],
      ['VPC', 'ALL', 60, 'cloud-watch-logs', 'Vpc'],
    );
    const [, group] = each(stack, 'AWS::Logs::LogGroup').find(([id]) => id === log.LogGroupName.Ref)!;
    assert.deepEqual(
      [group.LogGroupName, group.RetentionInDays, text(group.KmsKeyId)],
      ['/aws/vpc/tidegate-flow-logs', 90, '${KeysLogs.Arn}'],
    );
    const [trust, ...rights] = statements(stack.resources).filter(({ holder }) => holder.startsWith('FlowLogsRole'));
    assert.deepEqual(trust!.principals, ['Service:vpc-flow-logs.amazonaws.com']);
    assert.deepEqual(trust!.conditions, {
      StringEquals: { 'aws:SourceAccount': ['${AWS::AccountId}'] },
      ArnLike: { 'aws:SourceArn': [`arn:\${AWS::Partition}:ec2:${R}:\${AWS::AccountId}:vpc-flow-log/*`] },
    });
    assert.deepEqual(
      rights.map(({ actions, resources }) => [actions, resources]),
      [[['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'], ['${FlowLogsGroup.Arn}']]],
    );
  });

  it('B10 tells where it is, for those who know the prefix alone', () => {
    const told = Object.fromEntries(
      each(stack, 'AWS::SSM::Parameter').map(([, p]) => [p.Name, [p.Type, text(p.Value)]]),
    );
    assert.deepEqual(told, {
      '/tidegate/network/vpc-id': ['String', '${Vpc}'],
      '/tidegate/network/subnet-id-1': ['String', '${VpcisolatedSubnet1Subnet}'],
      '/tidegate/network/subnet-id-2': ['String', '${VpcisolatedSubnet2Subnet}'],
      '/tidegate/network/subnet-ids': ['StringList', '${VpcisolatedSubnet1Subnet},${VpcisolatedSubnet2Subnet}'],
    });
  });
});

describe('endpoints', () => {
  it('A1 are gateways to S3 and DynamoDB on every isolated subnet, and cost nothing alone', () => {
    const alone = endpoints(new Synthesized({ network: 'new' }));
    assert.deepEqual(Object.keys(alone).sort(), [`com.amazonaws.${R}.dynamodb`, `com.amazonaws.${R}.s3`]);
    for (const { VpcEndpointType, RouteTableIds } of Object.values(alone)) {
      assert.equal(VpcEndpointType, 'Gateway');
      assert.deepEqual(RouteTableIds.map(text), ['${VpcisolatedSubnet1RouteTable}', '${VpcisolatedSubnet2RouteTable}']);
    }
  });

  it('A1 are interfaces for what the functions call, with private names, in every zone', () => {
    const found = endpoints(stack);
    const interfaces = Object.entries(found).filter(([, p]) => p.VpcEndpointType === 'Interface');
    assert.deepEqual(
      interfaces.map(([service]) => service).sort(),
      ['sagemaker.api', 'scheduler', 'sns'].map((service) => `com.amazonaws.${R}.${service}`),
    );
    for (const [service, p] of interfaces) {
      assert.equal(p.PrivateDnsEnabled, true, service);
      assert.equal(p.SubnetIds.length, 2, service);
      assert.deepEqual(p.SecurityGroupIds.map(text), ['${EndpointsGroup.GroupId}'], service);
    }
  });

  it('A1 are there for every service that a function in the VPC may call, and for no other', () => {
    const called = new Set(
      statements(stack.resources)
        .filter(
          ({ holder, effect }) =>
            effect === 'Allow' && /^(On[A-Z]\w+|Sweep|PipelineResource)RoleDefaultPolicy$/.test(holder),
        )
        .flatMap(({ actions }) => actions.map((action) => action.split(':')[0]!)),
    );
    // Not called by the code: Lambda logs, stores failed events and makes interfaces; S3, DynamoDB and SNS use keys;
    // a role is handed on in a call to another service.
    for (const byOthers of ['logs', 'sqs', 'ec2', 'kms', 'iam']) called.delete(byOthers);
    const reached = Object.keys(endpoints(stack)).map((service) => service.split('.')[3]!);
    assert.deepEqual([...called].sort(), reached.sort());
  });

  it('A1 admit principals of this account only, and to its own resources', () => {
    for (const [service, p] of Object.entries(
      endpoints(new Synthesized({ ...FULL, alsoCalled: 'ecr.api,ecr.dkr,studio,sts' })),
    )) {
      const [own, ...others] = p.PolicyDocument.Statement;
      assert.deepEqual([own.Effect, own.Principal], ['Allow', { AWS: '*' }], service);
      if (service.startsWith('aws.sagemaker.')) {
        const profiles = `arn:\${AWS::Partition}:sagemaker:${R}:\${AWS::AccountId}:user-profile/*`;
        assert.deepEqual([own.Action, text(own.Resource)], ['sagemaker:CreatePresignedDomainUrl', profiles]);
        continue;
      }
      const bounds = Object.entries(own.Condition.StringEquals).map(([key, value]) => [key, text(value)]);
      const expected = [
        ['aws:PrincipalAccount', '${AWS::AccountId}'],
        ['aws:ResourceAccount', '${AWS::AccountId}'],
      ];
      assert.deepEqual(bounds, expected, service);
      if (service.includes('.ecr.')) {
        // AWS's own images lie in accounts of AWS: pulled, never pushed.
        const [pull, ...more] = others;
        assert.deepEqual(more, []);
        assert.deepEqual(pull.Action, [
          'ecr:BatchCheckLayerAvailability',
          'ecr:BatchGetImage',
          'ecr:GetAuthorizationToken',
          'ecr:GetDownloadUrlForLayer',
        ]);
        assert.deepEqual(Object.keys(pull.Condition.StringEquals), ['aws:PrincipalAccount']);
        continue;
      }
      if (service.endsWith('.sts')) {
        // An assertion is not signed by a principal: AWS's own example of a data perimeter has this statement apart, too.
        const [assertions, ...more] = others;
        assert.deepEqual([more, assertions.Condition], [[], undefined]);
        assert.deepEqual(assertions.Action, ['sts:AssumeRoleWithSAML', 'sts:TagSession']);
        assert.equal(text(assertions.Resource), 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*');
        continue;
      }
      assert.deepEqual(
        others.map((s: any) => [s.Sid, s.Effect, s.Action, text(s.Resource)]),
        service.endsWith('.s3')
          ? [
              [
                'LayersOfImages',
                'Allow',
                's3:GetObject',
                `arn:\${AWS::Partition}:s3:::prod-${R}-starport-layer-bucket/*`,
              ],
              [
                'AnswersToCloudFormation',
                'Allow',
                's3:PutObject',
                `arn:\${AWS::Partition}:s3:::cloudformation-custom-resource-response-${R}/*`,
              ],
            ]
          : [],
        service,
      );
    }
  });

  it('A1 write the bucket of CloudFormation without the hyphens of the region', () => {
    const policy = JSON.stringify(endpoints(stack)[`com.amazonaws.${R}.s3`].PolicyDocument);
    assert.ok(policy.includes('{"Fn::Join":["",{"Fn::Split":["-",{"Ref":"AWS::Region"}]}]}'), policy);
  });

  it('A1 let in HTTPS from within the VPC and nothing else', () => {
    const groups = Object.fromEntries(each(stack, 'AWS::EC2::SecurityGroup').map(([id, p]) => [name(id), p]));
    assert.deepEqual(groups['EndpointsGroup'].SecurityGroupIngress, [
      {
        CidrIp: '10.0.0.0/20',
        FromPort: 443,
        ToPort: 443,
        IpProtocol: 'tcp',
        Description: 'HTTPS from within the VPC',
      },
    ]);
    // CDK's way to say "nothing": a rule that matches no packet.
    assert.equal(groups['EndpointsGroup'].SecurityGroupEgress[0].CidrIp, '255.255.255.255/32');
  });

  it('B1 hold all that Studio calls once there is a domain', () => {
    const studio = CALLED.filter(({ callers }) => callers.includes('studio')).map(({ service }) => service);
    assert.deepEqual(studio.sort(), [
      'ecr.api',
      'ecr.dkr',
      'logs',
      'sagemaker.api',
      'sagemaker.runtime',
      'sts',
      'studio',
    ]);
  });
});

describe('security groups', () => {
  it('A1 of functions and jobs let out HTTPS; into jobs come only their own kind', () => {
    const groups = Object.fromEntries(each(stack, 'AWS::EC2::SecurityGroup').map(([id, p]) => [name(id), p]));
    assert.deepEqual(Object.keys(groups).sort(), ['EndpointsGroup', 'GroupsFunctions', 'GroupsJobs']);
    for (const group of ['GroupsFunctions', 'GroupsJobs']) {
      assert.deepEqual(
        groups[group].SecurityGroupEgress.map((rule: any) => [
          rule.CidrIp,
          rule.IpProtocol,
          rule.FromPort,
          rule.ToPort,
        ]),
        [['0.0.0.0/0', 'tcp', 443, 443]],
      );
      assert.equal(groups[group].SecurityGroupIngress, undefined);
    }
    for (const [type, peer] of [
      ['AWS::EC2::SecurityGroupIngress', 'SourceSecurityGroupId'],
      ['AWS::EC2::SecurityGroupEgress', 'DestinationSecurityGroupId'],
    ] as const) {
      const rules = each(stack, type).map(([, p]) => [text(p.GroupId), text(p[peer]), p.IpProtocol]);
      assert.deepEqual(rules, [['${GroupsJobs.GroupId}', '${GroupsJobs.GroupId}', '-1']]);
    }
  });
});

describe('functions in the VPC', () => {
  it('A1 lie in every isolated subnet, by a switch', () => {
    for (const [, p] of each(stack, 'AWS::Lambda::Function').filter(
      ([, { Runtime }]) => Runtime === 'provided.al2023',
    )) {
      assert.deepEqual(p.VpcConfig.SubnetIds.map(text), ['${VpcisolatedSubnet1Subnet}', '${VpcisolatedSubnet2Subnet}']);
      assert.deepEqual(p.VpcConfig.SecurityGroupIds.map(text), ['${GroupsFunctions.GroupId}']);
    }
    for (const context of [{}, { network: 'new' }]) {
      for (const [id, p] of each(new Synthesized(context), 'AWS::Lambda::Function'))
        assert.equal(p.VpcConfig, undefined, id);
    }
  });

  it('A5 may have interfaces made for them, and may make none themselves', () => {
    for (const role of FOLLOWING.map((binary) =>
      binary.replace(/(^|-)([a-z])/g, (_m, _h, c: string) => c.toUpperCase()),
    )) {
      const [allowed, denied] = statements(stack.resources).filter(
        ({ holder, actions }) =>
          holder === `${role}RoleDefaultPolicy` && actions.includes('ec2:CreateNetworkInterface'),
      );
      assert.deepEqual([allowed!.effect, denied!.effect], ['Allow', 'Deny'], role);
      assert.deepEqual(denied!.actions, allowed!.actions);
      assert.match(denied!.conditions['ArnEquals']!['lambda:SourceFunctionArn']![0]!, /:function:tidegate-[a-z-]+$/);
    }
  });
});

describe('jobs in the VPC', () => {
  it('E10 the subnets and the group are told to the functions and to the settings, from one place', () => {
    const subnets = '${VpcisolatedSubnet1Subnet},${VpcisolatedSubnet2Subnet}';
    for (const [, p] of each(stack, 'AWS::Lambda::Function').filter(
      ([, { Runtime }]) => Runtime === 'provided.al2023',
    )) {
      const { TIDEGATE_JOB_SUBNETS, TIDEGATE_JOB_SECURITY_GROUPS } = p.Environment.Variables;
      assert.deepEqual(
        [text(TIDEGATE_JOB_SUBNETS), text(TIDEGATE_JOB_SECURITY_GROUPS)],
        [subnets, '${GroupsJobs.GroupId}'],
      );
    }
    const of = new Synthesized({ ...FULL, pipelines: pipelineFolder('wine') });
    for (const type of ['Custom::TidegateSettings', 'Custom::TidegatePipeline']) {
      const [[, told]] = each(of, type) as any;
      assert.deepEqual(
        [told.JobSubnets, told.JobSecurityGroups, told.VolumeKeyArn, told.DataKeyArn].map(text),
        [subnets, '${GroupsJobs.GroupId}', '${KeysVolumes.Arn}', '${KeysData.Arn}'],
        type,
      );
    }
  });

  it('E10 may make interfaces in these subnets with this group only', () => {
    const arn = (what: string) => `arn:\${AWS::Partition}:ec2:${R}:\${AWS::AccountId}:${what}`;
    const subnets = ['${VpcisolatedSubnet1Subnet}', '${VpcisolatedSubnet2Subnet}'].map((id) => arn(`subnet/${id}`));
    const rights = statements(stack.resources)
      .filter(
        ({ holder, actions }) => holder === 'SageMakerJobDefaultPolicy' && actions.some((a) => a.startsWith('ec2:')),
      )
      .map(({ actions, resources, conditions }) => ({ actions, resources, conditions }));
    assert.deepEqual(rights, [
      {
        actions: ['ec2:CreateNetworkInterface'],
        resources: [arn('network-interface/*'), arn('security-group/${GroupsJobs.GroupId}'), ...subnets],
        conditions: {},
      },
      {
        actions: [
          'ec2:CreateNetworkInterfacePermission',
          'ec2:DeleteNetworkInterface',
          'ec2:DeleteNetworkInterfacePermission',
        ],
        resources: [arn('network-interface/*')],
        conditions: { ArnEquals: { 'ec2:Subnet': subnets } },
      },
      {
        actions: [
          'ec2:DescribeDhcpOptions',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
          'ecr:GetAuthorizationToken', // Not about interfaces: CDK puts together what knows no resources.
        ],
        resources: ['*'],
        conditions: {},
      },
    ]);
  });
});

describe('an existing VPC', () => {
  it('A1 is used by its id, without making endpoints, routes or flow logs in it', () => {
    const of = new Synthesized({ ...EXISTING, functionsInVpc: true });
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::FlowLog']) {
      assert.deepEqual(of.ofType(type), [], type);
    }
    const [, p] = each(of, 'AWS::Lambda::Function')[0]!;
    assert.deepEqual(p.VpcConfig.SubnetIds, EXISTING.subnets.split(','));
    for (const [, { VpcId }] of each(of, 'AWS::EC2::SecurityGroup')) assert.equal(VpcId, EXISTING.network);
  });

  it('A1 gets the endpoints when asked for them', () => {
    const of = new Synthesized({
      ...EXISTING,
      functionsInVpc: true,
      endpoints: true,
      cidr: '10.20.0.0/16',
      routeTables: 'rtb-0aaaaaaaaaaaaaaa0',
    });
    const found = endpoints(of);
    assert.equal(Object.keys(found).length, 5);
    assert.deepEqual(found[`com.amazonaws.${R}.s3`].RouteTableIds, ['rtb-0aaaaaaaaaaaaaaa0']);
  });
});

describe('the choice of a network', () => {
  const read = (context: Record<string, unknown>) => readConfig((key) => context[key], {}).network;
  const subnets = EXISTING.subnets;

  it('is none unless one is asked for', () => assert.equal(read({}), undefined));

  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['a network that is no id', { network: 'mine' }, /`network` is `mine`: give `none`, `new`, or the id of a VPC/],
    ['functions in no VPC', { functionsInVpc: true }, /`functionsInVpc` needs a VPC/],
    ['one subnet', { network: 'vpc-01234567', subnets: 'subnet-01234567' }, /two isolated subnets or more/],
    ['subnets that are none', { network: 'vpc-01234567', subnets: 'a,b' }, /`subnets` names `a`: give ids, `subnet-…`/],
    ['zones of an existing VPC', { network: 'vpc-01234567', subnets, zones: 3 }, /`zones` is about a new VPC/],
    ['subnets of a new VPC', { network: 'new', subnets }, /`subnets` is about an existing VPC/],
    [
      'four zones',
      { network: 'new', zones: 4 },
      /`zones` is `4`: give whole availability zones, or their names, from 2 to 3/,
    ],
    [
      'one zone by name',
      { network: 'new', zones: 'eu-west-1a,' },
      /`zones` is `eu-west-1a,`: give 2 or 3, or two or three names/,
    ],
    [
      'a gateway as an interface',
      { network: 'new', alsoCalled: 's3' },
      /`alsoCalled` names `s3`: its endpoint is there already/,
    ],
    ['zones of no VPC', { zones: 2 }, /`zones` needs `network`/],
    ['a public block', { network: 'new', cidr: '8.8.0.0/16' }, /`cidr` is `8.8.0.0\/16`: give a private IPv4 block/],
    ['a block that begins within itself', { network: 'new', cidr: '10.0.1.0/20' }, /give a private IPv4 block/],
    ['a block too small', { network: 'new', cidr: '10.0.0.0/27' }, /from `\/16` to `\/26`/],
    [
      'endpoints of nowhere',
      { network: 'vpc-01234567', subnets, endpoints: true },
      /needs its `cidr`, and `routeTables`/,
    ],
    [
      'route tables without endpoints',
      { network: 'vpc-01234567', subnets, routeTables: 'rtb-01234567' },
      /needs `endpoints`/,
    ],
    ['a service in another spelling', { network: 'new', alsoCalled: 'KMS' }, /`alsoCalled` names `KMS`/],
  ];
  for (const [what, context, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => read(context), message));
  }
});
