import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Domain } from '../../lib/studio/config/domain';
import { nearest } from '../../lib/shared/nearest';
import { profileName } from '../../lib/studio/config/names';
import { DomainFilesError, readDomains } from '../../lib/studio/config/read';
import { SAMPLES, domainFile, minimal, sampleFile, samplesFolder } from './synth';

function read(...files: string[]): Domain[] {
  return readDomains(files);
}

/** What is said about a file, without its folder. */
function problems(...files: string[]): string[] {
  try {
    readDomains(files);
  } catch (error) {
    assert.ok(error instanceof DomainFilesError, String(error));
    return error.message
      .split('\n')
      .map((line) => files.reduce((text, file) => text.replaceAll(file, basename(file)), line));
  }
  return [];
}

const said = (lines: string, omit: readonly string[] = []) => problems(domainFile(minimal(lines, omit)));

describe('domain files', () => {
  for (const sample of SAMPLES) {
    it(`B1 accept MDAA's ${sample} sample as it is`, () => {
      const [domain] = read(sampleFile(sample));
      assert.equal(domain?.name, `sample-config-${sample}`);
      assert.equal(domain?.vpcId, 'vpc-id');
      assert.deepEqual(domain?.subnetIds, ['subnet-id']);
      assert.equal(domain?.authMode, sample === 'sso' ? 'SSO' : 'IAM');
    });
  }

  it('B1 accept all three samples together, and say what has no effect', () => {
    const domains = read(...SAMPLES.map((name) => sampleFile(name)));
    const warnings = domains.map(({ warnings }) => warnings.map((line) => line.slice(line.lastIndexOf('/') + 1)));
    assert.deepEqual(warnings, [
      [],
      [
        "sample-config-comprehensive.yaml:62: `domain.securityGroupIngress` is ignored: `domain.securityGroupId` names a group that exists, and its rules are its owner's",
        "sample-config-comprehensive.yaml:109: `domain.securityGroupEgress` is ignored: `domain.securityGroupId` names a group that exists, and its rules are its owner's",
        'sample-config-comprehensive.yaml:218: `minIdleTimeoutInMinutes` `30` is taken as 60: SageMaker takes no less',
      ],
      [],
    ]);
  });

  it('B1 read every key of the comprehensive sample', () => {
    const domain = read(sampleFile('comprehensive'))[0] as Domain;
    assert.equal(domain.kmsKeyArn, 'arn:{{partition}}:kms:{{region}}:{{account}}:key/test-efs-key');
    assert.equal(domain.assetDeploymentMemoryLimitMB, 512);
    assert.equal(domain.assetPrefix, 'lifecycle-assets');
    assert.equal(domain.notebookSharingPrefix, 'testing');
    assert.equal(domain.securityGroupId, 'sg-test12345');
    assert.deepEqual(domain.defaultExecutionRole, { id: 'test-user-role-id' });
    assert.equal(domain.dataAdminRoles.length, 2);
    assert.equal(domain.domainBucketName, 'test-domain-bucket');
    assert.ok(domain.assetDeploymentRole?.arn);
    assert.deepEqual(domain.securityGroupIngress.ipv4?.[0]?.suppressions, [
      { id: 'AwsSolutions-EC23', reason: 'Required for internal network HTTPS access' },
    ]);
    assert.equal(domain.securityGroupEgress.prefixList?.length, 2);
    assert.deepEqual(
      domain.scripts.map(({ key, cmds, assets }) => [key, cmds.length, assets[0]?.exclude]),
      [
        ['jupyter', 2, ['*.pyc', '__pycache__']],
        ['jupyterLab', 3, ['*.pyc', '__pycache__']],
        ['kernel', 2, ['*.pyc', '__pycache__']],
      ],
    );
    assert.deepEqual(Object.keys(domain.defaultUserSettings).sort(), [
      'jupyterLabAppSettings',
      'jupyterServerAppSettings',
      'kernelGatewayAppSettings',
      'rSessionAppSettings',
      'rStudioServerProAppSettings',
      'securityGroups',
      'sharingSettings',
      'studioWebPortal',
    ]);
  });

  it('B1 have the defaults of MDAA, and those of the keys that it does not know', () => {
    const domain = read(domainFile(minimal()))[0] as Domain;
    assert.equal(domain.name, 'team');
    assert.equal(domain.assetPrefix, 'lifecycle-assets');
    assert.equal(domain.notebookSharingPrefix, 'sharing');
    assert.equal(domain.sourceIdentity, true);
    assert.equal(domain.securityGroupPerProfile, false);
    assert.equal(domain.allowReplacement, false);
    assert.deepEqual(domain.backup, { schedule: 'cron(0 5 * * ? *)', retentionDays: 35 });
    assert.equal(read(domainFile(minimal('  backup: false')))[0]?.backup, undefined);
    assert.equal(read(domainFile(minimal('  name: Ours')))[0]?.name, 'Ours');
  });

  it('B1 may give the subnets as one parameter that holds a list', () => {
    const domain = read(domainFile(minimal('  subnetIds: ssm:/tidegate/network/subnet-ids', ['subnetIds'])))[0];
    assert.deepEqual([domain?.subnetList, domain?.subnetIds], [true, ['ssm:/tidegate/network/subnet-ids']]);
  });

  it('B3 turn the groups of RStudio into those of the API', () => {
    const settings = read(sampleFile('comprehensive'))[0]?.defaultUserSettings;
    assert.equal(settings?.rStudioServerProAppSettings?.userGroup, 'R_STUDIO_ADMIN');
  });
});

