/**
 * Who calls AWS from inside the VPC. `access` is the function that lets people into Studio, `access-by-aws` the same where
 * AWS verifies assertions for it, `people` are browsers of those who enter through a private API.
 */
export type Caller = 'functions' | 'studio' | 'access' | 'access-by-aws' | 'people';

/** A service that has an interface endpoint, and why. */
export interface CalledService {
  /** As endpoints call it: `com.amazonaws.<region>.<service>`, or with another beginning. */
  readonly service: string;
  readonly beginning?: string;
  readonly callers: readonly Caller[];
  readonly because: string;
  /**
   * Whom its endpoint admits. Absent: principals of this account, to resources of it. `images`: these, to pull images of
   * others too, such as AWS's own. `profiles`: browsers, which sign nothing, to user profiles of this account. `access`:
   * browsers, to the stage of this account's APIs that lets people into Studio. `assertions`: whoever has one, to roles of this account.
   */
  readonly admits?: 'images' | 'profiles' | 'access' | 'assertions';
}

/**
 * Every service that is called from inside, and by whom. S3 and DynamoDB have gateway endpoints, which cost nothing.
 *
 * Not in the list, because nothing inside calls them: KMS (S3, DynamoDB and SNS call it themselves), SQS and CloudWatch
 * Logs for the functions (Lambda stores failed events and logs), EFS (mounted through its own interfaces), and whatever
 * jobs need beside S3 (SageMaker pulls their images and ships their logs from its own side). What scripts of yours call
 * beside these is named by the context key `alsoCalled`.
 *
 * Studio's part: https://docs.aws.amazon.com/sagemaker/latest/dg/studio-notebooks-and-internet-access.html
 */
export const CALLED: readonly CalledService[] = [
  {
    service: 'sagemaker.api',
    callers: ['functions', 'studio', 'access'],
    because: 'pipelines, executions, models, endpoints; notebooks start jobs; profiles and URLs of those who enter',
  },
  { service: 'scheduler', callers: ['functions'], because: 'a run has itself woken at a time' },
  { service: 'sns', callers: ['functions'], because: 'alerts' },
  { service: 'sagemaker.runtime', callers: ['studio'], because: 'notebooks ask endpoints' },
  {
    service: 'studio',
    beginning: 'aws.sagemaker',
    callers: ['studio', 'people'],
    because: "Studio's pages, and presigned URLs that open from inside only",
    admits: 'profiles',
  },
  { service: 'logs', callers: ['studio'], because: 'apps write their logs, notebooks read those of jobs' },
  {
    service: 'sts',
    callers: ['studio', 'access-by-aws'],
    because: 'SDKs ask who they are; assertions are verified where AWS does it',
    admits: 'assertions',
  },
  {
    service: 'execute-api',
    callers: ['people'],
    because: 'the private API that lets people into Studio',
    admits: 'access',
  },
  { service: 'ecr.api', callers: ['studio'], because: 'custom images of apps', admits: 'images' },
  { service: 'ecr.dkr', callers: ['studio'], because: 'custom images of apps', admits: 'images' },
];

/** The services that these callers call, with those that the user adds, in a stable order. */
export function calledBy(callers: ReadonlySet<Caller>, also: readonly string[]): CalledService[] {
  const known = CALLED.filter((service) => service.callers.some((caller) => callers.has(caller)));
  const added = also
    .filter((name) => !known.some(({ service }) => service === name))
    .map((name) => {
      const listed = CALLED.find(({ service }) => service === name);
      return listed ?? { service: name, callers: [], because: 'named by `alsoCalled`' };
    });
  return [...known, ...added];
}
