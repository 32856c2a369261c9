import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseGuardrails, readGuardrails } from '../../lib/guardrails/config/guardrails';

const parse = (...lines: string[]) => parseGuardrails('g.yaml', lines.join('\n'));

/** Lines of personas that are right. */
const PEOPLE = {
  administrators: '  administrators: { principals: [arn:aws:iam::111122223333:role/a] }',
  execution: '  executionRoles: [arn:aws:iam::111122223333:role/e]',
};

describe('E1 a file of guardrails', () => {
  it('E1 is read: the example', () => {
    const read = readGuardrails(join(__dirname, '..', '..', 'guardrails', 'example.yaml'));
    assert.deepEqual(read.approved.instanceTypes.endpoints, ['ml.m5.large', 'ml.m5.xlarge', 'ml.c6i.*']);
    assert.deepEqual(read.approved.access.ranges, {
      public: ['192.0.2.0/24', '203.0.113.0/24'],
      private: ['10.42.0.0/16'],
      vpcs: ['vpc-0123456789abcdef0'],
    });
    for (const trust of [read.personas?.administrators, read.personas?.scientists])
      assert.equal(trust?.saml?.audience, 'https://signin.aws.amazon.com/saml');
    assert.deepEqual(read.organization?.targets, ['ou-ab12-cdef3456']);
    assert.deepEqual(read.omit, ['studio-from-ip-ranges', 'job-tags', 'own-domain', 'studio-by-openers-only']);
    assert.equal(read.budget?.monthly, 500);
  });

  it('E1 may be empty, and then asks for what has no parameter', () => {
    for (const text of ['', '# nothing', '{}', 'network:']) {
      const { approved, omit, personas, organization, budget } = parse(text);
      assert.equal(approved.identityTag, 'studiouserid');
      assert.deepEqual([omit, personas, organization, budget], [[], undefined, undefined, undefined]);
    }
  });

  it('E1 need not say the identity tag twice', () => {
    const read = parse('identityTag: who', 'requiredTags: { profiles: [who, Project] }');
    assert.deepEqual(read.approved.requiredTags.profiles, ['Project']);
  });

  it('E1 may admit by addresses and by endpoints, if one of the two is omitted', () => {
    const both = ['access:', '  vpcEndpoints: [vpce-1]', '  ranges: { public: [192.0.2.0/24] }'];
    assert.ok(parse(...both, 'omit: [studio-from-ip-ranges]'));
    assert.ok(parse(...both, 'omit: [studio-via-vpc-endpoints]'));
    assert.throws(
      () => parse(...both),
      /^Error: g\.yaml:3: `access\.ranges` is a map: `access\.vpcEndpoints` closes Studio/,
    );
    const byLine = ['access:', '  vpcAddresses: { ranges: [10.1.0.0/16], vpcs: [vpc-1] }', both[2]!];
    assert.throws(() => parse(...byLine), /`access\.vpcAddresses` closes Studio/);
    assert.ok(parse(...byLine, 'omit: [studio-from-vpc-addresses]'));
    const inVpc = ['access:', '  vpcs: [vpc-1]', '  ranges: { private: [10.1.0.0/16], vpcs: [vpc-1] }'];
    assert.ok(parse(...inVpc), 'private addresses come through an endpoint as well');
  });

  const refused: [string, string[], string][] = [
    [
      'an unknown key',
      ['images: [arn:aws:sagemaker:*:111122223333:image/a]', 'instancetypes: {}'],
      'g.yaml:2: `instancetypes` is not a key here: there are `instanceTypes`, `images`,',
    ],
    [
      'an unknown key inside',
      ['network:', '  subnet: [subnet-1]'],
      'g.yaml:2: `network.subnet` is not a key here: there are `subnets`, `securityGroups`, `studioSecurityGroups`',
    ],
    ['a text in place of a list', ['images: all'], 'g.yaml:1: `images` is `all`: give a list of ARNs of images'],
    ['an empty list', ['images: []'], 'g.yaml:1: `images` is an empty list: give a list of ARNs of images'],
    [
      'a key with nothing',
      ['images:', 'omit: [job-tags]'],
      'g.yaml:1: `images` is empty: give a list of ARNs of images',
    ],
    [
      'a value that an alias repeats',
      ['images: &none []', 'imageAdministrators: *none'],
      'g.yaml:2: `imageAdministrators` is an empty list: give a list of ARNs of roles',
    ],
    [
      'an instance type without its prefix',
      ['instanceTypes:', '  jobs:', '    - ml.m5.large', '    - m5.large'],
      'g.yaml:4: `instanceTypes.jobs[1]` is `m5.large`: give an instance type such as `ml.m5.large`',
    ],
    [
      'one twice',
      ['network: { subnets: [subnet-1, subnet-1] }'],
      'g.yaml:1: `network.subnets[1]` is `subnet-1`: name each once',
    ],
    [
      'every address',
      ['access: { ranges: { public: [0.0.0.0/0] } }'],
      "g.yaml:1: `access.ranges.public[0]` is `0.0.0.0/0`: give a CIDR block such as `203.0.113.0/24`, and not everybody's",
    ],
    ['no address', ['access: { ranges: { public: [300.0.0.0/8] } }'], '`access.ranges.public[0]` is `300.0.0.0/8`'],
    ['a prefix that is too long', ['access: { ranges: { public: [192.0.2.0/33] } }'], '`192.0.2.0/33`: give a CIDR'],
    [
      'private addresses of any VPC',
      ['access: { ranges: { private: [10.0.0.0/8] } }'],
      'g.yaml:1: `access.ranges.private` is a list: give `vpcs` too',
    ],
    [
      'addresses of any VPC',
      ['access: { vpcAddresses: { ranges: [10.0.0.0/8] } }'],
      'g.yaml:1: `access.vpcAddresses` is a map: give `ranges` and `vpcs`',
    ],
    [
      'every address of a VPC',
      ['access: { vpcAddresses: { ranges: [0.0.0.0/0], vpcs: [vpc-1] } }'],
      '`access.vpcAddresses.ranges[0]` is `0.0.0.0/0`: give a CIDR block',
    ],
    [
      'a sign-in that is anybody',
      ["access: { openers: ['arn:aws:iam::*:role/*'] }"],
      '`access.openers[0]` is `arn:aws:iam::*:role/*`: give the ARN of a role',
    ],
    [
      'no organisation',
      ['domainTag: DomainName', 'organization: { id: ours, targets: [ou-ab12-cdef3456] }'],
      "g.yaml:2: `organization.id` is `ours`: give the organisation's id, `o-…`",
    ],
    [
      'an image by its name',
      ['images: [my-image]'],
      'g.yaml:1: `images[0]` is `my-image`: give the ARN of an image, `arn:aws:sagemaker:<region>:<account>:image/<name>`',
    ],
    [
      'a guardrail that is none',
      ['omit: [everything]'],
      'g.yaml:1: `omit[0]` is `everything`: give the id of a guardrail: `notebook-instance-types`, `job-instance-types`,',
    ],
    [
      'a target that YAML takes for a number',
      ['organization: { targets: [111122223333] }'],
      '`organization.targets[0]` is `111122223333`: give a root `r-…`, an organisational unit `ou-…-…` or an account of 12 digits, in quotes',
    ],
    ['an organisation without targets', ['organization: { exempt: [] }'], '`organization` is a map: give `targets`'],
    [
      'an exemption of everybody',
      ['organization:', '  targets: [ou-ab12-cdef3456]', "  exempt: ['arn:aws:iam::*:role/*']"],
      'g.yaml:3: `organization.exempt[0]` is `arn:aws:iam::*:role/*`: give the ARN of a role',
    ],
    [
      'roles that anybody takes',
      ['personas:', "  scientists: { principals: ['*'] }", PEOPLE.administrators, PEOPLE.execution],
      'g.yaml:2: `personas.scientists.principals[0]` is `*`: give the ARN of a role, a user or an account',
    ],
    [
      'roles that nobody takes',
      ['personas:', PEOPLE.administrators, PEOPLE.execution],
      'g.yaml:2: `personas` is a map: give `scientists`, with `saml`, `principals` or both',
    ],
    [
      'a role that nobody takes',
      ['personas:', PEOPLE.administrators, '  scientists: {}', PEOPLE.execution],
      'g.yaml:3: `personas.scientists` is a map: give `saml`, `principals` or both',
    ],
    [
      'principals for both roles at once',
      ['personas:', '  principals: [arn:aws:iam::111122223333:role/a]', PEOPLE.execution],
      'g.yaml:2: `personas.principals` is a list: give `principals` under `administrators` and under `scientists`',
    ],
    [
      'another key of people, offering none that is gone',
      ['personas:', '  users: []', PEOPLE.administrators, '  scientists: {}', PEOPLE.execution],
      'g.yaml:2: `personas.users` is not a key here: there are `administrators`, `scientists`, `executionRoles`, `keys`\n',
    ],
    [
      'a provider for both roles at once',
      ['personas:', '  saml: { provider: arn:aws:iam::111122223333:saml-provider/p }', PEOPLE.execution],
      'g.yaml:2: `personas.saml` is a map: give `saml` under `administrators` and under `scientists`',
    ],
    [
      'somebody who takes both roles',
      [
        'personas:',
        PEOPLE.administrators,
        PEOPLE.administrators.replace('administrators', 'scientists'),
        PEOPLE.execution,
      ],
      'g.yaml:3: `personas.scientists.principals` is a list: name `arn:aws:iam::111122223333:role/a` for one of the two roles',
    ],
    [
      'any execution role',
      ['personas:', PEOPLE.administrators, "  executionRoles: ['arn:aws:iam::111122223333:role/*']"],
      'g.yaml:3: `personas.executionRoles[0]` is `arn:aws:iam::111122223333:role/*`: give the ARN of one role',
    ],
    [
      "a key's alias",
      [
        'personas:',
        PEOPLE.administrators,
        PEOPLE.execution,
        '  keys: [arn:aws:kms:eu-west-1:111122223333:alias/studio]',
      ],
      'g.yaml:4: `personas.keys[0]` is `arn:aws:kms:eu-west-1:111122223333:alias/studio`: give the ARN of a key (not of an alias)',
    ],
    ['a budget of nothing', ['budget: { monthly: 0 }'], '`budget.monthly` is `0`: give US dollars a month, from 1'],
    ['a budget without an amount', ['budget: { emails: [a@example.com] }'], '`budget` is a map: give `monthly`'],
    ['a list at the top', ['- images'], 'g.yaml:1: `the file` is a list: give a map with `instanceTypes`,'],
    ['the same key twice', ['images: [a]', 'images: [b]'], 'g.yaml:2: is no valid YAML: map keys must be unique'],
    ['no YAML', ['images: [', 'omit'], 'is no valid YAML: '],
  ];
  for (const [what, lines, message] of refused) {
    it(`E1 refuses ${what}`, () => {
      assert.throws(
        () => parse(...lines),
        (error: Error) => error.message.includes(message) || assert.fail(`${error.message}\n  lacks\n${message}`),
      );
    });
  }

  it('E1 tells all that is wrong at once, in the order of the file', () => {
    assert.throws(
      () => parse('images: [x]', 'network: { subnets: [y] }', 'z: 1'),
      (error: Error) => {
        assert.deepEqual(
          error.message.split('\n').map((line) => line.replace(/: .*/, '')),
          ['g.yaml:1', 'g.yaml:2', 'g.yaml:3'],
        );
        return true;
      },
    );
  });
});
