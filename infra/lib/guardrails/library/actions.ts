/** The actions that several guardrails speak of. Which condition keys each knows is in the Service Authorization Reference. */

/** Jobs that work on data. */
export const JOBS = [
  'CreateTrainingJob',
  'CreateProcessingJob',
  'CreateTransformJob',
  'CreateHyperParameterTuningJob',
  'CreateAutoMLJob',
  'CreateAutoMLJobV2',
] as const;

/** Jobs that customise models. No condition key speaks of their instances, volumes or traffic. */
export const CUSTOMISATION = 'CreateJob';

/** What describes the jobs of Model Monitor, which a schedule then names. */
export const MONITORING_DEFINITIONS = [
  'CreateDataQualityJobDefinition',
  'CreateModelQualityJobDefinition',
  'CreateModelBiasJobDefinition',
  'CreateModelExplainabilityJobDefinition',
] as const;

export const MONITORING_SCHEDULES = ['CreateMonitoringSchedule', 'UpdateMonitoringSchedule'] as const;

/** Where an app's instance type and image come from: the app itself, or the defaults above it. */
export const APP_SETTINGS = [
  'CreateApp',
  'CreateSpace',
  'UpdateSpace',
  'CreateUserProfile',
  'UpdateUserProfile',
  'CreateDomain',
  'UpdateDomain',
] as const;

/** What opens a profile of Studio, or a tunnel into a space of it. */
export const OPEN_STUDIO = ['CreatePresignedDomainUrl', 'StartSession'] as const;

/** What opens Studio, a notebook instance, or a tunnel into a space. */
export const OPEN = ['CreatePresignedDomainUrl', 'CreatePresignedNotebookInstanceUrl', 'StartSession'] as const;
