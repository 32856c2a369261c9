import { SSM, arn, array, choice, object, text, whole } from '../../shared/yaml/schema-words';
import type { Schema } from '../../shared/yaml/schema-words';

const LIFECYCLE_ARN = arn('sagemaker', 'studio-lifecycle-config/', 'the ARN of a lifecycle configuration');
const LIFECYCLE_ARNS = array(LIFECYCLE_ARN, { maxItems: 30 });
const SWITCH = (description: string) => choice(['ENABLED', 'DISABLED'], description);

const RESOURCE_SPEC = object({
  instanceType: text('^(system|ml\\.[a-z0-9-]+\\.[a-z0-9]+)$', '`system` or an instance type as `ml.t3.medium`'),
  sageMakerImageArn: arn('sagemaker', 'image/', 'the ARN of an image'),
  sageMakerImageVersionArn: arn('sagemaker', 'image-version/', 'the ARN of a version of an image'),
  lifecycleConfigArn: LIFECYCLE_ARN,
});

const CUSTOM_IMAGES = array(
  object(
    {
      appImageConfigName: text('^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$', '1 to 63 letters, digits and hyphens'),
      imageName: text('^[a-zA-Z0-9]([-.]?[a-zA-Z0-9]){0,62}$', '1 to 63 letters, digits, dots and hyphens'),
      imageVersionNumber: whole(0, 2147483647, 'Absent: the latest.'),
    },
    { required: ['appImageConfigName', 'imageName'] },
  ),
  { maxItems: 200 },
);

const IDLE = object({
  idleSettings: object(
    {
      lifecycleManagement: SWITCH('Whether idle applications are shut down.'),
      idleTimeoutInMinutes: whole(60, 525600, 'Minutes of idleness after which an application is shut down.'),
      maxIdleTimeoutInMinutes: whole(60, 525600, 'The most that a user may choose.'),
      // SageMaker takes no less than 60; files that say less exist, and are read as 60 with a warning.
      minIdleTimeoutInMinutes: whole(1, 525600, 'The least that a user may choose; SageMaker takes no less than 60.'),
    },
    { description: 'min <= idle <= max.' },
  ),
});

const REPOSITORIES = array(
  object(
    {
      repositoryUrl: {
        ...text('^https://([.\\-_a-zA-Z0-9]+/?){3,1016}$', 'an https:// address of at most 256 characters'),
        maxLength: 256,
      },
    },
    { required: ['repositoryUrl'] },
  ),
  { maxItems: 30 },
);

const JUPYTER_SERVER = { defaultResourceSpec: RESOURCE_SPEC, lifecycleConfigArns: LIFECYCLE_ARNS };
const KERNEL = { customImages: CUSTOM_IMAGES, ...JUPYTER_SERVER };
const CODE_EDITOR = { appLifecycleManagement: IDLE, builtInLifecycleConfigArn: LIFECYCLE_ARN, ...KERNEL };
const JUPYTER_LAB = { codeRepositories: REPOSITORIES, ...CODE_EDITOR };

const SECURITY_GROUP = text(`^(${SSM}|sg-[-0-9a-zA-Z]+)$`, 'a security group, `sg-…`, or `ssm:/path`');

const STORAGE = object(
  {
    defaultEbsStorageSettings: object(
      {
        defaultEbsVolumeSizeInGb: whole(5, 16384, 'GiB that a new space has.'),
        maximumEbsVolumeSizeInGb: whole(5, 16384, 'The most GiB that a user may choose.'),
      },
      { required: ['defaultEbsVolumeSizeInGb', 'maximumEbsVolumeSizeInGb'] },
    ),
  },
  { description: 'Volumes of spaces.' },
);

const APP_TYPES = [
  'JupyterServer',
  'TensorBoard',
  'RStudioServerPro',
  'JupyterLab',
  'CodeEditor',
  'DetailedProfiler',
  'Canvas',
];
const ML_TOOLS = [
  'DataWrangler',
  'FeatureStore',
  'EmrClusters',
  'AutoMl',
  'Experiments',
  'Training',
  'ModelEvaluation',
  'Pipelines',
  'Models',
  'JumpStart',
  'InferenceRecommender',
  'Endpoints',
  'Projects',
  'InferenceOptimization',
  'HyperPodClusters',
  'Comet',
  'DeepchecksLLMEvaluation',
  'Fiddler',
  'LakeraGuard',
  'PerformanceEvaluation',
];

/** `defaultUserSettings`. */
export function settingsSchema(): Schema {
  return object(
    {
      jupyterServerAppSettings: object(JUPYTER_SERVER, { description: 'Studio Classic.' }),
      jupyterLabAppSettings: object(JUPYTER_LAB),
      codeEditorAppSettings: object(CODE_EDITOR, { description: "Tidegate's." }),
      kernelGatewayAppSettings: object(KERNEL, { description: 'Studio Classic.' }),
      rSessionAppSettings: object({ customImages: CUSTOM_IMAGES, defaultResourceSpec: RESOURCE_SPEC }),
      rStudioServerProAppSettings: object({
        accessStatus: SWITCH('Whether users may open RStudio.'),
        userGroup: choice(['Admin', 'User', 'R_STUDIO_ADMIN', 'R_STUDIO_USER'], 'The group of users in RStudio.'),
      }),
      // Five, of which the domain's own is one.
      securityGroups: array(SECURITY_GROUP, { maxItems: 4, description: "Groups beside the domain's own." }),
      sharingSettings: object({
        notebookOutputOption: choice(['Allowed', 'Disabled'], 'Whether shared notebooks hold their output.'),
        s3KmsKeyId: text(
          `^(${SSM}|(arn:([a-z0-9-]|\\{\\{(partition|region|account)\\}\\})+:kms:\\S+)|[0-9a-zA-Z/-]+)$`,
          'the ARN or id of a key, or `ssm:/path`',
        ),
        s3OutputPath: text('^(https|s3)://([^/]+)/?(.*)$', 's3://bucket/prefix'),
      }),
      spaceStorageSettings: STORAGE,
      defaultLandingUri: text('^(studio::.*|app:.+)$', '`studio::` (Studio) or `app:JupyterServer:` (Studio Classic)'),
      studioWebPortal: SWITCH('Whether users see Studio’s web portal.'),
      studioWebPortalSettings: object({
        hiddenAppTypes: array(choice(APP_TYPES, 'An application.'), { uniqueItems: true }),
        hiddenInstanceTypes: array(
          text('^(system|ml\\.[a-z0-9-]+\\.[a-z0-9]+)$', 'an instance type as `ml.t3.medium`'),
          {
            uniqueItems: true,
          },
        ),
        hiddenMlTools: array(choice(ML_TOOLS, 'A tool.'), { uniqueItems: true }),
      }),
    },
    { description: 'What applies to users who have nothing else set.' },
  );
}

/** `defaultSpaceSettings`. */
export function spaceSettingsSchema(): Schema {
  return object(
    {
      jupyterServerAppSettings: object(JUPYTER_SERVER),
      jupyterLabAppSettings: object(JUPYTER_LAB),
      kernelGatewayAppSettings: object(KERNEL),
      securityGroups: array(SECURITY_GROUP, { maxItems: 4 }),
      spaceStorageSettings: STORAGE,
    },
    { description: "Tidegate's. What applies to shared spaces." },
  );
}
