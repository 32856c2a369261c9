import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import { text } from '../policies';
import type { Synthesis } from './synth';
import { domainOf, sampleFile, synthesize } from './synth';

/** The rules of a direction, as lines. */
function rules(synthesis: Synthesis, direction: 'Ingress' | 'Egress'): string[] {
  return synthesis
    .ofType(`AWS::EC2::SecurityGroup${direction}`)
    .map(([, { Properties: rule }]) => {
      const peer =
        rule.CidrIp ??
        rule.SourceSecurityGroupId ??
        rule.DestinationSecurityGroupId ??
        rule.SourcePrefixListId ??
        rule.DestinationPrefixListId;
      return `${text(rule.GroupId)} ${text(peer)} ${rule.IpProtocol} ${rule.FromPort ?? '-'} ${rule.ToPort ?? '-'}`;
    })
    .sort();
}

const amongMembers = (group: string) =>
  ['50 - -', 'tcp 2049 2049', 'tcp 8192 65535', 'udp 500 500'].map((ports) => `${group} ${group} ${ports}`);
const OWN = '${SecurityGroup.GroupId}';

describe('the security group of a domain', () => {
  it('B7 lets nothing in but its own members, and out what the network lets out', () => {
    const plain = domainOf();
    const [, { Properties }] = plain.only('AWS::EC2::SecurityGroup');
    assert.deepEqual(
      [Properties.VpcId, Properties.SecurityGroupIngress, Properties.SecurityGroupEgress],
      ['vpc-1', undefined, [{ CidrIp: '0.0.0.0/0', IpProtocol: '-1', Description: 'whatever the network lets out' }]],
    );
    assert.deepEqual(rules(plain, 'Ingress'), amongMembers(OWN));
    assert.deepEqual(rules(plain, 'Egress'), []);
  });

  it('B7 has the rules of the file, and with rules for going out no other way out but to its members', () => {
    const custom = domainOf(`  securityGroupIngress:
    ipv4: [{ cidr: 10.0.0.0/24, protocol: tcp, port: 443 }]
    sg: [{ sgId: sg-1, protocol: icmp }, { sgId: ssm:/sg, protocol: all }]
    prefixList: [{ prefixList: pl-1, protocol: udp, port: 53, toPort: 54, description: names }]
  securityGroupEgress:
    ipv4: [{ cidr: 0.0.0.0/0, protocol: tcp, port: 443, toPort: 443 }]
    sg: [{ sgId: sg-2, protocol: esp }]
    prefixList: [{ prefixList: pl-2, protocol: "6", port: 80 }]`);
    const parameter = '${SsmParameterValuesgC96584B6F00A464EAD1953AFF4B05118Parameter}';
    assert.deepEqual(
      rules(custom, 'Ingress'),
      [
        ...amongMembers(OWN),
        `${OWN} ${parameter} -1 - -`,
        `${OWN} 10.0.0.0/24 tcp 443 443`,
        `${OWN} pl-1 udp 53 54`,
        `${OWN} sg-1 icmp -1 -1`,
      ].sort(),
    );
    assert.deepEqual(
      rules(custom, 'Egress'),
      [...amongMembers(OWN), `${OWN} 0.0.0.0/0 tcp 443 443`, `${OWN} pl-2 6 80 80`, `${OWN} sg-2 50 - -`].sort(),
    );
    const [, { Properties }] = custom.only('AWS::EC2::SecurityGroup');
    assert.deepEqual(
      Properties.SecurityGroupEgress.map((rule: any) => rule.CidrIp),
      ['255.255.255.255/32'],
    );
  });

  it('B7 is the one that the file names, if it names one', () => {
    const sample = synthesize(sampleFile('comprehensive'));
    assert.deepEqual(sample.ofType('AWS::EC2::SecurityGroup'), []);
    assert.deepEqual([...rules(sample, 'Ingress'), ...rules(sample, 'Egress')], []);
  });

  it('E9 is one for each profile by a switch, closed to the others', () => {
    const apart = domainOf(`  securityGroupPerProfile: true
  userProfiles: { ann: { userRole: { name: a } }, bob: { userRole: { name: a } } }
  securityGroupEgress: { ipv4: [{ cidr: 10.0.0.0/8, protocol: tcp, port: 443 }] }
  defaultUserSettings: { securityGroups: [sg-all] }`);
    const groups = apart
      .ofType('AWS::SageMaker::UserProfile')
      .map(([, { Properties }]) => Properties.UserSettings.SecurityGroups.map(text));
    assert.deepEqual(
      groups.map(([, rest]) => rest),
      ['sg-all', 'sg-all'],
    );
    const own = groups.map(([group]) => group as string);
    assert.equal(new Set([...own, OWN]).size, 3);
    const https = (group: string) => `${group} 10.0.0.0/8 tcp 443 443`;
    assert.deepEqual(rules(apart, 'Ingress'), [OWN, ...own].flatMap(amongMembers).sort());
    assert.deepEqual(rules(apart, 'Egress'), [OWN, ...own].flatMap((g) => [...amongMembers(g), https(g)]).sort());
    const together = domainOf('  userProfiles: { ann: { userRole: { name: a } } }');
    const { SecurityGroups } = together.only('AWS::SageMaker::UserProfile')[1].Properties.UserSettings;
    assert.deepEqual(SecurityGroups.map(text), ['${SecurityGroup.GroupId}']);
  });
});

describe('suppressions', () => {
  const open = (suppressions: string) => `  securityGroupIngress:
    ipv4:
      - { cidr: 0.0.0.0/0, protocol: tcp, port: 443${suppressions} }
      - { cidr: 0.0.0.0/0, protocol: tcp, port: 22 }`;
  const findings = (synthesis: Synthesis) =>
    new AwsSolutionsChecks()
      .validateScope(synthesis.stack)
      .violations.filter(({ ruleName }) => ruleName === 'AwsSolutions-EC23')
      .flatMap(({ violatingResources }) => violatingResources.map(({ constructPath }) => constructPath));

  it('B11 accept a finding at their own rule, and at no other', () => {
    const https = 'TidegateStudio-team/SecurityGroup/In 0.0.0.0|0 tcp 443 443';
    const ssh = 'TidegateStudio-team/SecurityGroup/In 0.0.0.0|0 tcp 22 22';
    assert.deepEqual(findings(domainOf(open(''))).sort(), [ssh, https]);
    const accepted = domainOf(open(', suppressions: [{ id: AwsSolutions-EC23, reason: a public demonstration }]'));
    assert.deepEqual(findings(accepted), [ssh]);
  });
});
