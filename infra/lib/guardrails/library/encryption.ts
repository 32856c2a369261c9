import { CUSTOMISATION, JOBS, MONITORING_DEFINITIONS, MONITORING_SCHEDULES } from './actions';
import { type Statement, deny, missing } from './statement';

/*
 * AWS replaced `sagemaker:VolumeKmsKey`, `OutputKmsKey` and `DomainSharingOutputKmsKey` by the same names with `Arn`;
 * the old ones are deprecated, and no action knows them any more
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html).
 */
const VOLUME = 'sagemaker:VolumeKmsKeyArn';
const OUTPUT = 'sagemaker:OutputKmsKeyArn';
const SHARING = 'sagemaker:DomainSharingOutputKmsKeyArn';

/**
 * Denies endpoint configurations that name no key for their volumes.
 *
 * Limits: instance types with local NVMe disks (`ml.g5`, `ml.m5d`, …) take no key, and serverless variants have no
 * volume: both are denied with it.
 */
export function endpointEncryption(): Statement[] {
  return [deny('EndpointVolumeKey', ['CreateEndpointConfig'], missing(VOLUME))];
}

/**
 * Denies monitoring schedules that name no key for their volumes, or none for their output.
 *
 * Limit: a schedule that names a job definition carries no key itself and is denied; leave this one out where
 * definitions are used, which `monitoringDefinitionEncryption` binds. Captured data have no condition key at all.
 */
export function monitoringScheduleEncryption(): Statement[] {
  return both('Schedule', MONITORING_SCHEDULES);
}

/** Denies monitoring job definitions that name no key for their volumes, or none for their output. */
export function monitoringDefinitionEncryption(): Statement[] {
  return both('Definition', MONITORING_DEFINITIONS);
}

/** Denies notebook instances that name no key for their volume. It can never be set later. */
export function notebookInstanceEncryption(): Statement[] {
  return [deny('NotebookInstanceVolumeKey', ['CreateNotebookInstance'], missing(VOLUME))];
}

/**
 * Denies training, processing, transform, tuning and AutoML jobs that name no key for volumes, or none for output; and
 * labelling and customisation jobs without one for output.
 *
 * Limit: a labelling job has volumes only where it labels by a model, which a policy cannot tell; they are not bound.
 */
export function jobEncryption(): Statement[] {
  return both('Job', JOBS, [CUSTOMISATION, 'CreateLabelingJob']);
}

/** Denies domains that name no key for their file system. It can never be set later. */
export function domainEncryption(): Statement[] {
  return [deny('DomainVolumeKey', ['CreateDomain'], missing(VOLUME))];
}

/** Denies new domains that name no key for shared notebooks. A domain that shares none must name one all the same. */
export function sharingEncryption(): Statement[] {
  return [deny('DomainSharingKey', ['CreateDomain'], missing(SHARING))];
}

/**
 * Denies updates of a domain that do not repeat the key for shared notebooks.
 *
 * A request without the key may leave sharing as it is, or may set sharing anew without a key: the policy cannot tell,
 * so it denies both. CloudFormation always sends the whole settings, and passes; by hand, repeat `SharingSettings`.
 * Who cannot live with that leaves this one out, and keeps `sharingEncryption`.
 *
 * Limit: sharing settings of a single user profile overrule the domain's, and are absent from most profiles.
 */
export function sharingEncryptionOnUpdate(): Statement[] {
  return [deny('DomainSharingKeyOnUpdate', ['UpdateDomain'], missing(SHARING))];
}

/** Two statements: in one, a request with either key would pass. */
function both(subject: string, actions: readonly string[], outputOnly: readonly string[] = []): Statement[] {
  return [
    deny(`${subject}VolumeKey`, actions, missing(VOLUME)),
    deny(`${subject}OutputKey`, [...actions, ...outputOnly], missing(OUTPUT)),
  ];
}
