import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { text } from '../policies';
import { SAMPLES, contents, domainOf, sampleFile, synthesize } from './synth';
import { saidBy } from './said';

const plain = domainOf();
const comprehensive = synthesize(sampleFile('comprehensive'));
const sso = synthesize(sampleFile('sso'));

describe('the domain', () => {
  it('A4 is in the VPC only, under a customer key, with its groups and role', () => {
    const [, { Properties }] = plain.only('AWS::SageMaker::Domain');
    const { AppNetworkAccessType, AuthMode, DomainName, VpcId, SubnetIds, KmsKeyId } = Properties;
    assert.deepEqual(
      [AppNetworkAccessType, AuthMode, DomainName, VpcId, SubnetIds, text(KmsKeyId)],
      ['VpcOnly', 'IAM', 'team', 'vpc-1', ['subnet-1'], '${Key.Arn}'],
    );
    for (const settings of [Properties.DefaultUserSettings, Properties.DefaultSpaceSettings]) {
      assert.equal(text(settings.ExecutionRole), '${ExecutionRole.Arn}');
      assert.deepEqual(settings.SecurityGroups.map(text), ['${SecurityGroup.GroupId}']);
    }
    const [, { Properties: key }] = plain.only('AWS::KMS::Key');
    assert.equal(key.EnableKeyRotation, true);
    assert.equal(plain.only('AWS::KMS::Alias')[1].Properties.AliasName, 'alias/tidegate-studio-team');
  });

  it('A4 signs in by IAM or by Identity Center', () => {
    assert.equal(sso.only('AWS::SageMaker::Domain')[1].Properties.AuthMode, 'SSO');
    assert.equal(comprehensive.only('AWS::SageMaker::Domain')[1].Properties.AuthMode, 'IAM');
  });

  it('A4 uses the key of the file, and makes none', () => {
    const [, { Properties }] = sso.only('AWS::SageMaker::Domain');
    assert.equal(
      text(Properties.KmsKeyId),
      'arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/test-efs-key',
    );
    assert.deepEqual(sso.ofType('AWS::KMS::Key'), []);
  });

  it('B3 has every setting of the comprehensive sample', () => {
    const arn = (rest: string) => `arn:\${AWS::Partition}:sagemaker:\${AWS::Region}:\${AWS::AccountId}:${rest}`;
    const spec = (app: string, script: string | undefined, instance = 'ml.t3.medium') => ({
      InstanceType: instance,
      SageMakerImageArn: arn(`image/test-${app}-image`),
      SageMakerImageVersionArn: arn(`image-version/test-${app}-image/1`),
      LifecycleConfigArn: script ?? arn(`studio-lifecycle-config/test-${app}-lcc`),
    });
    const made = (app: string) => `\${Lifecycle${app}.StudioLifecycleConfigArn}`;
    const arns = (app: string, lcc: string) => [arn(`studio-lifecycle-config/${lcc}`), made(app)];
    const image = (config: string, name: string) => [
      { AppImageConfigName: config, ImageName: name, ImageVersionNumber: 1 },
    ];
    const kernel = spec('', made('KernelGateway'));
    const [, { Properties }] = comprehensive.only('AWS::SageMaker::Domain');
    assert.deepEqual(flat(Properties.DefaultUserSettings), {
      ExecutionRole: '${RoleArntestUserRoleId}',
      JupyterLabAppSettings: {
        AppLifecycleManagement: {
          IdleSettings: {
            IdleTimeoutInMinutes: 60,
            LifecycleManagement: 'ENABLED',
            MaxIdleTimeoutInMinutes: 120,
            MinIdleTimeoutInMinutes: 60,
          },
        },
        BuiltInLifecycleConfigArn: arn('studio-lifecycle-config/test-builtin-lcc'),
        CodeRepositories: [{ RepositoryUrl: 'https://github.com/example/test-repo.git' }],
        CustomImages: image('jupyterLabAppImageConfig', 'jupyterLabImage'),
        DefaultResourceSpec: spec('jupyterlab', made('JupyterLab')),
        LifecycleConfigArns: arns('JupyterLab', 'test-jupyterlab-lcc'),
      },
      JupyterServerAppSettings: {
        DefaultResourceSpec: spec('jupyter', made('JupyterServer'), 'system'),
        LifecycleConfigArns: arns('JupyterServer', 'test-jupyter-lcc'),
      },
      KernelGatewayAppSettings: {
        CustomImages: image('appImageConfigName', 'imageName'),
        DefaultResourceSpec: {
          ...kernel,
          SageMakerImageArn: arn('image/test-image'),
          SageMakerImageVersionArn: arn('image-version/test-image/1'),
        },
        LifecycleConfigArns: arns('KernelGateway', 'test-kernel-lcc'),
      },
      RSessionAppSettings: {
        CustomImages: image('rSessionAppImageConfig', 'rSessionImage'),
        DefaultResourceSpec: spec('rsession', undefined),
      },
      RStudioServerProAppSettings: { AccessStatus: 'ENABLED', UserGroup: 'R_STUDIO_ADMIN' },
      SecurityGroups: ['sg-test12345', 'sg-test-default-user-sg'],
      SharingSettings: {
        NotebookOutputOption: 'Allowed',
        S3KmsKeyId: 'arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/test-sharing-key',
        S3OutputPath: 's3://test-sharing-bucket/notebook-output',
      },
      StudioWebPortal: 'ENABLED',
    });
  });

  it('B3 shares notebooks in its own bucket, unless the file says where', () => {
    const [, { Properties }] = plain.only('AWS::SageMaker::Domain');
    assert.deepEqual(flat(Properties.DefaultUserSettings.SharingSettings), {
      NotebookOutputOption: 'Allowed',
      S3KmsKeyId: '${Key.Arn}',
      S3OutputPath: 's3://${SharingBucket}/sharing/',
    });
  });

  it('B3 has the settings of current Studio', () => {
    domainOf(`  defaultUserSettings:
    codeEditorAppSettings: { defaultResourceSpec: { instanceType: ml.t3.large } }
    spaceStorageSettings: { defaultEbsStorageSettings: { defaultEbsVolumeSizeInGb: 20, maximumEbsVolumeSizeInGb: 100 } }
    defaultLandingUri: "studio::"
    studioWebPortalSettings: { hiddenAppTypes: [Canvas], hiddenMlTools: [JumpStart], hiddenInstanceTypes: [ml.p5.48xlarge] }
  defaultSpaceSettings:
    jupyterLabAppSettings: { defaultResourceSpec: { instanceType: ml.m5.large } }
    securityGroups: [sg-9]`).template.hasResourceProperties('AWS::SageMaker::Domain', {
      DefaultUserSettings: {
        CodeEditorAppSettings: { DefaultResourceSpec: { InstanceType: 'ml.t3.large' } },
        SpaceStorageSettings: {
          DefaultEbsStorageSettings: { DefaultEbsVolumeSizeInGb: 20, MaximumEbsVolumeSizeInGb: 100 },
        },
        DefaultLandingUri: 'studio::',
        StudioWebPortalSettings: {
          HiddenAppTypes: ['Canvas'],
          HiddenMlTools: ['JumpStart'],
          HiddenInstanceTypes: ['ml.p5.48xlarge'],
        },
      },
      DefaultSpaceSettings: {
        JupyterLabAppSettings: { DefaultResourceSpec: { InstanceType: 'ml.m5.large' } },
        SecurityGroups: [Match.anyValue(), 'sg-9'],
      },
    });
  });

  it('B6 names the user in CloudTrail, unless that is switched off', () => {
    const config = (lines: string) =>
      domainOf(lines).only('AWS::SageMaker::Domain')[1].Properties.DomainSettings.ExecutionRoleIdentityConfig;
    assert.equal(config(''), 'USER_PROFILE_NAME');
    assert.equal(config('  sourceIdentity: false'), 'DISABLED');
  });
});

