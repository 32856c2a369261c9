import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../lib/config';
import { CONTENTS_TYPE, HOMES_TYPE } from '../../lib/studio/cleanup';
import { readDomains } from '../../lib/studio/config/read';
import { statements, text } from '../policies';
import { saidBy } from './said';
import { domainFile, domainOf, minimal, synthesize } from './synth';
import type { Synthesis } from './synth';

const USERS = '  userProfiles: { ann: { userRole: { name: a } }, bob: { userRole: { name: b } } }';
const gone = domainOf(`${USERS}\n  departure: { homes: delete }`);
const kept = domainOf(`${USERS}\n  departure: { homes: keep }`);
const unsaid = domainOf(USERS);
const unsaved = domainOf('  departure: { homes: delete, finalBackup: false }');
const vaultless = domainOf('  backup: false\n  departure: { homes: delete, finalBackup: false }');

/** Everything that is deleted after a resource, by logical id: what it depends on or refers to. */
function after({ resources }: Synthesis, id: string): Set<string> {
  const found = new Set<string>();
  const follow = (from: string): void => {
    const { DependsOn, Properties } = resources[from] as any;
    const json = JSON.stringify([Properties, DependsOn ?? []]);
    for (const other of Object.keys(resources)) {
      if (!found.has(other) && (json.includes(`"${other}"`) || json.includes(`\${${other}`))) {
        found.add(other);
        follow(other);
      }
    }
  };
  follow(id);
  return found;
}

