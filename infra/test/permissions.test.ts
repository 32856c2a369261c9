import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statements, text } from './policies';
import { BINARIES, FOLLOWING, Synthesized } from './stack';

const stack = new Synthesized();
const all = statements(stack.resources);

const OWN = ['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage'];
const LEDGER = [
  'dynamodb:ConditionCheckItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];
const EFFECTS = [
  'iam:PassRole',
  'kms:CreateGrant',
  's3:AbortMultipartUpload',
  's3:GetObject',
  's3:GetObjectTagging',
  's3:GetObjectVersion',
  's3:GetObjectVersionTagging',
  's3:ListBucket',
  's3:PutObject',
  's3:PutObjectTagging',
  'sagemaker:AddTags',
  'sagemaker:CreateEndpoint',
  'sagemaker:CreateEndpointConfig',
  'sagemaker:CreateModel',
  'sagemaker:CreateModelPackage',
  'sagemaker:CreateModelPackageGroup',
  'sagemaker:DeleteEndpoint',
  'sagemaker:DescribeEndpoint',
  'sagemaker:DescribeEndpointConfig',
  'sagemaker:DescribeModel',
  'sagemaker:DescribeModelPackage',
  'sagemaker:DescribeModelPackageGroup',
  'sagemaker:DescribePipeline',
  'sagemaker:DescribePipelineExecution',
  'sagemaker:DescribeTrainingJob',
  'sagemaker:ListPipelineExecutionSteps',
  'sagemaker:ListPipelineParametersForExecution',
  'sagemaker:StartPipelineExecution',
  'sagemaker:StopPipelineExecution',
  'sagemaker:UpdateEndpoint',
  'scheduler:CreateSchedule',
  'sns:Publish',
];
const PIPELINE_RESOURCE = [
  'dynamodb:DeleteItem',
  'iam:PassRole',
  's3:AbortMultipartUpload',
  's3:GetObject',
  's3:ListBucket',
  's3:PutObject',
  'sagemaker:AddTags',
  'sagemaker:CreatePipeline',
  'sagemaker:DeleteEndpoint',
  'sagemaker:DeleteEndpointConfig',
  'sagemaker:DeleteModel',
  'sagemaker:DeletePipeline',
  'sagemaker:DescribePipeline',
  'sagemaker:ListEndpointConfigs',
  'sagemaker:ListModels',
  'sagemaker:ListPipelineExecutions',
  'sagemaker:StopPipelineExecution',
  'sagemaker:UpdatePipeline',
  'scheduler:CreateSchedule',
  'scheduler:CreateScheduleGroup',
  'scheduler:DeleteSchedule',
  'scheduler:GetSchedule',
  'scheduler:GetScheduleGroup',
  'scheduler:ListSchedules',
  'scheduler:UpdateSchedule',
];
const EXPECTED: Record<(typeof BINARIES)[number], string[]> = {
  'on-data-arrival': [...OWN, ...LEDGER, ...EFFECTS, 's3:ListBucketVersions'],
  'on-schedule': [...OWN, ...LEDGER, ...EFFECTS, 's3:ListBucketVersions'],
  'on-pipeline-status': [...OWN, ...LEDGER, ...EFFECTS, 's3:ListBucketVersions'],
  'on-endpoint-status': [...OWN, ...LEDGER, ...EFFECTS],
  'on-model-package': [...OWN, ...LEDGER, ...EFFECTS],
  sweep: [...OWN, ...LEDGER, ...EFFECTS, 's3:ListBucketVersions', 'scheduler:GetSchedule'],
  'pipeline-resource': [...OWN, ...LEDGER, ...PIPELINE_RESOURCE],
};

/** The construct of a function. */
function construct(binary: string): string {
  return binary.replace(/(^|-)([a-z])/g, (_match, _hyphen, letter: string) => letter.toUpperCase());
}

/** The logical id of the role of a function. */
function roleOf(binary: string): string {
  const [, fn] = stack
    .ofType('AWS::Lambda::Function')
    .find(([, { Properties }]) => Properties.FunctionName === `tidegate-${binary}`)!;
  return fn.Properties.Role['Fn::GetAtt'][0];
}

/** The policy documents of a role, which nothing else may share. */
function policiesOf(role: string) {
  return stack
    .ofType('AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some((r: any) => r.Ref === role));
}

describe('each function', () => {
  for (const binary of BINARIES) {
    it(`${binary} may do its own work and nothing else`, () => {
      const policies = policiesOf(roleOf(binary));
      const actions = new Set(statements(Object.fromEntries(policies)).flatMap((statement) => statement.actions));
      assert.deepEqual([...actions].sort(), [...new Set(EXPECTED[binary])].sort());
    });

    it(`${binary}'s policy stays within IAM's 10,240 characters for a role`, () => {
      const size = policiesOf(roleOf(binary)).reduce(
        (sum, [, { Properties }]) => sum + expanded(Properties.PolicyDocument),
        0,
      );
      assert.ok(size < 10_240, `${size} characters`);
    });
  }

  it('has a role of its own', () => {
    assert.equal(new Set(BINARIES.map(roleOf)).size, BINARIES.length);
  });

  it('has its permissions before it is made, so that its first event finds them', () => {
    for (const binary of BINARIES) {
      const [, fn] = stack
        .ofType('AWS::Lambda::Function')
        .find(([, { Properties }]) => Properties.FunctionName === `tidegate-${binary}`)!;
      const policies = policiesOf(roleOf(binary)).map(([id]) => id);
      assert.equal(policies.length, 1);
      assert.ok([fn.DependsOn].flat().includes(policies[0]!), binary);
    }
  });
});

/** An upper bound of a document's size, with account, region and names of their longest usual kind. */
function expanded(document: any): number {
  const filled = JSON.stringify(document, (_key, value) =>
    typeof value === 'object' && value !== null && ('Fn::Join' in value || 'Ref' in value || 'Fn::GetAtt' in value)
      ? text(value)
          .replaceAll('${AWS::Partition}', 'aws-us-gov')
          .replaceAll('${AWS::Region}', 'ap-southeast-2')
          .replaceAll('${AWS::AccountId}', '123456789012')
          .replace(
            /\$\{[^}]*\}/g,
            'arn:aws-us-gov:service:ap-southeast-2:123456789012:resource/tidegate-a-rather-long-name',
          )
      : value,
  );
  return filled.length;
}

describe('roles', () => {
  it('are handed on one by one, each to one service', () => {
    const passed = all
      .filter(({ actions }) => actions.some((action) => action.toLowerCase() === 'iam:passrole'))
      .map((s) => [s.holder.replace(/(Role)?DefaultPolicy$/, ''), s.actions, s.resources, s.conditions]);
    const to = (service: string) => ({ StringEquals: { 'iam:PassedToService': [service] } });
    const firing = [['iam:PassRole'], ['${ScheduleRole.Arn}'], to('scheduler.amazonaws.com')];
    const job = [['iam:PassRole'], ['${SageMakerJob.Arn}'], to('sagemaker.amazonaws.com')];
    assert.deepEqual(
      new Map(passed.map((p) => [`${p[0]} ${p[2]}`, p])),
      new Map([
        ['SageMakerPipeline ${SageMakerJob.Arn}', ['SageMakerPipeline', ...job]],
        ...FOLLOWING.map(construct).map((name) => [`${name} \${SageMakerJob.Arn}`, [name, ...job]] as const),
        [
          'PipelineResource ${SageMakerPipeline.Arn}',
          ['PipelineResource', ['iam:PassRole'], ['${SageMakerPipeline.Arn}'], to('sagemaker.amazonaws.com')],
        ],
        ...BINARIES.map(construct).map((name) => [`${name} \${ScheduleRole.Arn}`, [name, ...firing]] as const),
      ] as [string, any][]),
    );
  });

  it('are taken by services on behalf of this account only', () => {
    for (const trust of all.filter(
      ({ type, actions }) => type === 'AWS::IAM::Role' && actions.includes('sts:AssumeRole'),
    )) {
      assert.equal(trust.principals.length, 1, trust.holder);
      if (trust.principals[0] === 'Service:lambda.amazonaws.com') continue; // A function's role is set by who may make functions.
      assert.deepEqual(trust.conditions['StringEquals']!['aws:SourceAccount'], ['${AWS::AccountId}'], trust.holder);
      const source = { ...trust.conditions['ArnLike'], ...trust.conditions['StringEquals'] }['aws:SourceArn'];
      assert.equal(source?.length, 1, trust.holder);
    }
  });

  it('of the scheduler fire for one group each, and may invoke one function and fill one queue', () => {
    const here = '${AWS::Region}:${AWS::AccountId}';
    const roles = all
      .filter(({ principals }) => principals.includes('Service:scheduler.amazonaws.com'))
      .map(({ holder, conditions }) => [holder, conditions['StringEquals']!['aws:SourceArn']]);
    assert.deepEqual(Object.fromEntries(roles), {
      ScheduleRole: [`arn:\${AWS::Partition}:scheduler:${here}:schedule-group/tidegate`],
      SweeperRole: [`arn:\${AWS::Partition}:scheduler:${here}:schedule-group/tidegate-sweep`],
    });
    const rights = (role: string) =>
      all
        .filter(({ holder }) => holder === `${role}DefaultPolicy`)
        .map(({ actions, resources }) => [actions, resources]);
    const bury = [['sqs:SendMessage'], ['${ScheduleUndelivered.Arn}']];
    assert.deepEqual(rights('ScheduleRole'), [
      [['lambda:InvokeFunction'], [`arn:\${AWS::Partition}:lambda:${here}:function:tidegate-on-schedule`]],
      bury,
    ]);
    assert.deepEqual(rights('SweeperRole'), [[['lambda:InvokeFunction'], ['${SweepFunction.Arn}']], bury]);
  });

  it('of functions make schedules in the group of the pipelines only, not in that of the sweep', () => {
    for (const { actions, resources, holder } of all.filter(({ actions }) =>
      actions.some((action) => /^scheduler:(Create|Update|Delete)Schedule$/.test(action)),
    )) {
      assert.deepEqual(
        resources.map((arn) => arn.replace(/^.*:/, '')),
        ['schedule/tidegate/*'],
        `${holder}: ${actions}`,
      );
    }
  });

  it('of functions that follow runs look up what is due', () => {
    for (const binary of FOLLOWING) {
      const queried = all
        .filter(
          ({ holder, actions }) =>
            holder === `${construct(binary)}RoleDefaultPolicy` && actions.includes('dynamodb:Query'),
        )
        .flatMap(({ resources }) => resources);
      const table = '${LedgerTable.Arn}';
      assert.deepEqual(queried, [table, `${table}/index/by-due`, `${table}/index/by-time`], binary);
    }
  });

  it('carry no managed policies, which nobody here wrote', () => {
    for (const [id, { Properties }] of stack.ofType('AWS::IAM::Role'))
      assert.equal(Properties.ManagedPolicyArns, undefined, id);
    assert.deepEqual(stack.ofType('AWS::IAM::ManagedPolicy'), []);
  });
});

describe('services', () => {
  it('that use a key, topic, queue or bucket must name what they do it for', () => {
    const services = all.filter(
      ({ type, principals }) => type !== 'AWS::IAM::Role' && principals.some((p) => p.startsWith('Service:')),
    );
    assert.equal(services.length, 9); // Two keys' services, the topic's, the access logs' twice, and four rules' queues.
    for (const { holder, conditions } of services) {
      const keys = Object.values(conditions).flatMap((c) => Object.keys(c));
      assert.ok(keys.includes('aws:SourceArn') || keys.includes('kms:EncryptionContext:aws:logs:arn'), holder);
    }
  });

  it('invoke a function only from its own rule', () => {
    const permissions = stack.ofType('AWS::Lambda::Permission').map(([, { Properties }]) => Properties);
    assert.equal(permissions.length, 4);
    for (const permission of permissions) {
      assert.equal(permission.Principal, 'events.amazonaws.com');
      assert.match(text(permission.SourceArn), /Rule\.Arn\}$/);
    }
  });
});