/** All texts of a value with their intrinsics written out. */
function flat(value: any): any {
  if (Array.isArray(value)) return value.map(flat);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] === 'Ref' || keys[0]?.startsWith('Fn::'))) return text(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, flat(inner)]));
}

describe('values', () => {
  it('B2 name roles by name, by ARN, and by id, for which the deployer gives the ARN', () => {
    const roles = domainOf(
      '  dataAdminRoles: [{ name: team/admin }, { arn: "arn:{{partition}}:iam::{{account}}:role/x" }, { id: AROAX }, { arn: ssm:/roles/admin }]',
      ['dataAdminRoles'],
    );
    const administrators = saidBy(roles, 'Key')[1] as string;
    assert.equal(
      administrators.slice(0, administrators.indexOf(': kms')),
      'Allow AWS:${RoleArnAROAX}, AWS:${SsmParameterValuerolesadminC96584B6F00A464EAD1953AFF4B05118Parameter}, AWS:arn:P:iam::A:role/team/admin, AWS:arn:P:iam::A:role/x',
    );
    const { Parameters } = roles.template.toJSON();
    assert.deepEqual(Object.keys(Parameters.RoleArnAROAX).sort(), [
      'AllowedPattern',
      'ConstraintDescription',
      'Description',
      'Type',
    ]);
    assert.match(
      'arn:aws-us-gov:iam::123456789012:role/team/admin',
      new RegExp(Parameters.RoleArnAROAX.AllowedPattern),
    );
    assert.doesNotMatch('AROAX', new RegExp(Parameters.RoleArnAROAX.AllowedPattern));
  });

  it('B2 come from parameters, one by one or as a list', () => {
    const synthesis = domainOf(
      '  vpcId: ssm:/net/vpc\n  subnetIds: ssm:/net/subnets\n  securityGroupId: ssm:/net/{{region}}/sg',
      ['vpcId', 'subnetIds'],
    );
    const { Parameters } = synthesis.template.toJSON();
    const [, { Properties }] = synthesis.only('AWS::SageMaker::Domain');
    assert.deepEqual(
      [Parameters[Properties.VpcId.Ref].Type, Parameters[Properties.VpcId.Ref].Default],
      ['AWS::SSM::Parameter::Value<String>', '/net/vpc'],
    );
    assert.deepEqual(
      [Parameters[Properties.SubnetIds.Ref].Type, Parameters[Properties.SubnetIds.Ref].Default],
      ['AWS::SSM::Parameter::Value<List<String>>', '/net/subnets'],
    );
    assert.deepEqual(Properties.DefaultUserSettings.SecurityGroups.map(text), [
      '{{resolve:ssm:/net/${AWS::Region}/sg}}',
    ]);
  });

  it('B2 have their placeholders replaced everywhere', () => {
    for (const sample of SAMPLES) {
      const template = JSON.stringify(synthesize(sampleFile(sample)).template.toJSON());
      assert.doesNotMatch(template, /\{\{(?!resolve:)/, sample);
    }
  });
});

describe('what is written for others', () => {
  it('B10 are parameters under the name of the domain', () => {
    const values = Object.fromEntries(
      domainOf('  lifecycleConfigs: { jupyterLab: { cmds: [ls] } }')
        .ofType('AWS::SSM::Parameter')
        .map(([, { Properties }]) => [Properties.Name, text(Properties.Value)]),
    );
    assert.deepEqual(values, {
      '/tidegate/studio/team/domain-id': '${Domain.DomainId}',
      '/tidegate/studio/team/vpc-id': 'vpc-1',
      '/tidegate/studio/team/subnet-ids': 'subnet-1',
      '/tidegate/studio/team/security-group-id': '${SecurityGroup.GroupId}',
      '/tidegate/studio/team/bucket-name': '${SharingBucket}',
      '/tidegate/studio/team/execution-role-arn': '${ExecutionRole.Arn}',
      '/tidegate/studio/team/open-own-profile-policy-arn': '${OpenOwnProfile}',
      '/tidegate/studio/team/lifecycle-config-arn-JupyterLab': '${LifecycleJupyterLab.StudioLifecycleConfigArn}',
    });
  });

  it('A12 E7 tags everything, with the tags of the file too', () => {
    const tagged = domainOf('  tags: { cost-centre: "17" }\n  userProfiles: { ann: { userRole: { name: a } } }');
    const tags = (type: string) =>
      Object.fromEntries(tagged.only(type)[1].Properties.Tags.map(({ Key, Value }: any) => [Key, Value]));
    const all = { DomainName: 'team', Environment: 'sandbox', Project: 'tidegate', 'cost-centre': '17' };
    assert.deepEqual(tags('AWS::SageMaker::Domain'), all);
    assert.deepEqual(tags('AWS::SageMaker::UserProfile'), { ...all, studiouserid: 'ann' });
    assert.deepEqual(tags('AWS::S3::Bucket'), all);
    assert.deepEqual(tags('AWS::KMS::Key'), all);
  });
});

describe('synthesis', () => {
  it('B1 gives the same bytes twice, in another folder', () => {
    for (const sample of SAMPLES) {
      const [one, two] = [sample, sample].map((name) => {
        const { app, outdir, stack } = synthesize(sampleFile(name));
        app.synth();
        return contents(outdir)[`/${stack.templateFile}`];
      });
      assert.equal(one, two, sample);
    }
  });

  it('A4 knows no account and no region', () => {
    for (const sample of SAMPLES) {
      const { app, outdir, stack } = synthesize(sampleFile(sample));
      app.synth();
      const template = readFileSync(join(outdir, stack.templateFile), 'utf8');
      assert.doesNotMatch(template, /\b\d{12}\b/, sample);
      assert.doesNotMatch(template, /\b(us|eu|ap|sa|ca|me|af|il)-(north|south|east|west|central)\w*-\d\b/, sample);
      assert.ok(stack.environment.endsWith('unknown-region'), stack.environment);
    }
  });

  it('B1 says in the app what a file says without effect', () => {
    const { stack } = synthesize(sampleFile('comprehensive'));
    const ignored = Match.stringLikeRegexp('is ignored: `domain.securityGroupId`');
    assert.equal(Annotations.fromStack(stack).findWarning('*', ignored).length, 2);
  });
});
