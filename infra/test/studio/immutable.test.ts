import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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

describe('settings that CloudFormation cannot change in place', () => {
  it('B12 of a domain are all guarded, or never set', () => {
    const never = ['/properties/DomainSettings/RStudioServerProDomainSettings/DefaultResourceSpec'];
    const guarded = GUARDED.map((name) => `/properties/${name}`);
    assert.deepEqual([...guarded, ...never].sort(), [...createOnly['AWS::SageMaker::Domain']!].sort());
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

  it('B12 of a profile follow from its name and the tags of the domain, or are never set', () => {
    // A profile of another name is another profile; the rest of its tags are the domain's.
    const settled = ['DomainId', 'UserProfileName', 'SingleSignOnUserIdentifier', 'SingleSignOnUserValue', 'Tags'];
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
