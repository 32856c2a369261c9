import { Aws, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';
import type { IDependable } from 'constructs';
import type { HomeBackup } from './backup';
import type { Departure, Domain } from './config/domain';

/**
 * Served by the function `studio-resource` (handlers/src/studio/cleanup): deletes applications, spaces and the profiles that
 * are not in `OwnProfiles` when the stack is deleted, and nothing at any other time.
 *
 * Properties: `DomainArn`; `OwnProfiles`, a list; with home folders that go, `HomeFileSystemArn`; with a final backup,
 * `FinalBackup` with `VaultName` and `RoleArn`.
 */
export const CONTENTS_TYPE = 'Custom::TidegateStudioContents';

/** Served likewise: deletes what the other has marked to go with the stack, once the domain is gone. No properties. */
export const HOMES_TYPE = 'Custom::TidegateStudioHomes';

/** The tag that SageMaker puts on a domain's file system and on its two groups: the domain's ARN. */
const MANAGED_BY = 'ManagedByAmazonSageMakerResource';

/** The tags that the function puts (handlers/src/studio/cleanup/names.rs). */
const DEPARTS_WITH = 'TidegateDepartsWith';
const FINAL_BACKUP = 'TidegateFinalBackup';

export interface CleanupProps {
  readonly domain: Domain;
  readonly departure: Departure;
  readonly resource: sagemaker.CfnDomain;
  /** What CloudFormation deletes of the domain's contents by itself, which goes after the rest of them. */
  readonly profiles: IDependable;
  /** Absent: there is no vault. */
  readonly backup?: HomeBackup;
  /** The VPC of the domain. */
  readonly vpcId: string;
  readonly retain: boolean;
  /** The function `studio-resource`. */
  readonly handler: lambda.IFunction;
}

/** How long the function may run: as long as Lambda lets it, where there is something to wait for. */
export function handlerTimeout(domain: Domain): Duration | undefined {
  return domain.departure && Duration.minutes(15);
}

/** Takes with the domain what CloudFormation and SageMaker would leave, when the stack is deleted. */
export class Cleanup extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: CleanupProps,
  ) {
    super(scope, id);
    const { domain, departure, resource, profiles, backup } = props;
    if (props.retain) {
      throw new Error(
        `${domain.file}: \`domain.departure\` deletes what is in the domain together with its stack, and context \`retain\` keeps the domain: remove one of them`,
      );
    }
    const all = departure.homes === 'delete';
    const vault = departure.finalBackup ? backup : undefined;

    if (all) {
      // Deleted after the domain; so nothing of this may know the domain.
      const policy = this.policy('HomesPolicy', this.homesStatements());
      const homes = this.custom('Homes', HOMES_TYPE, {});
      homes.node.addDependency(policy);
      resource.node.addDependency(homes);
    }
    const policy = this.policy('ContentsPolicy', [
      ...this.contentsStatements(),
      ...(all ? this.markStatements() : []),
      ...(vault ? this.backupStatements(vault) : []),
    ]);
    const contents = this.custom('Contents', CONTENTS_TYPE, {
      DomainArn: resource.attrDomainArn,
      OwnProfiles: domain.profiles.map(({ name }) => name),
      ...(all && { HomeFileSystemArn: this.homeFileSystem() }),
      ...(vault && { FinalBackup: { VaultName: vault.vaultName, RoleArn: vault.roleArn } }),
    });
    // Deleted before all of these.
    contents.node.addDependency(policy, profiles, ...(backup ? [backup] : []));
  }

  private custom(id: string, resourceType: string, properties: Record<string, unknown>): CustomResource {
    return new CustomResource(this, id, {
      resourceType,
      serviceToken: this.props.handler.functionArn,
      // The function answers before its own time is up; were it killed, Lambda would start it twice more.
      serviceTimeout: Duration.hours(1),
      properties,
    });
  }

  private policy(id: string, statements: iam.PolicyStatement[]): iam.Policy {
    const { role } = this.props.handler;
    if (role === undefined) throw new Error('the function `studio-resource` has no role');
    return new iam.Policy(this, id, { roles: [role], statements });
  }

  private arn(service: string, resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service, resource, resourceName });
  }

  private homeFileSystem(): string {
    return this.arn('elasticfilesystem', 'file-system', this.props.resource.attrHomeEfsFileSystemId);
  }

  /** CloudFormation also deletes the resources when only they go: then nothing of the domain may. */
  private ofTheStack(): iam.PolicyStatement {
    return new iam.PolicyStatement({
      sid: 'WhetherTheStackGoes',
      actions: ['cloudformation:DescribeStacks'],
      resources: [Aws.STACK_ID],
    });
  }

  private contentsStatements(): iam.PolicyStatement[] {
    const { attrDomainId } = this.props.resource;
    const all = (resource: string) => this.arn('sagemaker', resource, `${attrDomainId}/*`);
    return [
      this.ofTheStack(),
      new iam.PolicyStatement({
        sid: 'SeeWhatIsInTheDomain',
        actions: ['sagemaker:ListApps', 'sagemaker:ListDomains', 'sagemaker:ListSpaces', 'sagemaker:ListUserProfiles'],
        resources: ['*'],
      }),
      new iam.PolicyStatement({ actions: ['sagemaker:DeleteApp'], resources: [all('app')] }),
      new iam.PolicyStatement({ actions: ['sagemaker:DeleteSpace'], resources: [all('space')] }),
      new iam.PolicyStatement({ actions: ['sagemaker:DeleteUserProfile'], resources: [all('user-profile')] }),
    ];
  }

  /** To say what goes with the stack: only what SageMaker says is this domain's. */
  private markStatements(): iam.PolicyStatement[] {
    const { attrDomainArn } = this.props.resource;
    const of = { [`aws:ResourceTag/${MANAGED_BY}`]: attrDomainArn };
    const only = (tag: string) => ({ 'ForAllValues:StringEquals': { 'aws:TagKeys': [tag] } });
    const departs = { ...of, [`aws:RequestTag/${DEPARTS_WITH}`]: Aws.STACK_ID };
    return [
      seeTheGround(),
      new iam.PolicyStatement({
        sid: 'MarkTheHomeFolders',
        actions: ['elasticfilesystem:TagResource'],
        resources: [this.homeFileSystem()],
        conditions: { StringEquals: departs, ...only(DEPARTS_WITH) },
      }),
      new iam.PolicyStatement({
        sid: 'MarkTheGroups',
        actions: ['ec2:CreateTags'],
        resources: [this.arn('ec2', 'security-group', '*')],
        conditions: { StringEquals: departs, ...only(DEPARTS_WITH) },
      }),
      ...(this.props.departure.finalBackup
        ? [
            new iam.PolicyStatement({
              sid: 'NoteTheFinalBackup',
              actions: ['elasticfilesystem:TagResource'],
              resources: [this.homeFileSystem()],
              conditions: { StringEquals: of, ...only(FINAL_BACKUP) },
            }),
          ]
        : []),
    ];
  }

  private backupStatements(backup: HomeBackup): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        sid: 'StartTheFinalBackup',
        actions: ['backup:StartBackupJob'],
        resources: [backup.vaultArn],
      }),
      new iam.PolicyStatement({
        sid: 'SeeTheFinalBackup',
        actions: ['backup:DescribeBackupJob'],
        resources: ['*'],
      }),
      new iam.PolicyStatement({
        sid: 'HandOnTheRoleOfBackups',
        actions: ['iam:PassRole'],
        resources: [backup.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'backup.amazonaws.com' } },
      }),
    ];
  }

  /** The domain is gone, and with it every name that could stand here: only what is marked may be touched. */
  private homesStatements(): iam.PolicyStatement[] {
    const marked = { StringEquals: { [`aws:ResourceTag/${DEPARTS_WITH}`]: Aws.STACK_ID } };
    return [
      this.ofTheStack(),
      seeTheGround(),
      new iam.PolicyStatement({
        sid: 'WhetherTheDomainIsGone',
        actions: ['sagemaker:ListDomains'],
        resources: ['*'],
      }),
      new iam.PolicyStatement({
        sid: 'DeleteTheHomeFolders',
        actions: [
          'elasticfilesystem:DeleteFileSystem',
          'elasticfilesystem:DeleteMountTarget',
          'elasticfilesystem:DescribeMountTargets',
        ],
        resources: [this.arn('elasticfilesystem', 'file-system', '*')],
        conditions: marked,
      }),
      new iam.PolicyStatement({
        sid: 'DeleteTheGroups',
        actions: ['ec2:DeleteSecurityGroup', 'ec2:RevokeSecurityGroupEgress', 'ec2:RevokeSecurityGroupIngress'],
        resources: [this.arn('ec2', 'security-group', '*')],
        conditions: marked,
      }),
      // By EFS's documentation DeleteMountTarget needs it of the caller.
      new iam.PolicyStatement({
        sid: 'DeleteInterfacesOfMountTargets',
        actions: ['ec2:DeleteNetworkInterface'],
        resources: [this.arn('ec2', 'network-interface', '*')],
        conditions: {
          Bool: { 'aws:ViaAWSService': 'true' },
          ArnEquals: { 'ec2:Vpc': this.arn('ec2', 'vpc', this.props.vpcId) },
        },
      }),
    ];
  }
}

/** Neither listing knows resources or can be bounded by tags. */
function seeTheGround(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'SeeFileSystemsAndGroups',
    actions: ['ec2:DescribeSecurityGroups', 'elasticfilesystem:DescribeFileSystems'],
    resources: ['*'],
  });
}
