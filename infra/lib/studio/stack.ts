import { Annotations, Aws, CfnDeletionPolicy, CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import { removalPolicy } from '../config';
import type { Config } from '../config';
import { STUDIO_ACCESS_LOGS } from '../shared/access-logs';
import { HandlerFunction } from '../shared/handler-function';
import { Assets, assetRole } from './assets';
import { HomeBackup } from './backup';
import { Cleanup, handlerTimeout } from './cleanup';
import type { Domain } from './config/domain';
import { executionPolicy, executionRole } from './execution-role';
import { Guard } from './guard';
import { domainKey } from './key';
import { LifecycleConfigs } from './lifecycle-configs';
import { digest, short } from './names';
import { Parameters } from './parameters';
import { Profiles, openOwnProfile } from './profiles';
import { StudioSecurityGroup } from './security-group';
import { spaceSettings, userSettings } from './settings';
import { SharingBucket } from './sharing-bucket';
import { DOMAIN_TAG } from './tags';
import { Values } from './values';

export interface StudioStackProps extends StackProps {
  readonly config: Pick<Config, 'prefix' | 'retain' | 'emptyBuckets' | 'binaries'>;
  readonly domain: Domain;
  /** The key of log groups; its policy admits `/aws/lambda/<prefix>-*`. */
  readonly logsKey: kms.IKey;
  /** The bucket of access logs; its policy admits this account's logs under `STUDIO_ACCESS_LOGS`. */
  readonly accessLogs: s3.IBucket;
}

/** The stack of a domain. */
export function studioStackName(domain: Domain): string {
  return `TidegateStudio-${domain.name}`;
}

/** One Studio domain, with its key, groups, role, bucket, users, scripts and backups. */
export class StudioStack extends Stack {
  private readonly values: Values;

  constructor(scope: Construct, id: string, props: StudioStackProps) {
    super(scope, id, props);
    const { config, domain } = props;
    const values = (this.values = new Values(this));
    const kept = removalPolicy(config);
    const name = `${config.prefix}-${short(domain.name, 20)}`;
    for (const [index, warning] of domain.warnings.entries()) {
      Annotations.of(this).addWarningV2(`tidegate:studio-file-${index}`, warning);
    }

    for (const [tag, value] of Object.entries(domain.tags)) Tags.of(this).add(tag, value);
    Tags.of(this).add(DOMAIN_TAG, domain.name);

    // Who.
    const ownRole =
      domain.defaultExecutionRole === undefined ? executionRole(this, 'ExecutionRole', domain) : undefined;
    const executionRoleArn = ownRole?.roleArn ?? values.roleArn(domain.defaultExecutionRole ?? {});
    const admins = domain.dataAdminRoles.map((role) => values.roleArn(role));
    const deploymentRole = this.deploymentRole(domain);

    // Under which key, where, and behind what.
    const theirs = ownRole ? [] : [executionRoleArn];
    const given = domain.kmsKeyArn && values.text(domain.kmsKeyArn);
    const key = given
      ? kms.Key.fromKeyArn(this, 'Key', given)
      : // Home folders and backups outlive the stack, in a sandbox too; without the key nobody could read them.
        domainKey(this, 'Key', {
          alias: `${config.prefix}-studio-${domain.name}`,
          domain: domain.name,
          admins,
          users: [...theirs, ...(domain.assetDeploymentRole && deploymentRole ? [deploymentRole.roleArn] : [])],
          volumeUsers: theirs,
          removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        });
    const keyArn = given ?? key.keyArn;
    const bucket = this.bucket(props, { key, admins, executionRoleArn, deploymentRoleArn: deploymentRole?.roleArn });
    const vpcId = values.text(domain.vpcId);
    const subnetIds = values.subnets(domain);
    const securityGroupId = this.securityGroup(domain, vpcId);

    // Scripts that run when applications start.
    const assets =
      deploymentRole &&
      new Assets(this, 'Assets', {
        bucket,
        prefix: domain.assetPrefix,
        memoryLimit: domain.assetDeploymentMemoryLimitMB,
        role: deploymentRole,
        logGroupName: `/aws/lambda/${name}-studio-assets`,
        logsKey: props.logsKey,
        removalPolicy: kept,
      });
    const lifecycleConfigs = new LifecycleConfigs(this, 'Lifecycle', {
      domain,
      prefix: config.prefix,
      assets,
      removalPolicy: kept,
    });
    if (assets !== undefined && deploymentRole instanceof iam.Role) {
      const statements = assets.permissions(keyArn);
      assets.dependOn(new iam.Policy(this, 'AssetPolicy', { roles: [deploymentRole], statements }));
    }

    // The domain.
    const settings = {
      domain,
      values,
      executionRoleArn,
      securityGroupId,
      keyArn,
      bucketName: bucket.bucketName,
      lifecycleConfigs,
    };
    const resource = new sagemaker.CfnDomain(this, 'Domain', {
      domainName: domain.name,
      authMode: domain.authMode,
      appNetworkAccessType: 'VpcOnly',
      vpcId,
      subnetIds,
      kmsKeyId: keyArn,
      defaultUserSettings: userSettings(settings),
      defaultSpaceSettings: spaceSettings(settings),
      // Spaces and applications carry the tags of the domain and of the profile, so that conditions on tags hold for them.
      tagPropagation: 'ENABLED',
      domainSettings: { executionRoleIdentityConfig: domain.sourceIdentity ? 'USER_PROFILE_NAME' : 'DISABLED' },
    });
    // Whatever replaces the domain, the old one stays until somebody has looked.
    resource.applyRemovalPolicy(kept, { applyToUpdateReplacePolicy: false });
    resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    const { function: handler } = new HandlerFunction(this, 'StudioResource', {
      prefix: name,
      binary: 'studio-resource',
      binaries: config.binaries,
      description: `Refuses changes that would replace the Studio domain ${domain.name}`,
      timeout: handlerTimeout(domain),
      environment: {},
      permissions: [],
      logsKey: props.logsKey,
      removalPolicy: kept,
    });
    new Guard(this, 'Guard', { domain: resource, allowReplacement: domain.allowReplacement, handler });

    // What hangs on it.
    const domainId = resource.attrDomainId;
    const arns = lifecycleConfigs.arns();
    if (ownRole !== undefined) {
      executionPolicy(this, 'ExecutionPolicy', {
        domain,
        role: ownRole,
        domainId,
        keyArn,
        bucketArn: bucket.bucketArn,
        ownBucket: domain.domainBucketName === undefined,
        lifecycleConfigArns: arns.map(([, arn]) => arn),
      });
    }
    const profiles = new Profiles(this, 'Profiles', {
      domain,
      values,
      domainId,
      vpcId,
      securityGroupId,
      removalPolicy: kept,
    });
    const open = openOwnProfile(this, 'OpenOwnProfile', domainId);
    const { backup, departure } = domain;
    const homeBackup =
      backup &&
      new HomeBackup(this, 'Backup', {
        name: `${name}-home`,
        vaultName: `${name}-home-${digest(domain.kmsKeyArn ?? 'own key', 6)}`,
        backup,
        keyArn,
        domainArn: resource.attrDomainArn,
        fileSystemId: resource.attrHomeEfsFileSystemId,
        // A final backup is what the vault is kept for.
        removalPolicy: departure?.finalBackup ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : kept,
      });
    if (departure !== undefined) {
      const { retain } = config;
      new Cleanup(this, 'Departure', {
        ...{ domain, departure, resource, profiles, vpcId, retain, handler },
        backup: homeBackup,
      });
    }
    new Parameters(this, 'Parameters', {
      path: `/${config.prefix}/studio/${domain.name}`,
      values: {
        'domain-id': domainId,
        'vpc-id': vpcId,
        'subnet-ids': subnetIds,
        'security-group-id': securityGroupId,
        'bucket-name': bucket.bucketName,
        'execution-role-arn': executionRoleArn,
        'open-own-profile-policy-arn': open.managedPolicyArn,
        ...Object.fromEntries(arns.map(([app, arn]) => [`lifecycle-config-arn-${app}`, arn])),
      },
    });
    new CfnOutput(this, 'DomainId', { value: domainId });
    new CfnOutput(this, 'Url', { value: resource.attrUrl });
  }

  /** Who places assets; nobody, where there are none. */
  private deploymentRole(domain: Domain): iam.IRole | undefined {
    if (domain.scripts.every(({ assets }) => assets.length === 0)) return undefined;
    const given = domain.assetDeploymentRole;
    if (given === undefined) return assetRole(this, 'AssetRole', domain.name);
    return iam.Role.fromRoleArn(this, 'AssetRole', this.values.roleArn(given), { mutable: false });
  }

  private bucket(
    props: StudioStackProps,
    who: { key: kms.IKey; admins: string[]; executionRoleArn: string; deploymentRoleArn?: string },
  ): s3.IBucket {
    const { config, domain } = props;
    if (domain.domainBucketName !== undefined) {
      return s3.Bucket.fromBucketArn(this, 'Sharing', `arn:${Aws.PARTITION}:s3:::${domain.domainBucketName}`);
    }
    return new SharingBucket(this, 'Sharing', {
      ...who,
      assetPrefix: domain.assetPrefix,
      sharingPrefix: domain.notebookSharingPrefix,
      accessLogs: props.accessLogs,
      logPrefix: `${STUDIO_ACCESS_LOGS}${domain.name}/`,
      removalPolicy: removalPolicy(config),
      emptyBuckets: config.emptyBuckets,
    }).bucket;
  }

  private securityGroup(domain: Domain, vpcId: string): string {
    if (domain.securityGroupId !== undefined) return this.values.text(domain.securityGroupId);
    return new StudioSecurityGroup(this, 'SecurityGroup', {
      description: `Studio domain ${domain.name}`,
      vpcId,
      ingress: domain.securityGroupIngress,
      egress: domain.securityGroupEgress,
      values: this.values,
    }).id;
  }
}
