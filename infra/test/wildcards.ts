/** Every wildcard that a policy may hold, and why no exact name can stand there. */
export const WILDCARDS: Record<string, string> = {
  // Keys.
  'Allow action kms:*': 'the account itself administers its keys; IAM policies then decide who uses them',
  'Deny principal AWS:*': 'nobody may come without TLS',
  'Deny principal *': 'nobody may come without TLS',
  'Deny action s3:*': 'nothing may be done without TLS',
  'Deny action sqs:*': 'nothing may be done without TLS',
  'Deny resource ${BucketData.Arn}/*': 'no object may be touched without TLS',
  'Deny resource ${BucketAccessLogs.Arn}/*': 'no object may be touched without TLS',
  'Allow condition arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:tidegate-*':
    'the alarms refer to the topic and its key, which can therefore name them by their prefix only',
  'Allow condition arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/tidegate-*':
    'the log groups refer to their key, which can therefore name them by their prefix only',

  // Objects: their names come with the data, the code and the runs.
  'Allow resource ${BucketAccessLogs.Arn}/data/*': 'S3 names the log objects',
  'Allow resource ${BucketData.Arn}/raw/*': 'data arrives under names that its owners choose',
  'Allow resource ${BucketData.Arn}/code/*': 'code lies under its content hash',
  'Allow resource ${BucketData.Arn}/runs/*': 'a run writes under its own id',

  // SageMaker: names come from pipeline.yaml files, after the stack.
  'Allow condition arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:*':
    'SageMaker takes the roles for pipelines, jobs, models and endpoints alike, of this account only',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/*':
    'named in pipeline.yaml',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/*/execution/*':
    'SageMaker makes the id of an execution',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:processing-job/pipelines-*':
    'SageMaker names the jobs of pipelines, always with this prefix',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:training-job/pipelines-*':
    'SageMaker names the jobs of pipelines, always with this prefix',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package-group/*':
    'a group is named after its pipeline',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package/*':
    'a package is its group and a version',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model/*':
    'a model is named after its endpoint and run',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint-config/*':
    'a configuration is named after its endpoint and run',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/*':
    'named in pipeline.yaml',

  // What a step needs beside data.
  'Allow resource arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*':
    'SageMaker chooses group and stream by kind of job and by job',
  'Allow condition /aws/sagemaker/*': 'SageMaker has a namespace for each kind of job',
  'Allow condition aws/sagemaker/*': 'SageMaker has a namespace for each kind of job',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*':
    'a pipeline.yaml may name any image of this account',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/autogluon-inference':
    'AWS keeps its images in an account of its own for each region',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/autogluon-training':
    'AWS keeps its images in an account of its own for each region',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/sagemaker-scikit-learn':
    'AWS keeps its images in an account of its own for each region',

  // Scheduler.
  'Allow resource arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/tidegate/*':
    "schedules are named in pipeline.yaml; the group is Tidegate's own",
};

/** Actions that may stand beside the resource `*`, and why. */
export const ANY_RESOURCE: Record<string, string> = {
  'cloudwatch:PutMetricData': 'knows no resources; a condition on the namespace bounds it',
  'ecr:GetAuthorizationToken': 'knows no resources',
  'sagemaker:ListEndpointConfigs': 'knows no resources; it shows names, and what is deleted is named one by one',
  'sagemaker:ListModels': 'knows no resources; it shows names, and what is deleted is named one by one',
  'scheduler:ListSchedules': 'knows no resources',
};
