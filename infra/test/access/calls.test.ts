import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../lib/config';
import { statements } from '../policies';
import { BY_AWS, COGNITO, SAML } from './files';
import { entered, resources } from './synth';

const INSIDE = { network: 'new', functionsInVpc: true };

/** As in `../calls.test.ts`: a call that no policy allows would be found on AWS only, so the calls are read from the sources. */
const SOURCES = join(PROJECT_ROOT, 'handlers', 'src', 'access');

/** Operations of the services that sign-in talks to, and the right that each takes; STS takes none for what is signed already. */
const RIGHTS: Readonly<Record<string, string | undefined>> = {
  assume_role_with_saml: undefined,
  create_presigned_domain_url: 'sagemaker:CreatePresignedDomainUrl',
  create_user_profile: 'sagemaker:CreateUserProfile',
  delete_item: 'dynamodb:DeleteItem',
  describe_user_profile: 'sagemaker:DescribeUserProfile',
  list_domains: 'sagemaker:ListDomains',
  list_tags: 'sagemaker:ListTags',
  put_item: 'dynamodb:PutItem',
  update_user_profile: 'sagemaker:UpdateUserProfile',
};

/** Calls of a client: `aws.sagemaker().operation()`, `client.operation()`, over lines. */
const CALL =
  /\.(?:sagemaker\(\)|dynamodb\(\)|sts\(\)|client)\s*\.((?:assume|batch|create|delete|describe|get|list|put|query|scan|transact|update)[a-z0-9_]*)\(\)/g;

/** By file, the calls in it. */
const calls = new Map(
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.rs') && !/(^|\/)tests(\.rs|\/)/.test(file))
    .map((file) => {
      const source = readFileSync(join(SOURCES, file), 'utf8').split(/#\[cfg\(test\)\]\s+mod \w+ \{/)[0]!;
      return [file, [...source.matchAll(CALL)].map(([, operation]) => operation!)] as const;
    }),
);

const made = (which: RegExp) =>
  new Set([...calls].flatMap(([file, operations]) => (which.test(file) ? operations : [])));

/** What a role may do by its policies, in these configurations together. */
function allowed(holder: RegExp, ...syntheses: ReturnType<typeof entered>[]): Set<string> {
  const all = syntheses.flatMap((synthesis) => statements(resources(synthesis)));
  return new Set(
    all.filter((one) => one.effect === 'Allow' && holder.test(one.holder)).flatMap(({ actions }) => actions),
  );
}

const rightsOf = (operations: Iterable<string>) =>
  [...operations].flatMap((operation) => RIGHTS[operation] ?? []).sort();

const only = (services: RegExp, actions: Iterable<string>) => [...actions].filter((a) => services.test(a)).sort();

describe('the calls of sign-in', () => {
  it('C2 are all known, each with the right that it takes', () => {
    assert.deepEqual([...made(/./)].sort(), Object.keys(RIGHTS).sort());
  });

  it('C2 are exactly what the functions may do', () => {
    const services = /^(dynamodb|sagemaker):/;
    // Tags given while making are a right, and no call of their own.
    const inSources = [...rightsOf(made(/./)), 'sagemaker:AddTags'].sort();
    assert.deepEqual(
      only(services, allowed(/^StudioAccessRoleDefaultPolicy$/, entered(SAML, INSIDE), entered(COGNITO))),
      inSources,
    );
  });

  it('D1 of the one that signs in are the table alone', () => {
    const operations = made(/^(cognito\/|store\.rs)/);
    assert.deepEqual(
      only(/^(dynamodb|sagemaker|sts):/, allowed(/^StudioSignInRoleDefaultPolicy$/, entered(COGNITO))),
      rightsOf(operations),
    );
  });

  it('C7 with the session that AWS gives are exactly what the session may do', () => {
    const inSources = [...rightsOf(made(/^studio\//)), 'sagemaker:AddTags'].sort();
    const listing = entered(BY_AWS.replace('    id: d-0team1\n', ''), INSIDE);
    assert.deepEqual(only(/^(dynamodb|sagemaker):/, allowed(/^SamlRoleteam1DefaultPolicy$/, listing)), inSources);
  });
});