describe('what goes with a domain', () => {
  it('D7 is nothing but what CloudFormation made, unless the file says more', () => {
    assert.deepEqual(unsaid.ofType(CONTENTS_TYPE), []);
    assert.deepEqual(unsaid.ofType(HOMES_TYPE), []);
    const before = saidBy(unsaid, 'StudioResourceRoleDefaultPolicy');
    assert.deepEqual(before, saidBy(gone, 'StudioResourceRoleDefaultPolicy'), 'what the guard may');
    assert.ok(before.every((said) => !/efs|elasticfilesystem|ec2:|backup:|Delete/.test(said)));
    assert.deepEqual(saidBy(kept, 'DepartureHomesPolicy'), []);
    assert.deepEqual(kept.ofType(HOMES_TYPE), []);
    const [, contents] = kept.only(CONTENTS_TYPE);
    assert.deepEqual(Object.keys(contents.Properties).sort(), [
      'DomainArn',
      'OwnProfiles',
      'ServiceTimeout',
      'ServiceToken',
    ]);
  });

  it('D7 has the domain, its own profiles, and where the final backup goes', () => {
    const [, contents] = gone.only(CONTENTS_TYPE);
    const { DomainArn, OwnProfiles, HomeFileSystemArn, FinalBackup, ServiceTimeout } = contents.Properties;
    assert.equal(text(DomainArn), '${Domain.DomainArn}');
    assert.deepEqual(OwnProfiles, ['ann', 'bob']);
    assert.match(text(HomeFileSystemArn), /:elasticfilesystem:.*:file-system\/\$\{Domain\.HomeEfsFileSystemId\}$/);
    assert.deepEqual([text(FinalBackup.VaultName), text(FinalBackup.RoleArn)], ['${BackupVault}', '${BackupRole.Arn}']);
    assert.equal(Number(ServiceTimeout), 3600);
    for (const synthesis of [unsaved, vaultless]) {
      const { Properties } = synthesis.only(CONTENTS_TYPE)[1];
      assert.ok('HomeFileSystemArn' in Properties && !('FinalBackup' in Properties));
    }
  });

  it('D7 goes in this order: contents, profiles and domain, home folders', () => {
    const [contents] = gone.only(CONTENTS_TYPE);
    const [homes] = gone.only(HOMES_TYPE);
    const [domain] = gone.only('AWS::SageMaker::Domain');
    const afterContents = after(gone, contents);
    for (const type of [
      'AWS::SageMaker::UserProfile',
      'AWS::SageMaker::Domain',
      'AWS::Backup::BackupVault',
      'AWS::Backup::BackupSelection',
      HOMES_TYPE,
    ]) {
      for (const [id] of gone.ofType(type)) assert.ok(afterContents.has(id), id);
    }
    assert.ok(after(gone, domain).has(homes));
    const policies = gone.ofType('AWS::IAM::Policy').map(([id]) => id);
    const policy = (name: string) => policies.find((id) => id.startsWith(name))!;
    // What a resource may do, it may until it is gone.
    assert.ok(afterContents.has(policy('DepartureContentsPolicy')));
    assert.ok(afterContents.has(policy('BackupPolicy')), 'the backup is made while its role may make it');
    assert.ok(after(gone, homes).has(policy('DepartureHomesPolicy')));
    assert.ok(!after(gone, homes).has(domain), 'the domain is gone by then');
  });

  it('D7 leaves the vault, when a backup was put into it on leaving', () => {
    const policy = (synthesis: Synthesis) => (synthesis.only('AWS::Backup::BackupVault')[1] as any).DeletionPolicy;
    assert.deepEqual([gone, kept, unsaved, unsaid].map(policy), ['RetainExceptOnCreate', 'Delete', 'Delete', 'Delete']);
  });

  it('D7 has as long as Lambda gives', () => {
    const timeout = (synthesis: Synthesis) =>
      synthesis
        .ofType('AWS::Lambda::Function')
        .map(([, { Properties }]) => Properties)
        .find(({ FunctionName }) => FunctionName.endsWith('studio-resource'))?.Timeout;
    assert.deepEqual([gone, kept, unsaid].map(timeout), [900, 900, 30]);
  });

  it('D7 is bounded to the domain before it goes, and to what it marked after that', () => {
    const domain = 'arn:P:sagemaker:R:A';
    const inside = [
      'Allow: cloudformation:DescribeStacks on ${AWS::StackId}',
      'Allow: sagemaker:ListApps sagemaker:ListDomains sagemaker:ListSpaces sagemaker:ListUserProfiles on *',
      `Allow: sagemaker:DeleteApp on ${domain}:app/\${Domain.DomainId}/*`,
      `Allow: sagemaker:DeleteSpace on ${domain}:space/\${Domain.DomainId}/*`,
      `Allow: sagemaker:DeleteUserProfile on ${domain}:user-profile/\${Domain.DomainId}/*`,
    ];
    assert.deepEqual(saidBy(kept, 'DepartureContentsPolicy'), inside);
    const of = 'StringEquals aws:ResourceTag/ManagedByAmazonSageMakerResource ${Domain.DomainArn}';
    const keys = (tag: string) => `ForAllValues:StringEquals aws:TagKeys ${tag}`;
    const departs = 'StringEquals aws:RequestTag/TidegateDepartsWith ${AWS::StackId}';
    const home = 'arn:P:elasticfilesystem:R:A:file-system/${Domain.HomeEfsFileSystemId}';
    const marks = [
      'Allow: ec2:DescribeSecurityGroups elasticfilesystem:DescribeFileSystems on *',
      `Allow: elasticfilesystem:TagResource on ${home} if ${keys('TidegateDepartsWith')} and ${departs} and ${of}`,
      `Allow: ec2:CreateTags on arn:P:ec2:R:A:security-group/* if ${keys('TidegateDepartsWith')} and ${departs} and ${of}`,
    ];
    assert.deepEqual(saidBy(unsaved, 'DepartureContentsPolicy'), [...inside, ...marks]);
    assert.deepEqual(saidBy(gone, 'DepartureContentsPolicy'), [
      ...inside,
      ...marks,
      `Allow: elasticfilesystem:TagResource on ${home} if ${keys('TidegateFinalBackup')} and ${of}`,
      'Allow: backup:StartBackupJob on ${BackupVault.BackupVaultArn}',
      'Allow: backup:DescribeBackupJob on *',
      'Allow: iam:PassRole on ${BackupRole.Arn} if StringEquals iam:PassedToService backup.amazonaws.com',
    ]);
    const marked = 'if StringEquals aws:ResourceTag/TidegateDepartsWith ${AWS::StackId}';
    assert.deepEqual(saidBy(gone, 'DepartureHomesPolicy'), [
      'Allow: cloudformation:DescribeStacks on ${AWS::StackId}',
      'Allow: ec2:DescribeSecurityGroups elasticfilesystem:DescribeFileSystems on *',
      'Allow: sagemaker:ListDomains on *',
      `Allow: elasticfilesystem:DeleteFileSystem elasticfilesystem:DeleteMountTarget elasticfilesystem:DescribeMountTargets on arn:P:elasticfilesystem:R:A:file-system/* ${marked}`,
      `Allow: ec2:DeleteSecurityGroup ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress on arn:P:ec2:R:A:security-group/* ${marked}`,
      'Allow: ec2:DeleteNetworkInterface on arn:P:ec2:R:A:network-interface/* if ArnEquals ec2:Vpc arn:P:ec2:R:A:vpc/vpc-1 and Bool aws:ViaAWSService true',
    ]);
  });

  it('D7 is refused together with `retain`', () => {
    for (const homes of ['keep', 'delete']) {
      const file = domainFile(minimal(`  departure: { homes: ${homes} }`));
      assert.throws(() => synthesize(file, { retain: true }), /`domain\.departure` deletes .* context `retain` keeps/);
    }
  });
});

