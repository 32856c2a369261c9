import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { text } from '../policies';
import { saidBy } from './said';
import { domainOf, sampleFile, synthesize } from './synth';

const ASSETS = '  lifecycleConfigs: { jupyterLab: { assets: { a: { sourcePath: . } }, cmds: [ls] } }';
const plain = domainOf();
const assets = domainOf(ASSETS);
const users = domainOf(`  userProfiles:
    ann@example.com: { userRole: { name: analyst } }
    bob: { userRole: { id: AROAX } }`);

const USE =
  'kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo';
const RW = 's3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:PutObject';
const DATA =
  's3:AbortMultipartUpload s3:BypassGovernanceRetention s3:DeleteObject* s3:GetObject* s3:ListBucket* s3:ListMultipartUploadParts s3:PutObject* s3:ReplicateDelete s3:ReplicateObject s3:RestoreObject';
const BUCKET = '${SharingBucket.Arn}';
const ADMIN = 'arn:P:iam::A:role/admin';

describe('the bucket that users share', () => {
  it('B5 is closed to everybody but administrators, users and who places assets, each where they belong', () => {
    assert.deepEqual(saidBy(assets, 'SharingBucketPolicy'), [
      `Deny AWS:*: s3:* on ${BUCKET} | ${BUCKET}/* if Bool aws:SecureTransport false`,
      `Deny AWS:*: ${DATA} on ${BUCKET} | ${BUCKET}/* if ArnNotEquals aws:PrincipalArn ${ADMIN} | \${AssetRole.Arn} | \${ExecutionRole.Arn}`,
      `Deny AWS:*: s3:DeleteObject* s3:PutObject* on ${BUCKET}/lifecycle-assets/* if ArnNotEquals aws:PrincipalArn ${ADMIN} | \${AssetRole.Arn}`,
      `Allow AWS:${ADMIN}: s3:AbortMultipartUpload s3:DeleteObject s3:DeleteObjectVersion s3:GetObject s3:GetObjectVersion s3:PutObject on ${BUCKET}/*`,
      `Allow AWS:${ADMIN}: s3:ListBucket s3:ListBucketVersions on ${BUCKET}`,
      `Allow AWS:\${ExecutionRole.Arn}: ${RW} on ${BUCKET}/sharing/*`,
      `Allow AWS:\${ExecutionRole.Arn}: s3:GetObject s3:GetObjectVersion on ${BUCKET}/lifecycle-assets/*`,
      `Allow AWS:\${ExecutionRole.Arn}: s3:ListBucket on ${BUCKET} if StringLike s3:prefix sharing/ | sharing/* | lifecycle-assets/ | lifecycle-assets/*`,
      `Allow AWS:\${AssetRole.Arn}: ${RW} on ${BUCKET}/lifecycle-assets/*`,
      `Allow AWS:\${AssetRole.Arn}: s3:ListBucket on ${BUCKET} if StringLike s3:prefix lifecycle-assets/ | lifecycle-assets/*`,
    ]);
  });

  it('B5 is encrypted, versioned, logged and closed to the public', () => {
    plain.template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: 'Enabled' },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    const [, { Properties }] = plain.only('AWS::S3::Bucket');
    const [rule] = Properties.BucketEncryption.ServerSideEncryptionConfiguration;
    assert.equal(rule.BucketKeyEnabled, true);
    assert.equal(text(rule.ServerSideEncryptionByDefault.KMSMasterKeyID), '${Key.Arn}');
    assert.equal(text(Properties.LoggingConfiguration.DestinationBucketName), '${BucketAccessLogs}');
    assert.equal(Properties.LoggingConfiguration.LogFilePrefix, 's3-access-logs/studio/team/');
  });

  it('B5 is somebody else’s if the file names one, which gets no policy of ours', () => {
    const sample = synthesize(sampleFile('comprehensive'));
    assert.deepEqual([sample.ofType('AWS::S3::Bucket'), sample.ofType('AWS::S3::BucketPolicy')], [[], []]);
    const theirs = domainOf('  domainBucket: { domainBucketName: theirs }');
    const about = saidBy(theirs, 'ExecutionPolicy').filter((line) => line.includes('s3:'));
    assert.deepEqual(about, [
      `Allow: ${RW} on arn:P:s3:::theirs/sharing/*`,
      'Allow: s3:GetObject s3:GetObjectVersion on arn:P:s3:::theirs/lifecycle-assets/*',
      'Allow: s3:ListBucket on arn:P:s3:::theirs if StringLike s3:prefix sharing/ | sharing/* | lifecycle-assets/ | lifecycle-assets/*',
    ]);
  });

  it('B5 can be emptied by the helper of a sandbox', () => {
    const sandbox = synthesize(sampleFile('minimal'), { emptyBuckets: true });
    const refusals = saidBy(sandbox, 'SharingBucketPolicy').filter((line) => line.includes('ArnNotEquals'));
    assert.equal(refusals.length, 2);
    for (const line of refusals)
      assert.match(line, /\$\{CustomS3AutoDeleteObjectsCustomResourceProviderRole\w*\.Arn\}/);
  });
});

