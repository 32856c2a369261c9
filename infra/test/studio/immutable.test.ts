import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../../lib/config';
import { immutableSettings } from '../../lib/studio/config/normalised';
import { readDomains } from '../../lib/studio/config/read';
import { GUARDED, GUARD_TYPE } from '../../lib/studio/guard';
import { text } from '../policies';
import { domainFile, domainOf, minimal, sampleFile, synthesize } from './synth';

/** What CloudFormation cannot change in place, from AWS's provider schemas: see the file's own first lines. */
const createOnly = JSON.parse(readFileSync(join(__dirname, 'create-only.json'), 'utf8')) as Record<string, string[]>;

function property(resource: any, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(2)
    .reduce((inner, step) => inner?.[step], resource.Properties);
}

const sample = synthesize(sampleFile('comprehensive'));
const everything = domainOf(`  kmsKeyArn: ssm:/key
  tags: { a: b }
  userProfiles: { ann: { userRole: { id: x } } }
  securityGroupPerProfile: true`);

/** The provider schemas that cfn-lint carries, where it is installed. */
function lintSchemas(): string | undefined {
  const lib = join(PROJECT_ROOT, '.venv', 'lint', 'lib');
  if (!existsSync(lib)) return undefined;
  const python = readdirSync(lib).find((name) => name.startsWith('python')) ?? '';
  return join(lib, python, 'site-packages', 'cfnlint', 'data', 'schemas');
}

describe('settings that CloudFormation cannot change in place', () => {
  it('B12 are those of the provider schemas that the templates are checked by', () => {
    const schemas = lintSchemas();
    assert.ok(schemas !== undefined, 'cfn-lint is not there: run `make setup`');
    const read = (...path: string[]) => JSON.parse(readFileSync(join(schemas, ...path), 'utf8'));
    const hashes = read('providers', 'us-east-1.json');
    for (const [type, pointers] of Object.entries(createOnly).filter(([key]) => key.startsWith('AWS::'))) {
      const { createOnlyProperties } = read('resources', `${hashes[type]}.json`);
      assert.deepEqual([...createOnlyProperties].sort(), pointers, `${type}: write test/studio/create-only.json anew`);
    }
  });

  it('B12 of a domain are all guarded, or never set', () => {
    const never = ['/properties/DomainSettings/RStudioServerProDomainSettings/DefaultResourceSpec'];
    const guarded = GUARDED.map((name) => `/properties/${name}`);
    // CloudFormation would change the VPC in place, and SageMaker refuse.
    const settled = [...createOnly['AWS::SageMaker::Domain']!, '/properties/VpcId'];
    assert.deepEqual([...guarded, ...never].sort(), settled.sort());
    for (const synthesis of [sample, everything]) {
      const [, domain] = synthesis.only('AWS::SageMaker::Domain');
      for (const pointer of never) assert.equal(property(domain, pointer), undefined);
      for (const pointer of guarded) assert.notEqual(property(domain, pointer), undefined, pointer);
    }
  });

  it('B12 are told to other programs, all of them', () => {
    const [domain] = readDomains([domainFile(minimal())]);
    assert.deepEqual(
      immutableSettings(domain!)
        .map(({ setting }) => setting)
        .sort(),
      [...GUARDED].sort(),
    );
  });

  it('B12 of a profile follow from the domain and its own name, or are never set', () => {
    const settled = ['DomainId', 'UserProfileName', 'SingleSignOnUserIdentifier', 'SingleSignOnUserValue'];
    const never = createOnly['AWS::SageMaker::UserProfile']!.filter((pointer) => pointer.includes('RStudio'));
    assert.deepEqual(
      [...settled.map((name) => `/properties/${name}`), ...never].sort(),
      [...createOnly['AWS::SageMaker::UserProfile']!].sort(),
    );
    const sso = domainOf('  authMode: SSO\n  userProfiles: { ann: {} }', ['authMode']);
    for (const synthesis of [everything, sso]) {
      const [, profile] = synthesis.only('AWS::SageMaker::UserProfile');
      for (const pointer of never) assert.equal(property(profile, pointer), undefined, pointer);
    }
  });

  it('B12 stand in the guard as in the domain, which waits for it', () => {
    for (const synthesis of [sample, everything]) {
      const [id, domain] = synthesis.only('AWS::SageMaker::Domain');
      const [guardId, guard] = synthesis.only(GUARD_TYPE);
      for (const name of GUARDED) assert.deepEqual(guard.Properties[name], domain.Properties[name], name);
      assert.ok([domain.DependsOn].flat().includes(guardId), id);
      const { ServiceToken, ServiceTimeout, AllowReplacement, ...rest } = guard.Properties;
      assert.equal(text(ServiceToken), '${StudioResourceFunction.Arn}');
      assert.equal(Number(ServiceTimeout), 120);
      assert.equal(AllowReplacement, 'false');
      assert.deepEqual(Object.keys(rest).sort(), [...GUARDED].sort());
    }
  });

  it('B12 may replace the domain when the file says so, and the old one stays', () => {
    const allowed = domainOf('  allowReplacement: true');
    assert.equal(allowed.only(GUARD_TYPE)[1].Properties.AllowReplacement, 'true');
    for (const context of [{}, { retain: true }]) {
      const [, domain] = synthesize(sampleFile('minimal'), context).only('AWS::SageMaker::Domain') as any;
      assert.equal(domain.UpdateReplacePolicy, 'Retain');
      assert.equal(domain.DeletionPolicy, 'retain' in context ? 'Retain' : 'Delete');
    }
  });

  it('B12 of a lifecycle configuration are all in its name, so that it is replaced and never refused', () => {
    const name = (synthesis: typeof sample) =>
      synthesis.only('AWS::SageMaker::StudioLifecycleConfig')[1].Properties.StudioLifecycleConfigName;
    const one = '  lifecycleConfigs: { jupyterLab: { cmds: [ls] } }';
    const names = [
      domainOf(one),
      domainOf('  lifecycleConfigs: { jupyterLab: { cmds: [ls -l] } }'), // content
      domainOf('  lifecycleConfigs: { codeEditor: { cmds: [ls] } }'), // kind of application
      domainOf(`${one}\n  tags: { a: b }`), // tags
    ].map(name);
    assert.equal(new Set(names).size, 4, names.join(' '));
    const changing = createOnly['AWS::SageMaker::StudioLifecycleConfig']!.map((pointer) => pointer.split('/')[2]);
    assert.deepEqual(changing.sort(), [
      'StudioLifecycleConfigAppType',
      'StudioLifecycleConfigContent',
      'StudioLifecycleConfigName',
      'Tags',
    ]);
    for (const each of names) assert.match(each, /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
  });
});