describe('errors name file, line, key, what was found and what is accepted', () => {
  const cases: [what: string, lines: string, expected: string[], omit?: string[]][] = [
    [
      'B9 IAM without a user role',
      '  userProfiles:\n    ann: {}\n    bob:',
      [
        'team.yaml:7: `domain.userProfiles.ann.userRole` is missing, and `domain.authMode` is `IAM`: give the role from which the user opens the profile',
        'team.yaml:8: `domain.userProfiles.bob.userRole` is missing, and `domain.authMode` is `IAM`: give the role from which the user opens the profile',
      ],
    ],
    [
      'B9 a bucket of its own without administrators',
      '',
      [
        'team.yaml:1: `domain.dataAdminRoles` is missing, and the domain gets a bucket of its own: give at least one role that administers bucket and key, or `domain.domainBucket.domainBucketName`',
      ],
      ['dataAdminRoles'],
    ],
    [
      'B9 somebody else’s bucket with assets that nobody may put there',
      '  domainBucket:\n    domainBucketName: theirs\n  lifecycleConfigs:\n    kernel:\n      assets:\n        a: { sourcePath: . }\n      cmds: [ls]',
      [
        "team.yaml:6: `domain.domainBucket.assetDeploymentRole` is missing, and `domain.lifecycleConfigs.kernel.assets` are to be put into a bucket that is not the domain's own: give a role of Lambda's that may write there",
      ],
    ],
    [
      'B9 an unknown key, with the nearest that is known',
      '  kmsKeyARN: x',
      [
        'team.yaml:6: `domain.kmsKeyARN` is no known key: did you mean `kmsKeyArn`? accepted here: `name`, `authMode`, `vpcId`, `subnetIds`, `kmsKeyArn`, `assetDeploymentMemoryLimitMB`, `assetPrefix`, `notebookSharingPrefix`, `securityGroupId`, `securityGroupIngress`, `securityGroupEgress`, `securityGroupPerProfile`, `defaultExecutionRole`, `dataAdminRoles`, `domainBucket`, `userProfiles`, `defaultUserSettings`, `defaultSpaceSettings`, `lifecycleConfigs`, `sourceIdentity`, `backup`, `departure`, `tags`, `allowReplacement`',
      ],
    ],
    [
      'B9 an unknown key deep inside',
      '  securityGroupEgress:\n    ipv4:\n      - { cidr: 10.0.0.0/8, protocol: tcp, port: 443, toPorts: 444, zzzzzzzz: 1 }',
      [
        'team.yaml:8: `domain.securityGroupEgress.ipv4[0].toPorts` is no known key: did you mean `toPort`? accepted here: `cidr`, `protocol`, `port`, `toPort`, `description`, `suppressions`',
        'team.yaml:8: `domain.securityGroupEgress.ipv4[0].zzzzzzzz` is no known key: remove it; accepted here: `cidr`, `protocol`, `port`, `toPort`, `description`, `suppressions`',
      ],
    ],
    [
      'B9 a block that is none, and one with bits behind its length',
      '  securityGroupIngress:\n    ipv4:\n      - { cidr: 10.0.0.256/8, protocol: tcp, port: 443 }\n      - { cidr: 10.1.2.3/16, protocol: tcp, port: 443 }',
      [
        'team.yaml:8: `domain.securityGroupIngress.ipv4[0].cidr` is `10.0.0.256/8`: give an IPv4 block as `10.0.0.0/24`',
        'team.yaml:9: `domain.securityGroupIngress.ipv4[1].cidr` is `10.1.2.3/16`, which has bits behind its length: give `10.1.0.0/16`',
      ],
    ],
    [
      'B9 ports and protocols',
      '  securityGroupIngress:\n    sg:\n      - { sgId: sg-1, protocol: tcp }\n      - { sgId: sg-1, protocol: tcp, port: 70000 }\n      - { sgId: sg-1, protocol: tcp, port: 443, toPort: 80 }\n      - { sgId: sg-1, protocol: esp, port: 1 }\n      - { sgId: sg-1, protocol: http, port: 1 }\n      - { sgId: 5, protocol: all }',
      [
        'team.yaml:8: `domain.securityGroupIngress.sg[0].port` is missing, and the protocol is `tcp`: give a port from 0 to 65535',
        'team.yaml:9: `domain.securityGroupIngress.sg[1].port` is `70000`: give a whole number from -1 to 65535',
        'team.yaml:10: `domain.securityGroupIngress.sg[2].toPort` is `80`, before `port` `443`: give one from 443 to 65535',
        'team.yaml:11: `domain.securityGroupIngress.sg[3].port` is `1`, and the protocol `esp` has no ports: leave it out',
        'team.yaml:12: `domain.securityGroupIngress.sg[4].protocol` is `http`: give `tcp`, `udp`, `icmp`, `icmpv6`, `esp`, a protocol number from 0 to 255, or `all`',
        'team.yaml:13: `domain.securityGroupIngress.sg[5].sgId` is `5`: give a security group, `sg-…`, or `ssm:/path`',
      ],
    ],
    [
      'B9 a prefix that could end a quotation in a script',
      "  assetPrefix: a'b",
      ["team.yaml:6: `domain.assetPrefix` is `a'b`: give at most 60 letters, digits, slashes and ._-"],
    ],
    [
      'B9 the same rule twice',
      '  securityGroupIngress:\n    sg:\n      - { sgId: sg-1, protocol: tcp, port: 1 }\n      - { sgId: sg-1, protocol: tcp, port: 1, toPort: 1, description: again }',
      [
        'team.yaml:9: `domain.securityGroupIngress.sg[1]` says the same as `domain.securityGroupIngress.sg[0]` (line 8): remove one of them',
      ],
    ],
    [
      'B9 a suppression without a reason',
      '  securityGroupIngress:\n    sg:\n      - sgId: sg-1\n        protocol: all\n        suppressions:\n          - { id: AwsSolutions-EC23, reason: yes }\n          - { reason: because it is needed }',
      [
        'team.yaml:11: `domain.securityGroupIngress.sg[0].suppressions[0].reason` is `yes`: give a reason of at least ten characters that a reviewer would accept',
        'team.yaml:12: `domain.securityGroupIngress.sg[0].suppressions[1].id` is missing: give the id of a rule of cdk-nag, as `AwsSolutions-EC23`',
      ],
    ],
    [
      'B2 a role by two of its names, by none, and by one that another module made',
      '  defaultExecutionRole: { name: a, arn: "arn:aws:iam::1:role/a" }\n  dataAdminRoles:\n    - {}\n    - { id: "generated-role-id:admin" }',
      [
        'team.yaml:5: `domain.defaultExecutionRole` is an object with `name`, `arn`: give exactly one of `name`, `arn`, `id`',
        'team.yaml:7: `domain.dataAdminRoles[0]` is an object with no keys: give exactly one of `name`, `arn`, `id`',
        "team.yaml:8: `domain.dataAdminRoles[1].id` is `generated-role-id:admin`: give a role's unique id as IAM shows it (`AROA…`)",
        'team.yaml:8: `domain.dataAdminRoles[1].id` is `generated-role-id:admin`, a role that another module of MDAA made: give its `arn`, or `arn: ssm:/path` with the parameter that the module wrote',
      ],
      ['dataAdminRoles'],
    ],
    [
      'B2 a placeholder that nothing is known for',
      '  kmsKeyArn: "arn:{{partition}}:kms:{{region}}:{{account}}:key/{{org}}"',
      [
        'team.yaml:6: `domain.kmsKeyArn` holds `{{org}}`: use `{{partition}}`, `{{region}}`, `{{account}}`, or the value itself',
      ],
    ],
    [
      'B3 idle times out of order',
      '  defaultUserSettings:\n    jupyterLabAppSettings:\n      appLifecycleManagement:\n        idleSettings: { idleTimeoutInMinutes: 50, minIdleTimeoutInMinutes: 90, maxIdleTimeoutInMinutes: 525601 }\n    codeEditorAppSettings:\n      appLifecycleManagement:\n        idleSettings: { idleTimeoutInMinutes: 120, maxIdleTimeoutInMinutes: 60 }',
      [
        'team.yaml:9: `domain.defaultUserSettings.jupyterLabAppSettings.appLifecycleManagement.idleSettings.idleTimeoutInMinutes` is `50`: give a whole number from 60 to 525600',
        'team.yaml:9: `domain.defaultUserSettings.jupyterLabAppSettings.appLifecycleManagement.idleSettings.maxIdleTimeoutInMinutes` is `525601`: give a whole number from 60 to 525600',
        'team.yaml:9: `domain.defaultUserSettings.jupyterLabAppSettings.appLifecycleManagement.idleSettings.idleTimeoutInMinutes` is `50`, less than `minIdleTimeoutInMinutes` `90`: give min <= idle <= max',
        'team.yaml:12: `domain.defaultUserSettings.codeEditorAppSettings.appLifecycleManagement.idleSettings.maxIdleTimeoutInMinutes` is `60`, less than `idleTimeoutInMinutes` `120`: give min <= idle <= max',
      ],
    ],
    [
      'B4 assets that do not exist, and a script that is too long',
      `  lifecycleConfigs:\n    jupyterLab:\n      assets: { a: { sourcePath: ./nowhere } }\n      cmds: ["echo ${'x'.repeat(12_300)}"]`,
      [
        'team.yaml:7: `domain.lifecycleConfigs.jupyterLab` becomes a script of 16860 characters in base64: SageMaker takes 16384; put commands into a script among its assets',
        'team.yaml:8: `domain.lifecycleConfigs.jupyterLab.assets.a.sourcePath` is `./nowhere`, which does not exist: give a file or folder, relative to the folder of `team.yaml`',
      ],
    ],
    [
      'B9 what is missing, and types',
      '  authMode: Iam\n  subnetIds: subnet-1\n  securityGroupPerProfile: maybe\n  userProfiles: [ann]\n  tags: { "aws:x": "1", y: "", Project: z }',
      [
        'team.yaml:1: `domain.vpcId` is missing: give `vpc-…` or `ssm:/path`',
        'team.yaml:3: `domain.authMode` is `Iam`: give one of `IAM`, `SSO`',
        'team.yaml:4: `domain.subnetIds` is `subnet-1`: give a list of subnets, or `ssm:/path` of a parameter that holds one',
        'team.yaml:5: `domain.securityGroupPerProfile` is `maybe`: give `true` or `false`',
        'team.yaml:6: `domain.userProfiles` is a list of 1: give keys with values',
        'team.yaml:7: the key `domain.tags."aws:x"` is not accepted: give at most 128 letters, digits, spaces and _.:/=+-@, not beginning with `aws:`, and none of Tidegate’s own `Project`, `Environment`, `DomainName`, `studiouserid`, `userid`',
        'team.yaml:7: the key `domain.tags.Project` is not accepted: give at most 128 letters, digits, spaces and _.:/=+-@, not beginning with `aws:`, and none of Tidegate’s own `Project`, `Environment`, `DomainName`, `studiouserid`, `userid`',
        'team.yaml:7: `domain.tags.y` is ``: give 1 to 128 letters, digits, spaces and _.:/=+-@',
      ],
      ['authMode', 'vpcId', 'subnetIds'],
    ],
  ];
  for (const [what, lines, expected, omit] of cases) it(what, () => assert.deepEqual(said(lines, omit), expected));

  it('D5 a tag that access is decided by, in whatever letters', () => {
    for (const tag of ['DomainName', 'domainname', 'studiouserid', 'StudioUserId', 'USERID']) {
      const [problem, ...more] = problems(domainFile(minimal(`  tags: { ${tag}: alice }`)));
      assert.match(
        problem ?? '',
        new RegExp(`the key \`domain.tags.${tag}\` is not accepted: give .* none of Tidegate’s own`),
      );
      assert.deepEqual(more, []);
    }
    assert.deepEqual(problems(domainFile(minimal('  tags: { userids: "3", Domain: x }'))), []);
  });

  it('B9 what is no YAML, no mapping, or not there', () => {
    const file = domainFile('domain:\n  a: 1\n  a: 2\n', 'twice.yaml');
    assert.deepEqual(problems(file), ['twice.yaml:3: is no valid YAML: map keys must be unique']);
    assert.deepEqual(problems(domainFile('- 1', 'list.yaml')), [
      'list.yaml:1: `the file` is a list of 1: give keys with values',
    ]);
    assert.deepEqual(problems(domainFile('', 'empty.yaml')), [
      'empty.yaml:1: `the file` is empty: give keys with values',
    ]);
    assert.match(
      problems(join(file, 'none.yaml'))[0] ?? '',
      /none\.yaml:1: cannot be read \(ENOTDIR\): give a YAML file/,
    );
    assert.deepEqual(problems(domainFile('a: &a [1]\nb: *b\n', 'alias.yaml')).length, 1);
  });

  it('B9 a name that SageMaker does not take', () => {
    assert.deepEqual(problems(domainFile(minimal(), 'our team.yaml')), [
      "our team.yaml:1: `domain.name` is missing, and the file's name makes `our team`: give 1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit",
    ]);
  });

  it('B9 the problems of all files at once', () => {
    const one = domainFile(minimal('  vpcID: x'), 'one.yaml');
    const two = domainFile(minimal('  kmsKeyArn: x'), 'two.yaml');
    assert.deepEqual(
      problems(one, two).map((line) => line.slice(0, line.indexOf(' '))),
      ['one.yaml:6:', 'two.yaml:6:'],
    );
  });

  it('B1 the comprehensive sample without its assets', () => {
    const folder = samplesFolder();
    rmSync(join(folder, 'testing_asset_dir'), { recursive: true });
    assert.equal(problems(sampleFile('comprehensive', folder)).length, 3);
  });
});