describe('a file that says what goes', () => {
  const read = (lines: string) => readDomains([domainFile(minimal(lines))])[0]!;
  const problems = (lines: string) => {
    try {
      return read(lines).warnings.join('\n');
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('D7 says so outright, and has a final backup unless it says no', () => {
    assert.equal(read('').departure, undefined);
    for (const [said, departure] of [
      ['{ homes: keep }', { homes: 'keep', finalBackup: false }],
      ['{ homes: delete }', { homes: 'delete', finalBackup: true }],
      ['{ homes: delete, finalBackup: false }', { homes: 'delete', finalBackup: false }],
    ] as const) {
      assert.deepEqual(read(`  departure: ${said}`).departure, departure);
    }
  });

  it('D7 B9 is told what is wrong with it', () => {
    for (const [lines, said] of [
      ['  departure: {}', /:6: `domain\.departure\.homes` is missing: give one of `keep`, `delete`$/],
      ['  departure: true', /:6: `domain\.departure` is `true`: give keys with values$/],
      ['  departure: { homes: true }', /:6: `domain\.departure\.homes` is `true`: give one of `keep`, `delete`$/],
      ['  departure: { home: delete }', /`domain\.departure\.home` is no known key: did you mean `homes`\?/],
      ['  departure: { homes: keep, finalBackup: true }', /:6: `finalBackup` is ignored: the home folders are kept$/],
      [
        '  backup: false\n  departure: { homes: delete }',
        /:7: `domain\.departure` backs the home folders up before it deletes them, and `domain\.backup` is `false`: take that away, or set `domain\.departure\.finalBackup` to `false`$/,
      ],
    ] as const) {
      assert.match(problems(lines), said);
    }
    assert.equal(problems('  backup: false\n  departure: { homes: delete, finalBackup: false }'), '');
    assert.equal(problems('  backup: false\n  departure: { homes: keep }'), '');
  });
});

describe('the calls of a clean-up', () => {
  const folder = join(PROJECT_ROOT, 'handlers', 'src', 'studio', 'cleanup');
  const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.rs') && !/(^|[/\\])tests([/\\]|\.rs)/.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').split(/#\[cfg\(test\)\]\s+mod tests \{/)[0]!)
    .join('\n');

  it('D7 are allowed to it, each of them, and nothing else is', () => {
    const services: [RegExp, string][] = [
      [/_(apps?|spaces?|user_profiles?|domains)$/, 'sagemaker'],
      [/_(file_systems?|mount_targets?)$|^tag_resource$/, 'elasticfilesystem'],
    ];
    const operations = [...code.matchAll(/\.((?:delete|describe|list|tag)_[a-z_]+)\(\)/g)].map(([, name]) => name!);
    const called = operations.map((name) => {
      const service = services.find(([about]) => about.test(name))?.[1];
      assert.ok(service !== undefined, name);
      return `${service}:${name.replace(/(^|_)([a-z])/g, (_match, _underscore, letter: string) => letter.toUpperCase())}`;
    });
    const ec2 = [...code.matchAll(/"((?:CreateTags|DescribeSecurity|RevokeSecurity|DeleteSecurity)\w*)"/g)];
    const backup = [...code.matchAll(/operation: "(\w+)"/g)];
    const stacks = [...code.matchAll(/"(DescribeStacks)"/g)];
    const all = [
      ...called,
      ...ec2.map(([, name]) => `ec2:${name}`),
      ...backup.map(([, name]) => `backup:${name}`),
      ...stacks.map(([, name]) => `cloudformation:${name}`),
      'ec2:DeleteNetworkInterface', // EFS asks for it.
      'iam:PassRole', // AWS Backup does.
    ];
    const allowed = statements(gone.resources)
      .filter(({ holder }) => /^Departure(Contents|Homes)Policy$/.test(holder))
      .flatMap(({ actions }) => actions);
    assert.deepEqual([...new Set(all)].sort(), [...new Set(allowed)].sort());
  });

  it('D7 are conditioned on the tags that the function puts', () => {
    const tags = ['TidegateDepartsWith', 'TidegateFinalBackup', 'ManagedByAmazonSageMakerResource'];
    for (const tag of tags) assert.ok(code.includes(`= "${tag}";`), tag);
    const types = readFileSync(join(folder, 'mod.rs'), 'utf8');
    for (const type of [CONTENTS_TYPE, HOMES_TYPE]) assert.ok(types.includes(`= "${type}";`), type);
  });
});
