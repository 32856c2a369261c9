import type { CfnDomain } from 'aws-cdk-lib/aws-sagemaker';
import type { AppSettings, Domain, ScriptKey, SpaceSettings, SpaceStorageSettings } from './config/domain';
import type { LifecycleConfigs } from './lifecycle-configs';
import type { Values } from './values';

export interface SettingsProps {
  readonly domain: Domain;
  readonly values: Values;
  readonly executionRoleArn: string;
  readonly securityGroupId: string;
  readonly keyArn: string;
  readonly bucketName: string;
  readonly lifecycleConfigs: LifecycleConfigs;
}

/** The settings that have a script, by the script's key. */
const SCRIPTED: Readonly<Record<ScriptKey, string>> = {
  jupyter: 'jupyterServerAppSettings',
  jupyterLab: 'jupyterLabAppSettings',
  codeEditor: 'codeEditorAppSettings',
  kernel: 'kernelGatewayAppSettings',
};

/** What applies to every user of the domain: what the file says, with role, groups, sharing and scripts of the stack. */
export function userSettings(props: SettingsProps): CfnDomain.UserSettingsProperty {
  const { domain, values } = props;
  const given = values.all(domain.defaultUserSettings);
  return {
    sharingSettings: {
      notebookOutputOption: 'Allowed',
      s3KmsKeyId: props.keyArn,
      s3OutputPath: `s3://${props.bucketName}/${domain.notebookSharingPrefix}/`,
    },
    ...(given as object),
    ...withScripts(given as Settings, props.lifecycleConfigs),
    executionRole: props.executionRoleArn,
    securityGroups: [props.securityGroupId, ...(given.securityGroups ?? [])],
  } as CfnDomain.UserSettingsProperty;
}

/** The sizes of a space's disk in GiB where the file says none: nobody takes more than this. */
const SPACE_STORAGE: SpaceStorageSettings = {
  defaultEbsStorageSettings: { defaultEbsVolumeSizeInGb: 5, maximumEbsVolumeSizeInGb: 100 },
};

/** What applies to shared spaces: what the file says of them, else what it says of users; with the scripts of the stack. */
export function spaceSettings(props: SettingsProps): CfnDomain.DefaultSpaceSettingsProperty {
  const { defaultUserSettings: users, defaultSpaceSettings: spaces } = props.domain;
  const given: SpaceSettings = props.values.all({
    jupyterLabAppSettings: users.jupyterLabAppSettings,
    jupyterServerAppSettings: users.jupyterServerAppSettings,
    kernelGatewayAppSettings: users.kernelGatewayAppSettings,
    securityGroups: users.securityGroups,
    spaceStorageSettings: users.spaceStorageSettings ?? SPACE_STORAGE,
    ...spaces,
  });
  // Spaces have no settings of Code Editor.
  const { codeEditorAppSettings: _, ...scripted } = withScripts(given as Settings, props.lifecycleConfigs);
  return {
    ...(given as object),
    ...scripted,
    executionRole: props.executionRoleArn,
    securityGroups: [props.securityGroupId, ...(given.securityGroups ?? [])],
  };
}

type Settings = Readonly<Record<string, AppSettings | undefined>>;

/** A script of the file is the default of its applications, beside the configurations that the file names. */
function withScripts(given: Settings, configs: LifecycleConfigs): Record<string, AppSettings> {
  const changed: Record<string, AppSettings> = {};
  for (const [script, key] of Object.entries(SCRIPTED)) {
    const arn = configs.arn(script as ScriptKey);
    if (arn === undefined) continue;
    const settings = given[key] ?? {};
    changed[key] = {
      ...settings,
      defaultResourceSpec: { ...settings.defaultResourceSpec, lifecycleConfigArn: arn },
      lifecycleConfigArns: [...(settings.lifecycleConfigArns ?? []), arn],
    };
  }
  return changed;
}
