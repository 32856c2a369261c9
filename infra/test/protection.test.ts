import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import { statements, text } from './policies';
import { BINARIES, Synthesized } from './stack';

const stack = new Synthesized();
const template = stack.template('Tidegate');
const each = (type: string) => stack.ofType(type).map(([id, { Properties }]) => [id, Properties] as const);

describe('encryption', () => {
  it('A2 three customer keys turn by themselves', () => {
    assert.equal(each('AWS::KMS::Key').length, 3);
    for (const [id, key] of each('AWS::KMS::Key')) assert.equal(key.EnableKeyRotation, true, id);
  });

  it('data, ledger and alerts lie under the data key, logs under the logs key', () => {
    const data = '${KeysData.Arn}';
    const [bucket] = each('AWS::S3::Bucket')
      .filter(([id]) => id.startsWith('BucketData'))
      .map(([, p]) => p);
    const { ServerSideEncryptionByDefault: rule } = bucket.BucketEncryption.ServerSideEncryptionConfiguration[0];
    assert.deepEqual([rule.SSEAlgorithm, text(rule.KMSMasterKeyID)], ['aws:kms', data]);
    const [[, table]] = each('AWS::DynamoDB::Table') as [any];
    assert.deepEqual([table.SSESpecification.SSEType, text(table.SSESpecification.KMSMasterKeyId)], ['KMS', data]);
    const [[, topic]] = each('AWS::SNS::Topic') as [any];
    assert.equal(text(topic.KmsMasterKeyId), data);
    for (const [id, group] of each('AWS::Logs::LogGroup')) assert.equal(text(group.KmsKeyId), '${KeysLogs.Arn}', id);
  });

  it('access logs and dead letters lie under their services own keys', () => {
    const [logs] = each('AWS::S3::Bucket')
      .filter(([id]) => id.startsWith('BucketAccessLogs'))
      .map(([, p]) => p);
    assert.equal(
      logs.BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.SSEAlgorithm,
      'AES256',
    );
    for (const [id, queue] of each('AWS::SQS::Queue')) assert.equal(queue.SqsManagedSseEnabled, true, id);
  });

  it('nothing comes in without TLS', () => {
    const guarded = statements(stack.resources)
      .filter((s) => s.effect === 'Deny' && s.conditions['Bool']?.['aws:SecureTransport']?.[0] === 'false')
      .flatMap(({ resources }) => resources);
    for (const [type, suffixes] of [
      ['AWS::S3::Bucket', ['.Arn}', '.Arn}/*']],
      ['AWS::SQS::Queue', ['.Arn}']],
      ['AWS::SNS::Topic', ['}']],
    ] as const) {
      for (const [id] of each(type)) {
        for (const suffix of suffixes) {
          const arn = `\${${id.replace(/[0-9A-F]{8}$/, '')}${suffix}`;
          assert.ok(guarded.includes(arn), `${arn} in ${guarded.join(' ')}`);
        }
      }
    }
  });
});

describe('buckets', () => {
  it('are closed to the public, without lists of their own', () => {
    assert.equal(each('AWS::S3::Bucket').length, 2);
    for (const [id, bucket] of each('AWS::S3::Bucket')) {
      assert.deepEqual(
        bucket.PublicAccessBlockConfiguration,
        {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        id,
      );
      assert.equal(bucket.OwnershipControls.Rules[0].ObjectOwnership, 'BucketOwnerEnforced', id);
      assert.equal(bucket.AccessControl, undefined, id);
    }
  });

  it('A3 keep every version, tell EventBridge of new data, and log who reads it', () => {
    for (const [id, bucket] of each('AWS::S3::Bucket')) {
      assert.deepEqual(bucket.VersioningConfiguration, { Status: 'Enabled' }, id);
    }
    stack.template('TidegateStorage').hasResourceProperties('AWS::S3::Bucket', {
      BucketName: { 'Fn::Join': ['', ['tidegate-data-', { Ref: 'AWS::AccountId' }, '-', { Ref: 'AWS::Region' }]] },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LoggingConfiguration: {
        DestinationBucketName: { Ref: Match.stringLikeRegexp('^BucketAccessLogs') },
        LogFilePrefix: 's3-access-logs/',
      },
    });
  });

  it('A3 expire nothing of the data, which lineage names by version, and store cheaply what is rarely read', () => {
    const rules = (beginning: string) =>
      each('AWS::S3::Bucket').find(([id]) => id.startsWith(beginning))![1].LifecycleConfiguration.Rules;
    assert.deepEqual(
      new Set(rules('BucketData').flatMap(Object.keys)),
      new Set([
        'AbortIncompleteMultipartUpload',
        'Id',
        'NoncurrentVersionTransitions',
        'Prefix',
        'Status',
        'Transitions',
      ]),
    );
    const cheaper = rules('BucketData').filter((rule: any) => rule.Transitions);
    assert.deepEqual(
      cheaper.map((rule: any) => [rule.Prefix, rule.Transitions, rule.NoncurrentVersionTransitions]),
      ['raw/', 'runs/'].map((prefix) => [
        prefix,
        [{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: 30 }],
        [{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: 30 }],
      ]),
    );
    const [logs] = rules('BucketAccessLogs');
    assert.deepEqual([logs.ExpirationInDays, logs.NoncurrentVersionExpiration], [365, { NoncurrentDays: 30 }]);
  });
});

describe('the ledger', () => {
  it('has the keys, the indexes and the expiry that the functions use, and can be restored to any second', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'tidegate',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-time',
          KeySchema: [
            { AttributeName: 'gsi_pk', KeyType: 'HASH' },
            { AttributeName: 'gsi_sk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
        {
          IndexName: 'by-due',
          KeySchema: [
            { AttributeName: 'due_pk', KeyType: 'HASH' },
            { AttributeName: 'due_sk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      AttributeDefinitions: Match.arrayEquals(
        ['pk', 'sk', 'gsi_pk', 'gsi_sk', 'due_pk', 'due_sk'].map((name) => ({
          AttributeName: name,
          AttributeType: 'S',
        })),
      ),
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });
});

describe('logs', () => {
  it('E6 are one group a function, kept for 90 days', () => {
    const groups = each('AWS::Logs::LogGroup').map(([, p]) => [p.LogGroupName, p.RetentionInDays]);
    assert.deepEqual(groups.sort(), BINARIES.map((name) => [`/aws/lambda/tidegate-${name}`, 90]).sort());
  });
});

describe('when the stacks go', () => {
  const kept = ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::Logs::LogGroup', 'AWS::S3::Bucket'];

  it('a sandbox goes with it', () => {
    for (const type of kept) for (const [id, r] of stack.ofType(type)) assert.equal(r.DeletionPolicy, 'Delete', id);
  });

  it('with `retain`, all that holds anything stays', () => {
    const production = new Synthesized({ retain: true });
    for (const type of kept)
      for (const [id, r] of production.ofType(type)) assert.equal(r.DeletionPolicy, 'Retain', id);
    production.template('Tidegate').hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
  });

  it('a helper that empties buckets comes only when asked for', () => {
    assert.deepEqual(stack.ofType('Custom::S3AutoDeleteObjects'), []);
    assert.equal(new Synthesized({ emptyBuckets: 'true' }).ofType('Custom::S3AutoDeleteObjects').length, 2);
  });
});
