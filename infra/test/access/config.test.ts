import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { normalise, parametersIn } from '../../lib/access/config/normalised';
import { readAccess } from '../../lib/access/config/read';
import { BY_AWS, COGNITO, EXAMPLE, FEDERATED, METADATA, PEM_FILE, SAML, accessFile } from './files';

/** The certificate beside every file is valid from now on for years. */
const NOW = new Date('2027-06-01T00:00:00Z');

/** The file's problems, as lines without the folder. */
function problems(text: string, beside: Record<string, string> = {}): string[] {
  const file = accessFile(text);
  for (const [name, content] of Object.entries(beside)) writeFileSync(join(dirname(file), name), content);
  try {
    readAccess(file, NOW);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(`${dirname(file)}/`, ''));
  }
  return [];
}

const read = (text: string) => readAccess(accessFile(text), NOW);

describe('the file `access`', () => {
  it('C4 is read: SAML', () => {
    const { saml, domains, profile, urlSeconds, sessionSeconds, network } = read(SAML);
    assert.ok(saml?.verify === 'here');
    assert.equal(saml.certificates.length, 1);
    assert.deepEqual(saml.claims, {
      profile: { nameId: true },
      domain: { attribute: 'domain' },
      role: { attribute: 'role' },
    });
    assert.deepEqual([saml.startedAtIdp, saml.skewSeconds], [false, 60]);
    assert.deepEqual([network, urlSeconds, sessionSeconds, profile.form], ['private', 20, 28_800, 'exact']);
    assert.deepEqual(domains[0]?.executionRoles, {
      analyst: 'arn:{{partition}}:iam::{{account}}:role/team/analyst',
      engineer: 'arn:{{partition}}:iam::{{account}}:role/engineer',
    });
  });

  it('D3 is read: Cognito, with a group for each domain', () => {
    const { cognito, domains, network, addresses } = read(COGNITO);
    assert.deepEqual([network, addresses, cognito?.mfa], ['regional', ['203.0.113.0/24'], 'optional']);
    assert.deepEqual(
      domains.map(({ name, group }) => [name, group]),
      [
        ['team1', 'team1'],
        ['team2', 'second'],
      ],
    );
    assert.equal(read('cognito:\ndomains: [{ name: a }]').cognito?.mfa, 'required');
  });

  it('C7 is read: assertions that AWS verifies', () => {
    const { saml } = read(BY_AWS);
    assert.ok(saml?.verify === 'aws');
    assert.deepEqual([saml.audience, saml.recipient], Array(2).fill('https://signin.aws.amazon.com/saml'));
    assert.deepEqual(saml.provider, { metadata: METADATA });
  });

  it('C3 takes PEM in the file, several certificates, and each once', () => {
    const pem = readFileSync(PEM_FILE, 'utf8');
    const inline = SAML.replace('[idp.pem]', `\n    - |\n${pem.replace(/^/gm, '      ')}\n    - idp.pem`);
    const { saml } = read(inline);
    assert.ok(saml?.verify === 'here');
    assert.deepEqual(saml.certificates, [pem]);
  });

  it('C3 warns of a certificate that has expired or is not valid yet, and says where', () => {
    const file = accessFile(SAML);
    const late = readAccess(file, new Date('2060-01-01T00:00:00Z')).warnings;
    assert.equal(late.length, 2);
    assert.match(
      late[0]!,
      /access\.yaml:5: `saml\.certificates\[0\]` holds a certificate \(SHA-256 .*\) that expired on 2041-/,
    );
    assert.match(
      late[1]!,
      /access\.yaml:5: no certificate of `saml\.certificates` is valid today, so nobody can enter/,
    );
    const early = readAccess(file, new Date('2020-01-01T00:00:00Z')).warnings;
    assert.match(early[0]!, /that is valid from 2026-.* on: nobody enters by it before/);
    assert.deepEqual(readAccess(file, NOW).warnings, []);
  });

  it('C1 keeps the address of API Gateway unless there is an https address of its owner', () => {
    assert.equal(read(SAML).defaultEndpoint, true);
    assert.equal(read(`url: https://studio.example.com\n${SAML}`).defaultEndpoint, false);
    assert.equal(read(`url: https://studio.example.com\ndefaultEndpoint: true\n${SAML}`).defaultEndpoint, true);
    assert.equal(read(`url: http://127.0.0.1:4566/x\n${SAML}`).defaultEndpoint, true);
    const byEndpoint = 'https://abc-vpce-0123456789abcdef0.execute-api.eu-west-1.amazonaws.com/access';
    assert.equal(read(`url: ${byEndpoint}\n${SAML}`).defaultEndpoint, true);
  });

  const WEAK = execFileSync(
    'openssl',
    'req -x509 -newkey rsa:1024 -nodes -keyout /dev/null -days 9000 -subj /CN=weak'.split(' '),
    { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' },
  );
  const ED25519 = execFileSync(
    'openssl',
    'req -x509 -newkey ed25519 -nodes -keyout /dev/null -days 9000 -subj /CN=other'.split(' '),
    { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' },
  );

  /** What is changed in a good file, and what is said then: whole lines. */
  const refused: [what: string, text: string, said: (string | RegExp)[], beside?: Record<string, string>][] = [
    [
      'a key that there is not',
      `netwrok: private\n${SAML}`,
      [/^access\.yaml:1: `netwrok` is no known key: did you mean `network`\? accepted here: `network`, /],
    ],
    [
      'a key within that there is not',
      SAML.replace('verify: here', 'verify: here\n  certificate: idp.pem'),
      [/^access\.yaml:3: `saml\.certificate` is no known key: did you mean `certificates`\?/],
    ],
    [
      'a key twice',
      `network: private\nnetwork: regional\n${SAML}`,
      [/^access\.yaml:2: is no valid YAML: map keys must be unique/],
    ],
    [
      'no way in',
      'domains: [{ name: a }]',
      ['access.yaml:1: neither `saml` nor `cognito` is there, so nobody could enter: give one of them'],
    ],
    ['no domain', 'cognito: {}', [/^access\.yaml:1: `domains` is missing: give a list$/]],
    [
      'an empty list of domains',
      'cognito: {}\ndomains: []',
      ['access.yaml:2: `domains` is a list of 0: give at least 1'],
    ],
    [
      'a network that there is not',
      `network: public\n${SAML}`,
      ['access.yaml:1: `network` is `public`: give one of `private`, `regional`'],
    ],
    [
      'an address that is none',
      `addresses: [203.0.113.256/24]\n${SAML}`,
      [/`addresses\[0\]` is `203\.0\.113\.256\/24`: give an IPv4 block from/],
    ],
    [
      'an address that is everybody',
      `addresses: [0.0.0.0/0]\n${SAML}`,
      [/`addresses\[0\]` is `0\.0\.0\.0\/0`: give an IPv4 block from/],
    ],
    [
      'a way of verifying that there is not',
      SAML.replace('verify: here', 'verify: never'),
      ['access.yaml:2: `saml.verify` is `never`: give one of `here`, `aws`'],
    ],
    [
      'no way of verifying',
      SAML.replace('  verify: here\n', ''),
      ['access.yaml:1: `saml.verify` is missing: give one of `here`, `aws`'],
    ],
    [
      'no issuer',
      SAML.replace(/ {2}issuer.*\n/, ''),
      ['access.yaml:1: `saml.issuer` is missing: give a text without spaces'],
    ],
    [
      'no certificates',
      SAML.replace(/ {2}certificates.*\n/, ''),
      [/^access\.yaml:1: `saml\.certificates` is missing: give the identity provider's signing certificates/],
    ],
    [
      'an empty list of certificates',
      SAML.replace('[idp.pem]', '[]'),
      ['access.yaml:5: `saml.certificates` is a list of 0: give at least 1'],
    ],
    [
      'a certificate that is not there',
      SAML.replace('idp.pem', 'other.pem'),
      [
        'access.yaml:5: `saml.certificates[0]` is `other.pem`, which is no file beside this one: give PEM, or a file that exists',
      ],
    ],
    [
      'a file without a certificate',
      SAML.replace('idp.pem', 'idp.xml'),
      ['access.yaml:5: `saml.certificates[0]` holds no certificate: give PEM, `-----BEGIN CERTIFICATE-----…`'],
    ],
    [
      'a private key',
      SAML.replace('idp.pem', 'key.pem'),
      [
        'access.yaml:5: `saml.certificates[0]` holds a private key, which has no business here: give the certificate alone',
      ],
      { 'key.pem': `-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n${readFileSync(PEM_FILE, 'utf8')}` },
    ],
    [
      'PEM that is no certificate',
      SAML.replace('idp.pem', 'bad.pem'),
      [
        'access.yaml:5: `saml.certificates[0]` holds PEM that is no X.509 certificate: export it from the identity provider again',
      ],
      { 'bad.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' },
    ],
    [
      'a weak key',
      SAML.replace('idp.pem', 'weak.pem'),
      ['access.yaml:5: `saml.certificates[0]` holds a certificate with an RSA key of 1024 bits: 2048 are the least'],
      { 'weak.pem': WEAK },
    ],
    [
      'a key of another kind',
      SAML.replace('idp.pem', 'other.pem'),
      [
        'access.yaml:5: `saml.certificates[0]` holds a certificate with a key of type `ed25519`: signatures are accepted from RSA and ECDSA keys',
      ],
      { 'other.pem': ED25519 },
    ],
    [
      'clocks that differ by more than a minute',
      SAML.replace('verify: here', 'verify: here\n  skewSeconds: 61'),
      ['access.yaml:3: `saml.skewSeconds` is `61`: give a whole number from 0 to 60'],
    ],
    [
      'no claims',
      SAML.replace(/ {2}claims:\n( {4}.*\n)+/, ''),
      [
        /^access\.yaml:1: `saml\.claims` is missing: give `profile` and, with several domains, `domain`/,
        /executionRoles/,
      ],
    ],
    [
      'no claim of the domain, with several',
      SAML.replace(/ {4}domain: .*\n/, ''),
      [
        'access.yaml:6: `saml.claims.domain` is missing, and there are several `domains`: give the claim that names one of them',
      ],
    ],
    [
      'a claim that is neither',
      SAML.replace('profile: nameId', 'profile: email'),
      ['access.yaml:7: `saml.claims.profile` is `email`: give `nameId`, or `attribute:` with the name of an attribute'],
    ],
    [
      'a sign-in that cannot begin',
      SAML.replace(/ {2}signOnUrl.*\n/, ''),
      [/^access\.yaml:1: no sign-in can begin: give `saml\.signOnUrl`, .* or `saml\.startedAtIdp: true`/],
    ],
    [
      'an address for sign-in without TLS',
      SAML.replace('https://idp.example.com/sso', 'http://idp.example.com/sso'),
      [/^access\.yaml:4: `saml\.signOnUrl` is `http:\/\/idp\.example\.com\/sso`: give an `https:\/\/` address/],
    ],
    [
      'two meanings of /login',
      `cognito: {}\nprofile: { form: hashed }\n${SAML.replace(/^profile:(\n {2}.*)+\n/m, '')}`,
      [
        /: `saml\.signOnUrl` and `cognito` both begin a sign-in at `\/login`: take one of them out/,
        /: `domains\[0\]\.executionRoles` is chosen from by SAML's claim, and people of `cognito` have none/,
      ],
    ],
    [
      'what belongs to the other way of verifying',
      SAML.replace('verify: here', 'verify: here\n  metadata: idp.xml'),
      ['access.yaml:3: `saml.metadata` is about `verify: aws`, and `saml.verify` is `here`: take it out'],
    ],
    [
      'certificates where AWS verifies',
      BY_AWS.replace('metadata: idp.xml', 'metadata: idp.xml\n  certificates: [idp.pem]'),
      [/^access\.yaml:5: `saml\.certificates` is about `verify: here`, and `saml\.verify` is `aws`: take it out/],
    ],
    [
      'neither provider nor metadata',
      BY_AWS.replace('  metadata: idp.xml\n', ''),
      [/^access\.yaml:1: `saml` needs exactly one of `provider`, .*, and `metadata`/],
    ],
    [
      'both provider and metadata',
      BY_AWS.replace('  metadata:', "  provider: 'arn:aws:iam::111122223333:saml-provider/x'\n  metadata:"),
      [/^access\.yaml:1: `saml` needs exactly one of/],
    ],
    [
      'a role for a domain that there is not',
      BY_AWS.replace('idp.xml', 'idp.xml\n  roles: [{ arn: "arn:aws:iam::111122223333:role/x", domain: team3 }]'),
      ['access.yaml:5: `saml.roles[0].domain` is `team3`, which is none of `domains`: give one of `team1`, `team2`'],
    ],
    [
      'metadata that is not there',
      BY_AWS.replace('idp.xml', 'other.xml'),
      ['access.yaml:4: `saml.metadata` is `other.xml`, which is no file beside this one: give a file that exists'],
    ],
    [
      'metadata of no identity provider',
      BY_AWS.replace('idp.xml', 'idp.pem'),
      [/^access\.yaml:4: `saml\.metadata` is `idp\.pem`, which describes no identity provider/],
    ],
    [
      'metadata with a document type',
      BY_AWS.replace('idp.xml', 'dtd.xml'),
      [/^access\.yaml:4: `saml\.metadata` is `dtd\.xml`, which has a document type/],
      { 'dtd.xml': `<!DOCTYPE EntityDescriptor>${METADATA}` },
    ],
    [
      'metadata that IAM finds too short',
      BY_AWS.replace('idp.xml', 'short.xml'),
      [/^access\.yaml:4: `saml\.metadata` is `short\.xml`, which has 64 characters: IAM takes no less than 1000/],
      { 'short.xml': '<EntityDescriptor><IDPSSODescriptor></IDPSSODescriptor></Entity>' },
    ],
    [
      'an invitation to a domain that there is not',
      COGNITO.replace('domain: team1 }', 'domain: team9 }'),
      ['access.yaml:5: `cognito.invite.domain` is `team9`, which is none of `domains`: give one of `team1`, `team2`'],
    ],
    [
      'an invitation without a mail address',
      COGNITO.replace('ann@example.com', 'ann'),
      ['access.yaml:5: `cognito.invite.mail` is `ann`: give one mail address'],
    ],
    [
      'a name of hosted pages that Cognito keeps for itself',
      COGNITO.replace('mfa: optional', 'domainPrefix: my-aws'),
      [
        /^access\.yaml:4: `cognito\.domainPrefix` is `my-aws`: give at most 63 lower case letters, digits and hyphens, without `aws`/,
      ],
    ],
    [
      'two names of hosted pages',
      COGNITO.replace(
        'mfa: optional',
        "domainPrefix: a\n  customDomain: { name: a.example.com, certificate: 'ssm:/c' }",
      ),
      [
        'access.yaml:4: `cognito.domainPrefix` and `cognito.customDomain` both name the hosted pages: take one of them out',
      ],
    ],
    [
      'a domain twice',
      SAML.replace('name: team2', 'name: team1'),
      ['access.yaml:14: `domains[1].name` is `team1`, as is that of `domains[0]`: name each domain once'],
    ],
    [
      'an id twice',
      SAML.replace('d-0team2', 'd-0team1'),
      ['access.yaml:15: `domains[1].id` is `d-0team1`, as is that of `domains[0]`: two names are not one domain'],
    ],
    [
      'a group of two domains',
      COGNITO.replace('group: second', 'group: team1'),
      [
        'access.yaml:9: `domains[1].group` is `team1`, as is that of `domains[0]`: a group has one domain, give each its own',
      ],
    ],
    [
      'a name that is no domain’s',
      SAML.replace('name: team1', 'name: team_1'),
      [/^access\.yaml:11: `domains\[0\]\.name` is `team_1`: give the name of a domain/],
    ],
    [
      'roles that no claim chooses',
      SAML.replace(/ {4}role: .*\n/, ''),
      [
        /^access\.yaml:12: `domains\[0\]\.executionRoles` is chosen from by the claim `saml\.claims\.role`, which is not there/,
      ],
    ],
    [
      'a role that is none',
      SAML.replace('team/analyst', "'arn:aws:iam::1:user/x'"),
      [
        /`domains\[0\]\.executionRoles\.analyst` is `arn:aws:iam::1:user\/x`: give the name of a role in this account, its ARN, or/,
      ],
    ],
    [
      'tags that decide who enters',
      SAML.replace("costs: '42'", "studiouserid: 'bob'"),
      [/^access\.yaml:17: the key `domains\[1\]\.tags\.studiouserid` is not accepted: .* not yours to set/],
    ],
    [
      'a tag in other capitals',
      SAML.replace("costs: '42'", "domainname: 'team1'"),
      [/the key `domains\[1\]\.tags\.domainname` is not accepted/],
    ],
    [
      'a URL that lasts',
      `urlSeconds: 21\n${SAML}`,
      ['access.yaml:1: `urlSeconds` is `21`: give a whole number from 5 to 20'],
    ],
    [
      'a session that lasts',
      `sessionMinutes: 721\n${SAML}`,
      ['access.yaml:1: `sessionMinutes` is `721`: give a whole number from 30 to 720'],
    ],
    [
      'a landing elsewhere',
      `landings: { home: 'https://example.com' }\n${SAML}`,
      [/^access\.yaml:1: `landings\.home` is `https:\/\/example\.com`: give `studio::…` or `app:JupyterLab:…`/],
    ],
    [
      'an address of ours over the network without TLS',
      `url: http://studio.example.com\n${SAML}`,
      [
        /^access\.yaml:1: `url` is `http:\/\/studio\.example\.com`: give an `https:\/\/` address without a slash at its end/,
      ],
    ],
    ['an address of ours with a slash', `url: https://studio.example.com/\n${SAML}`, [/`url` is/]],
    [
      'an API without an address',
      `defaultEndpoint: false\n${SAML}`,
      [/^access\.yaml:1: `defaultEndpoint` is `false`, and there is no `url`, so the API would have no address/],
    ],
    [
      'an endpoint of an API that is not private',
      COGNITO.replace('network: regional', 'network: regional\nvpcEndpoints: { executeApi: [vpce-0123456789abcdef0] }'),
      [/^access\.yaml:2: `vpcEndpoints\.executeApi` is about a private API, and `network` is `regional`/],
    ],
    [
      'a placeholder that there is not',
      SAML.replace('{{account}}', '{{org}}'),
      [
        /engineer` is `arn:\{\{partition\}\}:iam::\{\{org\}\}:role\/engineer`: give/,
        /^access\.yaml:13: `domains\[0\]\.executionRoles\.engineer` holds `\{\{org\}\}`: use `\{\{partition\}\}`/,
      ],
    ],
    [
      'people of another provider under names that no profile can have',
      FEDERATED.replace('profile: { form: hashed }\n', ''),
      [
        /^access\.yaml:8: both `saml` and `cognito`/,
        /^access\.yaml:9: `cognito\.federation` gives people names such as .*: set `profile\.form: hashed`/,
      ],
    ],
    [
      'two providers that may give one name to two people',
      FEDERATED.replace('hashed', 'exact').replace(/ {2}federation: .*\n/, '  mfa: required\n'),
      [/^access\.yaml:8: both `saml` and `cognito` say who people are, .*: set `profile\.form: hashed`$/],
    ],
    [
      'a pool beside sessions of AWS, which know people by their tag alone',
      `cognito:\nprofile: { form: hashed }\n${BY_AWS}`,
      [/^access\.yaml:1: `cognito` beside `saml\.verify: aws`: /],
    ],
    [
      'roles by a claim that people of the pool do not have',
      FEDERATED.replace('domain: { attribute: domain } }', 'domain: { attribute: domain }, role: nameId }').replace(
        '  - name: team1',
        '  - name: team1\n    executionRoles: { analyst: analyst }',
      ),
      [
        /^access\.yaml:13: `domains\[0\]\.executionRoles` is chosen from by SAML's claim, .*: give `defaultExecutionRole` too$/,
      ],
    ],
    ['what is no YAML', 'saml: [', [/^access\.yaml:\d: is no valid YAML: /]],
    ['what is no map', '- saml', ['access.yaml:1: `the file` is a list of 1: give keys with values']],
  ];
  for (const [what, text, said, beside] of refused) {
    it(`C4 refuses ${what}`, () => {
      const found = problems(text, beside);
      assert.equal(found.length, said.length, found.join('\n'));
      for (const [index, line] of said.entries()) {
        if (typeof line === 'string') assert.equal(found[index], line);
        else assert.match(found[index]!, line);
      }
    });
  }

  it('C4 tells every error at once, in the order of the lines', () => {
    const found = problems(`urlSeconds: 1\n${SAML.replace('verify: here', 'verify: hre').replace('d-0team2', 'x')}`);
    assert.deepEqual(
      found.map((line) => line.split(':')[1]),
      ['1', '3', '16'],
    );
  });

  it('C4 says when the file is not there', () => {
    assert.throws(
      () => readAccess('/no/such/access.yaml'),
      /^AccessFileError: \/no\/such\/access\.yaml:1: cannot be read \(ENOENT\): give a YAML file that exists$/,
    );
  });
});

describe('access.json', () => {
  it('C4 is what the functions read', () => {
    const document = normalise(read(SAML));
    assert.deepEqual(Object.keys(document), [
      'version',
      'url',
      'urlSeconds',
      'sessionSeconds',
      'landings',
      'saml',
      'cognito',
      'profile',
      'domains',
    ]);
    assert.ok(document.saml?.verify === 'here');
    const { certificates, ...saml } = document.saml;
    assert.equal(certificates.length, 1);
    assert.deepEqual(saml, {
      verify: 'here',
      issuer: 'https://idp.example.com/metadata',
      signOnUrl: 'https://idp.example.com/sso',
      audience: null,
      startedAtIdp: false,
      skewSeconds: 60,
      claims: { profile: { nameId: true }, domain: { attribute: 'domain' }, role: { attribute: 'role' } },
    });
    assert.deepEqual(document.domains[1], {
      name: 'team2',
      id: 'd-0team2',
      group: 'team2',
      executionRoles: {},
      defaultExecutionRole: 'arn:{{partition}}:iam::{{account}}:role/analyst2',
      securityGroups: [],
      lifecycleConfigs: {},
      tags: { costs: '42' },
    });
  });

  it('D1 of Cognito holds no more than where people sign in', () => {
    assert.deepEqual(normalise(read(COGNITO)).cognito, { signInUrl: null, federated: false });
    assert.deepEqual(normalise(read(FEDERATED)).cognito, { signInUrl: null, federated: true });
    assert.equal(normalise(read(COGNITO)).saml, null);
  });

  it('C4 is the same for the same file in another order', () => {
    const other = SAML.replace(/executionRoles: \{ (analyst: .*), (engineer: .*) \}/, 'executionRoles: { $2, $1 }');
    assert.notEqual(other, SAML);
    assert.equal(JSON.stringify(normalise(read(other))), JSON.stringify(normalise(read(SAML))));
  });

  it('C4 names every parameter that it refers to', () => {
    assert.deepEqual(parametersIn(normalise(readAccess(EXAMPLE, NOW))), [
      '/tidegate/studio/example/domain-id',
      '/tidegate/studio/example/execution-role-arn',
      '/tidegate/studio/example/lifecycle-config-arn-JupyterLab',
      '/tidegate/studio/example/security-group-id',
    ]);
  });
});
