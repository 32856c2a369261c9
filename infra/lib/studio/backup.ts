import { CfnDeletionPolicy, Stack } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Backup } from './config/domain';
import { FOR_AWS_RESOURCES } from './key';

export interface HomeBackupProps {
  /** Names the plan and what it backs up: letters, digits, hyphens, at most 50. */
  readonly name: string;
  /** Names the vault, likewise: another name for another key, since a vault can change neither. */
  readonly vaultName: string;
  readonly backup: Backup;
  readonly keyArn: string;
  readonly domainArn: string;
  /** The domain's home folders. */
  readonly fileSystemId: string;
  readonly removalPolicy: RemovalPolicy;
}

/** Backups of the domain's home folders, in a vault of their own under the domain's key. */
export class HomeBackup extends Construct {
  readonly vaultName: string;
  readonly vaultArn: string;
  /** The role of AWS Backup. */
  readonly roleArn: string;

  constructor(scope: Construct, id: string, props: HomeBackupProps) {
    super(scope, id);
    const vault = new backup.CfnBackupVault(this, 'Vault', {
      backupVaultName: props.vaultName,
      encryptionKeyArn: props.keyArn,
    });
    // Another key is another vault; what lies in the old one stays there until somebody has looked.
    vault.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    // AWS Backup deletes no vault that holds anything: with `retain` it stays, else its backups are deleted first, by hand.
    vault.applyRemovalPolicy(props.removalPolicy, { applyToUpdateReplacePolicy: false });
    const plan = new backup.CfnBackupPlan(this, 'Plan', {
      backupPlan: {
        backupPlanName: props.name,
        backupPlanRule: [
          {
            ruleName: 'home-folders',
            targetBackupVault: vault.ref,
            scheduleExpression: props.backup.schedule,
            startWindowMinutes: 60,
            completionWindowMinutes: 720,
            lifecycle: { deleteAfterDays: props.backup.retentionDays },
          },
        ],
      },
    });
    const fileSystem = Stack.of(this).formatArn({
      service: 'elasticfilesystem',
      resource: 'file-system',
      resourceName: props.fileSystemId,
    });
    const role = backupRole(this, fileSystem, vault.attrBackupVaultArn, props.keyArn);
    this.vaultName = vault.ref;
    this.vaultArn = vault.attrBackupVaultArn;
    this.roleArn = role.roleArn;
    new backup.CfnBackupSelection(this, 'Selection', {
      backupPlanId: plan.ref,
      backupSelection: {
        selectionName: props.name,
        iamRoleArn: role.roleArn,
        // The file system itself, and only as long as SageMaker says that it is this domain's.
        resources: [fileSystem],
        conditions: {
          StringEquals: [
            { ConditionKey: 'aws:ResourceTag/ManagedByAmazonSageMakerResource', ConditionValue: props.domainArn },
          ],
        },
      },
    });
  }
}

/** The role of AWS Backup: this one file system into this one vault. */
function backupRole(scope: Construct, fileSystem: string, vault: string, key: string): iam.Role {
  const role = new iam.Role(scope, 'Role', {
    // Without a condition on the source: AWS documents none that AWS Backup names. A role is passed within its account only.
    assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
    description: 'Taken by AWS Backup for the home folders of a Studio domain',
  });
  const policy = new iam.Policy(scope, 'Policy', { roles: [role] });
  policy.addStatements(
    new iam.PolicyStatement({
      sid: 'ReadHomeFolders',
      actions: ['elasticfilesystem:Backup', 'elasticfilesystem:DescribeTags'],
      resources: [fileSystem],
    }),
    new iam.PolicyStatement({
      sid: 'StoreBackups',
      actions: ['backup:CopyIntoBackupVault', 'backup:DescribeBackupVault'],
      resources: [vault],
    }),
    // By AWS's own policy for backups: selected resources are looked up by their tags.
    new iam.PolicyStatement({ sid: 'FindByTag', actions: ['tag:GetResources'], resources: ['*'] }),
    new iam.PolicyStatement({
      sid: 'EncryptBackups',
      actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
      resources: [key],
    }),
    new iam.PolicyStatement({
      sid: 'GrantToServices',
      actions: ['kms:CreateGrant'],
      resources: [key],
      conditions: FOR_AWS_RESOURCES,
    }),
  );
  return role;
}