describe('profiles', () => {
  const users = (...keys: string[]) =>
    `  userProfiles:\n${keys.map((key) => `    ${JSON.stringify(key)}: { userRole: { name: analyst } }`).join('\n')}`;

  it('B8 get names that SageMaker takes', () => {
    const named = { 'jane.doe@example.com': 'jane-doe-example-com', _x_: 'x', A1: 'A1', 'a--b': 'a--b' };
    for (const [key, name] of Object.entries(named)) {
      assert.equal(profileName(key), name);
      assert.match(name, /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
    }
  });

  it('B8 collide in an error that names both lines', () => {
    assert.deepEqual(said(users('a.b', 'c', 'a-b')), [
      'team.yaml:9: `a-b` and `a.b` (line 7) both become the profile `a-b`: rename one of them',
    ]);
  });

  it('B8 collide across files of one domain, and the domains themselves do', () => {
    const one = domainFile(minimal(`  name: shared\n${users('a.b')}`), 'one.yaml');
    const two = domainFile(minimal(`  name: shared\n${users('a_b', 'c')}`), 'two.yaml');
    assert.deepEqual(problems(one, two), [
      'two.yaml:6: the domain `shared` is also made by one.yaml:6: give one of them another `domain.name`',
      'two.yaml:8: `a_b` and `a.b` (one.yaml:8) both become the profile `a-b` of the domain `shared`: rename one of them',
    ]);
  });

  it('B8 have names that fit, and with SSO need no role', () => {
    assert.match(
      said(users('a'.repeat(64)))[0] ?? '',
      /becomes the profile `a{64}` of 64 characters: SageMaker takes 63/,
    );
    const sso = minimal('  authMode: SSO\n  userProfiles: { ann: {}, bob: }', ['authMode']);
    assert.deepEqual(
      read(domainFile(sso))[0]?.profiles.map(({ name }) => name),
      ['ann', 'bob'],
    );
  });

  it('B8 know the line that they stand in', () => {
    const [domain] = read(domainFile(minimal(users('a', 'b'))));
    assert.deepEqual(
      domain?.profiles.map(({ line }) => line),
      [7, 8],
    );
  });
});

describe('the nearest key', () => {
  it('B9 is a key that is near', () => {
    assert.equal(nearest('vpcID', ['vpcId', 'subnetIds']), 'vpcId');
    assert.equal(nearest('subnets', ['vpcId', 'subnetIds']), 'subnetIds');
    assert.equal(nearest('nonsense', ['vpcId', 'subnetIds']), undefined);
    assert.equal(nearest('x', []), undefined);
  });
});