describe('the key', () => {
  it('B6 has the data administrators as its administrators, and nobody else beside the account', () => {
    const administration =
      'kms:CancelKeyDeletion kms:CreateAlias kms:Decrypt kms:DeleteAlias kms:DescribeKey kms:DisableKey kms:DisableKeyRotation kms:EnableKey kms:EnableKeyRotation kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListGrants kms:ListKeyPolicies kms:ListResourceTags kms:PutKeyPolicy kms:ReEncryptFrom kms:ReEncryptTo kms:RevokeGrant kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateAlias kms:UpdateKeyDescription';
    assert.deepEqual(saidBy(plain, 'Key'), [
      'Allow AWS:arn:P:iam::A:root: kms:* on *',
      `Allow AWS:${ADMIN}: ${administration} on *`,
    ]);
  });

  it('B6 lets roles that are not of this stack use it', () => {
    const given = domainOf(`  defaultExecutionRole: { name: theirs }
  domainBucket: { assetDeploymentRole: { name: placer } }
${ASSETS}`);
    const both = 'Allow AWS:arn:P:iam::A:role/placer, AWS:arn:P:iam::A:role/theirs';
    assert.deepEqual(saidBy(given, 'Key').slice(2), [
      `${both}: ${USE} on *`,
      `Allow AWS:arn:P:iam::A:role/theirs: kms:CreateGrant on * if Bool kms:GrantIsForAWSResource true`,
    ]);
    assert.deepEqual(saidBy(given, 'ExecutionPolicy'), []);
    assert.deepEqual(saidBy(given, 'AssetPolicy'), []);
  });
});

