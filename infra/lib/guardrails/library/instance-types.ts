import { APP_SETTINGS, JOBS, MONITORING_DEFINITIONS, MONITORING_SCHEDULES } from './actions';
import { type Statement, anyUnapproved, deny, missing } from './statement';

const TYPES = 'sagemaker:InstanceTypes';

/**
 * Denies apps, spaces and notebook instances on other instance types, and defaults that name one.
 *
 * An app that names none takes the default of its profile or domain, and these are bound too; it is therefore not
 * denied. `system`, the type of the Jupyter server, must be among the types.
 */
export function notebookInstanceTypes(types: readonly string[]): Statement[] {
  const actions = [...APP_SETTINGS, 'CreateNotebookInstance', 'UpdateNotebookInstance'];
  return [deny('NotebookInstanceTypes', actions, anyUnapproved(TYPES, types))];
}

/**
 * Denies jobs on other instance types, and jobs that name none (which would run on what the service chooses).
 *
 * Limits: AutoML jobs have no such key; HyperPod clusters and training plans are bought elsewhere.
 */
export function jobInstanceTypes(types: readonly string[]): Statement[] {
  const jobs = JOBS.filter((action) => !action.startsWith('CreateAutoML'));
  return [
    deny(
      'JobInstanceTypes',
      // An update may give rules of the profiler instances of their own.
      [...jobs, 'UpdateTrainingJob', ...MONITORING_SCHEDULES, ...MONITORING_DEFINITIONS],
      anyUnapproved(TYPES, types),
    ),
    // Not tuning, whose types may be those of several definitions; not schedules, which may name a definition.
    deny('JobInstanceTypeNamed', ['CreateTrainingJob', 'CreateProcessingJob', 'CreateTransformJob'], missing(TYPES)),
  ];
}

/**
 * Denies endpoint configurations with a variant on another instance type.
 *
 * Limit: a serverless variant has no instance type, and is not denied.
 */
export function endpointInstanceTypes(types: readonly string[]): Statement[] {
  return [deny('EndpointInstanceTypes', ['CreateEndpointConfig'], anyUnapproved(TYPES, types))];
}
