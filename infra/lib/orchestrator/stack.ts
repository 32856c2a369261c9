import { ArnFormat, CfnOutput, Duration, Fn, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { removalPolicy as policyOf } from '../config';
import type { Config } from '../config';
import type { Ground } from '../network/stack';
import { deadLetterQueue } from '../shared/dead-letters';
import { HandlerFunction } from '../shared/handler-function';
import type { StorageStack } from '../storage/stack';
import { Alarms } from './alarms';
import { Alerts } from './alerts';
import { Dashboard } from './dashboard';
import { Ledger } from './ledger';
import { Permissions, scheduleGroupArn } from './permissions';
import { type JobSettings, PipelineFromFolder, pipelineId, settingsResource } from './pipeline-resource';
import { SageMakerRoles, scheduleRole } from './roles';
import { ENDPOINT_STATUS, EventRule, MODEL_PACKAGE, PIPELINE_STATUS, dataArrival } from './rules';
import { Seed } from './seed';
import { Sweeper } from './sweeper';

/** The function that schedules fire. */
const ON_SCHEDULE = 'on-schedule';

export interface OrchestratorStackProps extends StackProps {
  readonly config: Config;
  readonly storage: StorageStack;
  /** Where jobs run and, by a switch, the functions; absent: in no VPC of the account's. */
  readonly ground?: Ground;
}

/** The orchestrator: events in, functions, ledger, alerts. */
export class OrchestratorStack extends Stack {
  constructor(scope: Construct, id: string, props: OrchestratorStackProps) {
    super(scope, id, props);
    const { config, storage, ground } = props;
    const { prefix } = config;
    const removalPolicy = policyOf(config);
    const { data: bucket, dataKey, logsKey, volumesKey } = storage;

    // What is kept here; the rest is in the storage stack.
    const { table } = new Ledger(this, 'Ledger', {
      tableName: prefix,
      key: dataKey,
      removalPolicy,
      deletionProtection: config.retain,
    });
    const { topic } = new Alerts(this, 'Alerts', {
      prefix,
      key: dataKey,
      email: config.alertEmail,
      endpoint: config.alertEndpoint,
    });

    // Schedules come and go with pipelines and runs, through the API; the group goes with the stack and takes them along.
    const scheduleGroup = prefix;
    new scheduler.CfnScheduleGroup(this, 'Schedules', { name: scheduleGroup });
    const scheduleUndelivered = deadLetterQueue(this, 'ScheduleUndelivered', `${prefix}-schedule-undelivered`);
    // By its name: the functions that make schedules know it, and it is one of them.
    const scheduleFunctionArn = this.formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: `${prefix}-${ON_SCHEDULE}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const firing = scheduleRole(this, 'ScheduleRole', {
      groupArn: scheduleGroupArn(this, scheduleGroup),
      functionArn: scheduleFunctionArn,
      deadLetters: scheduleUndelivered,
      description: 'Taken by EventBridge Scheduler to fire schedules of pipelines and runs',
    });

    // What acts.
    const roles = new SageMakerRoles(this, 'SageMaker', { bucket, dataKey, volumesKey, place: ground });
    const permissions = new Permissions({
      stack: this,
      table,
      bucket,
      key: dataKey,
      volumesKey,
      topic,
      jobRole: roles.job,
      pipelineRole: roles.pipeline,
      scheduleGroup,
      scheduleRole: firing,
    });
    const environment = {
      TIDEGATE_TABLE: table.tableName,
      TIDEGATE_BUCKET: bucket.bucketName,
      TIDEGATE_TOPIC_ARN: topic.topicArn,
      TIDEGATE_JOB_ROLE_ARN: roles.job.roleArn,
      TIDEGATE_SCHEDULE_DLQ_ARN: scheduleUndelivered.queueArn,
      TIDEGATE_SCHEDULE_FUNCTION_ARN: scheduleFunctionArn,
      TIDEGATE_SCHEDULE_GROUP: scheduleGroup,
      TIDEGATE_SCHEDULE_ROLE_ARN: firing.roleArn,
      TIDEGATE_VOLUME_KEY_ARN: volumesKey.keyArn,
      ...(ground && {
        TIDEGATE_JOB_SUBNETS: commas(ground.subnets.map(({ subnetId }) => subnetId)),
        TIDEGATE_JOB_SECURITY_GROUPS: ground.jobs.securityGroupId,
      }),
    };
    const followsRuns = { TIDEGATE_SILENCE_SECONDS: String(config.silence) };
    const handler = (
      construct: string,
      binary: string,
      description: string,
      own: { permissions?: iam.PolicyStatement[]; environment?: Record<string, string>; timeout?: Duration } = {},
    ) =>
      new HandlerFunction(this, construct, {
        prefix,
        binary,
        binaries: config.binaries,
        description,
        timeout: own.timeout,
        environment: { ...environment, ...(own.environment ?? followsRuns) },
        permissions: [...permissions.ledger(), ...(own.permissions ?? permissions.effects())],
        logsKey,
        removalPolicy,
        place: config.functionsInVpc ? ground : undefined,
      });

    const seesVersions = { permissions: [...permissions.effects(), ...permissions.listVersions()] };
    const onDataArrival = handler(
      'OnDataArrival',
      'on-data-arrival',
      'Starts runs for objects that arrive under raw/',
      seesVersions,
    );
    const onSchedule = handler('OnSchedule', ON_SCHEDULE, 'Acts when a schedule fires', seesVersions);
    const onPipelineStatus = handler(
      'OnPipelineStatus',
      'on-pipeline-status',
      'Follows executions, gates and deploys',
      seesVersions,
    );
    const onEndpointStatus = handler('OnEndpointStatus', 'on-endpoint-status', 'Follows deployments to endpoints');
    const onModelPackage = handler('OnModelPackage', 'on-model-package', 'Deploys models that a person approved');
    const sweep = handler('Sweep', 'sweep', 'Brings to an end what events did not', {
      permissions: [...permissions.effects(), ...permissions.listVersions(), ...permissions.lookAtSchedules()],
      timeout: Duration.minutes(5),
    });
    const pipelineResource = handler('PipelineResource', 'pipeline-resource', 'Deploys pipelines for CloudFormation', {
      permissions: permissions.pipelineResource(),
      timeout: Duration.seconds(300),
      environment: {
        TIDEGATE_PIPELINE_ROLE_ARN: roles.pipeline.roleArn,
      },
    });

    // What wakes it.
    const rules = {
      'on-data-arrival': new EventRule(this, 'DataArrival', {
        ruleName: `${prefix}-on-data-arrival`,
        description: 'A new object under raw/ of the data bucket',
        pattern: dataArrival(bucket),
        target: onDataArrival.function,
      }),
      'on-pipeline-status': new EventRule(this, 'PipelineStatus', {
        ruleName: `${prefix}-on-pipeline-status`,
        description: 'A pipeline execution or one of its steps changed its status',
        pattern: PIPELINE_STATUS,
        target: onPipelineStatus.function,
      }),
      'on-endpoint-status': new EventRule(this, 'EndpointStatus', {
        ruleName: `${prefix}-on-endpoint-status`,
        description: 'An endpoint or a deployment to it changed its state',
        pattern: ENDPOINT_STATUS,
        target: onEndpointStatus.function,
      }),
      'on-model-package': new EventRule(this, 'ModelPackage', {
        ruleName: `${prefix}-on-model-package`,
        description: 'A model package changed its state or approval',
        pattern: MODEL_PACKAGE,
        target: onModelPackage.function,
      }),
    };

    const sweeper = new Sweeper(this, 'Sweeper', {
      prefix,
      target: sweep.function,
      deadLetters: scheduleUndelivered,
    });

    // Who is told when it does not work.
    const alarms = new Alarms(this, 'Alarms', { prefix, topic });
    for (const [name, { rule, undelivered }] of Object.entries(rules)) {
      alarms.undelivered(name, undelivered);
      alarms.rule(name, rule);
    }
    alarms.undelivered('schedule', scheduleUndelivered);
    const handlers = {
      'on-data-arrival': onDataArrival,
      [ON_SCHEDULE]: onSchedule,
      'on-pipeline-status': onPipelineStatus,
      'on-endpoint-status': onEndpointStatus,
      'on-model-package': onModelPackage,
      sweep,
      'pipeline-resource': pipelineResource,
    };
    for (const [name, { failed, function: fn }] of Object.entries(handlers)) {
      alarms.failed(name, failed);
      alarms.function(name, fn);
    }
    alarms.silent('sweep', sweep.function, sweeper);
    new Dashboard(this, 'Dashboard', {
      prefix,
      functions: Object.values(handlers).map(({ function: fn }) => fn),
      deadLetters: [
        ...Object.values(handlers).map(({ failed }) => failed),
        ...Object.values(rules).map(({ undelivered }) => undelivered),
        scheduleUndelivered,
      ],
      table,
      alarms: alarms.all,
    });

    // What the command line and the pipelines need.
    const jobs: JobSettings = {
      DataKeyArn: dataKey.keyArn,
      VolumeKeyArn: volumesKey.keyArn,
      ...(ground && {
        JobSubnets: commas(ground.subnets.map(({ subnetId }) => subnetId)),
        JobSecurityGroups: ground.jobs.securityGroupId,
      }),
    };
    const settings = settingsResource(this, 'Settings', pipelineResource, {
      Bucket: bucket.bucketName,
      TopicArn: topic.topicArn,
      JobRoleArn: roles.job.roleArn,
      PipelineRoleArn: roles.pipeline.roleArn,
      ScheduleRoleArn: firing.roleArn,
      ScheduleFunctionArn: onSchedule.function.functionArn,
      ScheduleGroup: scheduleGroup,
      ScheduleDlqArn: scheduleUndelivered.queueArn,
      ...jobs,
    });
    const pipelines = config.pipelines.map(
      (folder) =>
        new PipelineFromFolder(this, pipelineId(folder), { handler: pipelineResource, folder, settings, jobs }),
    );
    if (config.seed !== undefined) {
      const seed = new Seed(this, 'Seed', { handler: pipelineResource, folder: config.seed, bucket });
      // It is to start their runs: they and what hears of new data come before it.
      seed.node.addDependency(...pipelines, settings, rules['on-data-arrival'], onDataArrival);
    }

    new CfnOutput(this, 'TableName', { value: table.tableName });
    new CfnOutput(this, 'TopicArn', { value: topic.topicArn });
    for (const [name, { function: fn }] of Object.entries(handlers)) {
      new CfnOutput(this, `Function${pascal(name)}`, { value: fn.functionName });
    }
  }
}

/** As the functions read a list. */
function commas(values: readonly string[]): string {
  return Fn.join(',', [...values]);
}

function pascal(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_match, _hyphen, letter: string) => letter.toUpperCase());
}