describe('the default execution role', () => {
  it('B6 is taken by SageMaker on behalf of this account only, with the user as source identity', () => {
    const trust = (actions: string) =>
      `Allow Service:sagemaker.amazonaws.com: ${actions} on itself if ArnLike aws:SourceArn arn:P:sagemaker:R:A:* and StringEquals aws:SourceAccount A`;
    assert.deepEqual(saidBy(plain, 'ExecutionRole'), [trust('sts:AssumeRole sts:SetSourceIdentity')]);
    assert.deepEqual(saidBy(domainOf('  sourceIdentity: false'), 'ExecutionRole'), [trust('sts:AssumeRole')]);
  });

  it('B6 can launch applications and spaces of the own profile, and little else', () => {
    const domain = '${Domain.DomainId}';
    const arn = (rest: string) => `arn:P:sagemaker:R:A:${rest}`;
    const mine = `\${sagemaker:UserProfileName}`;
    const owned = `ArnEquals sagemaker:OwnerUserProfileArn ${arn(`user-profile/${domain}/${mine}`)}`;
    assert.deepEqual(saidBy(plain, 'ExecutionPolicy'), [
      `Allow: sagemaker:DescribeDomain on ${arn(`domain/${domain}`)}`,
      `Allow: sagemaker:CreatePresignedDomainUrl sagemaker:DescribeUserProfile on ${arn(`user-profile/${domain}/${mine}`)}`,
      `Allow: sagemaker:CreateApp sagemaker:DeleteApp sagemaker:DescribeApp on ${arn(`app/${domain}/${mine}/*`)} if Null sagemaker:OwnerUserProfileArn true`,
      `Allow: sagemaker:CreateApp sagemaker:DeleteApp on ${arn(`app/${domain}/*`)} if ${owned}`,
      `Allow: sagemaker:CreateSpace sagemaker:DeleteSpace sagemaker:UpdateSpace on ${arn(`space/${domain}/*`)} if ${owned}`,
      `Allow: sagemaker:AddTags on ${arn(`app/${domain}/*`)} | ${arn(`space/${domain}/*`)} if StringEquals sagemaker:TaggingAction CreateApp | CreateSpace`,
      `Allow: sagemaker:DescribeApp sagemaker:DescribeSpace on ${arn(`app/${domain}/*`)} | ${arn(`space/${domain}/*`)}`,
      'Allow: sagemaker:ListApps sagemaker:ListDomains sagemaker:ListSpaces sagemaker:ListStudioLifecycleConfigs sagemaker:ListUserProfiles on *',
      `Allow: ${USE} on \${Key.Arn}`,
      'Allow: kms:CreateGrant on ${Key.Arn} if Bool kms:GrantIsForAWSResource true',
      'Allow: logs:CreateLogGroup on arn:P:logs:R:A:log-group:/aws/sagemaker/studio',
      `Allow: logs:CreateLogStream logs:PutLogEvents on arn:P:logs:R:A:log-group:/aws/sagemaker/studio:log-stream:${domain}/*`,
    ]);
  });

  it('B6 sees the images and scripts that the file names, and no others', () => {
    const named = domainOf(`${ASSETS}
  defaultUserSettings: { kernelGatewayAppSettings: { customImages: [{ appImageConfigName: Conf, imageName: Img }] } }`);
    const more = saidBy(named, 'ExecutionPolicy').filter((line) => /Image|StudioLifecycleConfig on/.test(line));
    assert.deepEqual(more, [
      'Allow: sagemaker:DescribeStudioLifecycleConfig on ${LifecycleJupyterLab.StudioLifecycleConfigArn}',
      'Allow: sagemaker:DescribeAppImageConfig sagemaker:DescribeImage sagemaker:DescribeImageVersion on arn:P:sagemaker:R:A:app-image-config/conf | arn:P:sagemaker:R:A:image-version/img/* | arn:P:sagemaker:R:A:image/img',
    ]);
  });

  it('B6 is not made, and nothing is added to it, when the file names one', () => {
    const sso = synthesize(sampleFile('sso'));
    const [, { Properties }] = sso.only('AWS::SageMaker::Domain');
    assert.equal(
      text(Properties.DefaultUserSettings.ExecutionRole),
      'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/test-execution-role',
    );
    for (const [id, { Properties: policy }] of sso.ofType('AWS::IAM::Policy')) {
      assert.ok(
        policy.Roles.every((role: unknown) => typeof role === 'object'),
        `${id} is attached to a role by its name`,
      );
    }
  });
});

describe('profiles', () => {
  it('B8 carry the tag by which only their owner opens them', () => {
    const profiles = users
      .ofType('AWS::SageMaker::UserProfile')
      .map(([, { Properties }]) => [
        Properties.UserProfileName,
        text(Properties.DomainId),
        Object.fromEntries(
          Properties.Tags.filter(({ Key }: any) => Key.endsWith('userid')).map(({ Key, Value }: any) => [Key, Value]),
        ),
        Properties.SingleSignOnUserValue,
      ]);
    assert.deepEqual(profiles, [
      ['ann-example-com', '${Domain.DomainId}', { studiouserid: 'ann@example.com' }, undefined],
      ['bob', '${Domain.DomainId}', { studiouserid: 'bob', userid: 'AROAX:bob' }, undefined],
    ]);
  });

  it('B8 belong to a user of Identity Center with SSO', () => {
    const sso = domainOf('  authMode: SSO\n  userProfiles: { ann@example.com: {} }', ['authMode']);
    const [, { Properties }] = sso.only('AWS::SageMaker::UserProfile');
    assert.deepEqual(
      [Properties.UserProfileName, Properties.SingleSignOnUserIdentifier, Properties.SingleSignOnUserValue],
      ['ann-example-com', 'UserName', 'ann@example.com'],
    );
  });

  it('E2 are opened by who has their tag, by a policy to attach', () => {
    const arn = 'arn:P:sagemaker:R:A:';
    assert.deepEqual(saidBy(plain, 'OpenOwnProfile'), [
      `Allow: sagemaker:CreatePresignedDomainUrl sagemaker:DescribeUserProfile on ${arn}user-profile/\${Domain.DomainId}/* if StringEquals sagemaker:ResourceTag/studiouserid \${aws:PrincipalTag/studiouserid}`,
      `Allow: sagemaker:DescribeDomain on ${arn}domain/\${Domain.DomainId}`,
      'Allow: sagemaker:ListDomains sagemaker:ListUserProfiles on *',
    ]);
    const [, { Properties }] = plain.only('AWS::IAM::ManagedPolicy');
    assert.deepEqual([Properties.Roles, Properties.Users, Properties.Groups], [undefined, undefined, undefined]);
  });
});

describe('backups', () => {
  it('E4 of the home folders go daily into a vault under the key of the domain', () => {
    const [, { Properties: vault }] = plain.only('AWS::Backup::BackupVault');
    assert.equal(text(vault.EncryptionKeyArn), '${Key.Arn}');
    const [, { Properties: plan }] = plain.only('AWS::Backup::BackupPlan');
    const [rule, ...more] = plan.BackupPlan.BackupPlanRule;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [rule.ScheduleExpression, rule.Lifecycle, text(rule.TargetBackupVault)],
      ['cron(0 5 * * ? *)', { DeleteAfterDays: 35 }, '${BackupVault}'],
    );
    const [, { Properties: selection }] = plain.only('AWS::Backup::BackupSelection');
    const { Resources, Conditions, IamRoleArn } = selection.BackupSelection;
    assert.deepEqual(Resources.map(text), [
      'arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:file-system/${Domain.HomeEfsFileSystemId}',
    ]);
    const [{ ConditionKey, ConditionValue }] = Conditions.StringEquals;
    assert.deepEqual(
      [ConditionKey, text(ConditionValue), text(IamRoleArn)],
      ['aws:ResourceTag/ManagedByAmazonSageMakerResource', '${Domain.DomainArn}', '${BackupRole.Arn}'],
    );
  });

  it('E4 follow the file, or are off', () => {
    const weekly = domainOf('  backup: { schedule: "cron(0 1 ? * SUN *)", retentionDays: 90 }');
    const [, { Properties }] = weekly.only('AWS::Backup::BackupPlan');
    const [rule] = Properties.BackupPlan.BackupPlanRule;
    assert.deepEqual([rule.ScheduleExpression, rule.Lifecycle.DeleteAfterDays], ['cron(0 1 ? * SUN *)', 90]);
    const off = domainOf('  backup: false');
    assert.deepEqual(
      Object.values(off.resources).filter(({ Type }) => Type.startsWith('AWS::Backup')),
      [],
    );
  });

  it('E4 are made by a role for this file system and this vault', () => {
    assert.deepEqual(saidBy(plain, 'BackupPolicy'), [
      'Allow: elasticfilesystem:Backup elasticfilesystem:DescribeTags on arn:P:elasticfilesystem:R:A:file-system/${Domain.HomeEfsFileSystemId}',
      'Allow: backup:CopyIntoBackupVault backup:DescribeBackupVault on ${BackupVault.BackupVaultArn}',
      'Allow: tag:GetResources on *',
      'Allow: kms:Decrypt kms:DescribeKey kms:GenerateDataKey on ${Key.Arn}',
      'Allow: kms:CreateGrant on ${Key.Arn} if Bool kms:GrantIsForAWSResource true',
    ]);
  });
});

describe('when the stack goes', () => {
  const kept = [
    'AWS::SageMaker::Domain',
    'AWS::SageMaker::UserProfile',
    'AWS::KMS::Key',
    'AWS::S3::Bucket',
    'AWS::Backup::BackupVault',
  ];
  it('B12 a sandbox goes with it, and with `retain` all that holds anything stays', () => {
    for (const [context, policy] of [
      [{}, 'Delete'],
      [{ retain: true }, 'Retain'],
    ] as const) {
      const synthesis = synthesize(sampleFile('minimal'), context);
      for (const type of kept.filter((type) => type !== 'AWS::KMS::Key')) {
        assert.equal(synthesis.only(type)[1].DeletionPolicy, policy, type);
      }
      // Home folders and backups outlive a sandbox too, and are nothing without their key.
      assert.equal(synthesis.only('AWS::KMS::Key')[1].DeletionPolicy, 'RetainExceptOnCreate');
      assert.equal(synthesis.only('AWS::SageMaker::UserProfile')[1].UpdateReplacePolicy, 'Retain');
    }
  });

  it('E6 logs lie in groups of their own, encrypted, with an end', () => {
    const groups = assets
      .ofType('AWS::Logs::LogGroup')
      .map(([, { Properties }]) => [Properties.LogGroupName, text(Properties.KmsKeyId), Properties.RetentionInDays]);
    assert.deepEqual(groups.sort(), [
      ['/aws/lambda/tidegate-team-studio-assets', '${KeysLogs.Arn}', 90],
      ['/aws/lambda/tidegate-team-studio-resource', '${KeysLogs.Arn}', 90],
    ]);
  });
});
