import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statements } from './policies';
import { Synthesized } from './stack';

const here = '${AWS::Partition}';
const stack = new Synthesized();
const ofKey = (name: string) =>
  statements(stack.resources).filter(({ holder, type }) => holder === `Keys${name}` && type === 'AWS::KMS::Key');
const ADMINISTERED = {
  effect: 'Allow',
  actions: ['kms:*'],
  resources: ['*'],
  principals: [`AWS:arn:${here}:iam::\${AWS::AccountId}:root`],
  conditions: {},
};

/** Without what says where the statement stands. */
function rights(name: string) {
  return ofKey(name).map(({ holder: _holder, type: _type, ...statement }) => statement);
}

describe('keys', () => {
  it('A2 the data key serves the account, and the alarms that publish to the topic', () => {
    assert.deepEqual(rights('Data'), [
      ADMINISTERED,
      {
        effect: 'Allow',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        principals: ['Service:cloudwatch.amazonaws.com'],
        conditions: {
          StringEquals: { 'aws:SourceAccount': ['${AWS::AccountId}'] },
          ArnLike: {
            'aws:SourceArn': [`arn:${here}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:tidegate-*`],
          },
        },
      },
    ]);
  });

  it('A2 the logs key serves CloudWatch Logs for our groups, named by the encryption context', () => {
    const group = (name: string) => `arn:${here}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${name}`;
    assert.deepEqual(rights('Logs'), [
      ADMINISTERED,
      {
        effect: 'Allow',
        actions: [
          'kms:Decrypt',
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
        resources: ['*'],
        principals: ['Service:logs.${AWS::Region}.amazonaws.com'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': [
              group('/aws/lambda/tidegate-*'),
              group('/aws/apigateway/tidegate-access'),
              group('/aws/vpc/tidegate-flow-logs'),
              group('/aws/sagemaker/studio'),
              group('/aws/sagemaker/ProcessingJobs'),
              group('/aws/sagemaker/TrainingJobs'),
            ],
          },
        },
      },
    ]);
  });

  it('A2 the volumes key serves the account alone', () => {
    assert.deepEqual(rights('Volumes'), [ADMINISTERED]);
  });

  it('A2 each log group of every stack is one that the logs key serves', () => {
    const full = new Synthesized({ network: 'new', sagemakerLogs: true });
    const [served] = statements(full.resources)
      .filter(({ holder, actions }) => holder === 'KeysLogs' && actions.includes('kms:Encrypt'))
      .map(({ conditions }) => conditions['ArnLike']!['kms:EncryptionContext:aws:logs:arn']!);
    const groups = full.ofType('AWS::Logs::LogGroup').map(([, { Properties }]) => Properties.LogGroupName as string);
    assert.ok(groups.length > 10);
    for (const group of groups) {
      const matches = served!.some((arn) => {
        const pattern = arn.split(':log-group:')[1]!;
        return pattern.endsWith('*') ? group.startsWith(pattern.slice(0, -1)) : group === pattern;
      });
      assert.ok(matches, group);
    }
  });
});

describe('logs of SageMaker', () => {
  it("E6 Studio's and the jobs' groups are made when asked for, encrypted, for 90 days", () => {
    const groups = (context: Record<string, unknown>) =>
      new Synthesized(context)
        .ofType('AWS::Logs::LogGroup')
        .map(([, { Properties: p }]) => p)
        .filter(({ LogGroupName }) => LogGroupName.startsWith('/aws/sagemaker/'));
    assert.deepEqual(groups({}), []);
    const made = groups({ sagemakerLogs: 'true' });
    assert.deepEqual(made.map(({ LogGroupName }) => LogGroupName).sort(), [
      '/aws/sagemaker/ProcessingJobs',
      '/aws/sagemaker/TrainingJobs',
      '/aws/sagemaker/studio',
    ]);
    for (const { RetentionInDays, KmsKeyId } of made) {
      assert.equal(RetentionInDays, 90);
      assert.match(KmsKeyId['Fn::GetAtt'][0], /^KeysLogs/);
    }
  });
});

describe('disks', () => {
  it('E10 are encrypted with the volumes key, by grants that AWS alone may use', () => {
    const rights = statements(stack.resources)
      .filter(({ resources, effect }) => effect === 'Allow' && resources.includes('${KeysVolumes.Arn}'))
      .map(({ holder, actions, conditions }) => ({
        holder: holder.replace(/(Role)?DefaultPolicy$/, ''),
        actions,
        conditions,
      }));
    for (const { actions, conditions, holder } of rights.filter(({ actions }) => actions.includes('kms:CreateGrant'))) {
      assert.deepEqual(
        [actions, conditions],
        [['kms:CreateGrant'], { Bool: { 'kms:GrantIsForAWSResource': ['true'] } }],
        holder,
      );
    }
    const who = (action: string) =>
      [...new Set(rights.filter(({ actions }) => actions.includes(action)).map(({ holder }) => holder))].sort();
    const makers = [
      'OnDataArrival',
      'OnEndpointStatus',
      'OnModelPackage',
      'OnPipelineStatus',
      'OnSchedule',
      'SageMakerPipeline',
      'Sweep',
    ];
    assert.deepEqual(who('kms:CreateGrant'), [...makers, 'SageMakerJob'].sort());
    assert.deepEqual(who('kms:Decrypt'), ['SageMakerJob']);
  });
});
