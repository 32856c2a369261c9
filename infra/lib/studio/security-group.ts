import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Rule, Rules } from './config/domain';
import type { Values } from './values';

export interface StudioSecurityGroupProps {
  readonly description: string;
  readonly vpcId: string;
  readonly ingress: Rules;
  readonly egress: Rules;
  readonly values: Values;
}

/** What members say to each other: home folders (NFS), applications and kernels, encrypted traffic between containers. */
const AMONG_MEMBERS: readonly { readonly id: string; readonly what: string; readonly ports: Ports }[] = [
  { id: 'Nfs', what: 'home folders', ports: { ipProtocol: 'tcp', fromPort: 2049, toPort: 2049 } },
  { id: 'Apps', what: 'applications and kernels', ports: { ipProtocol: 'tcp', fromPort: 8192, toPort: 65535 } },
  {
    id: 'Ike',
    what: 'keys of encrypted traffic between containers',
    ports: { ipProtocol: 'udp', fromPort: 500, toPort: 500 },
  },
  { id: 'Esp', what: 'encrypted traffic between containers', ports: { ipProtocol: '50' } },
];

interface Ports {
  readonly ipProtocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
}

/** Matches nothing: a group without any rule for going out would get one from EC2 that lets everything out. */
const NOTHING = { cidrIp: '255.255.255.255/32', ipProtocol: 'icmp', fromPort: 252, toPort: 86, description: 'nothing' };
const EVERYTHING = { cidrIp: '0.0.0.0/0', ipProtocol: '-1', description: 'whatever the network lets out' };

/** A security group that lets nothing in but its own members, and what the domain's file says. */
export class StudioSecurityGroup extends Construct {
  readonly id: string;

  constructor(scope: Construct, id: string, props: StudioSecurityGroupProps) {
    super(scope, id);
    const custom = Object.values(props.egress).some((rules) => rules !== undefined && rules.length > 0);
    const group = new ec2.CfnSecurityGroup(this, 'Group', {
      groupDescription: props.description,
      vpcId: props.vpcId,
      securityGroupEgress: [custom ? NOTHING : EVERYTHING],
    });
    this.id = group.attrGroupId;
    for (const { id: name, what, ports } of AMONG_MEMBERS) {
      const rule = { groupId: this.id, description: `${what}, among members`, ...ports };
      new ec2.CfnSecurityGroupIngress(this, `From${name}`, { ...rule, sourceSecurityGroupId: this.id });
      if (custom) new ec2.CfnSecurityGroupEgress(this, `To${name}`, { ...rule, destinationSecurityGroupId: this.id });
    }
    for (const rule of all(props.ingress)) this.allow('In', rule, props.values);
    for (const rule of all(props.egress)) this.allow('Out', rule, props.values);
  }

  /** A resource for each rule, so that what its reviewer accepted holds for it alone. */
  private allow(direction: 'In' | 'Out', rule: Rule, values: Values): void {
    const common = { groupId: this.id, description: rule.description && values.text(rule.description), ...ports(rule) };
    const peer = (rule.cidr ?? rule.sgId ?? rule.prefixList ?? '').replaceAll('/', '|');
    const id = [direction, peer, common.ipProtocol, common.fromPort, common.toPort]
      .filter((part) => part !== undefined)
      .join(' ');
    const { cidr: cidrIp } = rule;
    const group = rule.sgId && values.text(rule.sgId);
    const prefixList = rule.prefixList && values.text(rule.prefixList);
    const resource =
      direction === 'In'
        ? new ec2.CfnSecurityGroupIngress(this, id, {
            ...common,
            cidrIp,
            sourceSecurityGroupId: group,
            sourcePrefixListId: prefixList,
          })
        : new ec2.CfnSecurityGroupEgress(this, id, {
            ...common,
            cidrIp,
            destinationSecurityGroupId: group,
            destinationPrefixListId: prefixList,
          });
    for (const { id: finding, reason } of rule.suppressions ?? [])
      Validations.of(resource).acknowledge({ id: finding, reason });
  }
}

function all(rules: Rules): Rule[] {
  return [...(rules.ipv4 ?? []), ...(rules.sg ?? []), ...(rules.prefixList ?? [])];
}

/** A rule's protocol and ports in EC2's words: ICMP's type and code are "ports", and -1 means all of them. */
function ports(rule: Rule): Ports {
  const ipProtocol = { all: '-1', esp: '50' }[rule.protocol] ?? rule.protocol;
  if (ipProtocol === '-1' || ipProtocol === '50') return { ipProtocol };
  if (['icmp', 'icmpv6', '1', '58'].includes(ipProtocol)) {
    return { ipProtocol, fromPort: rule.port ?? -1, toPort: rule.toPort ?? -1 };
  }
  if (rule.port === undefined) return { ipProtocol };
  return { ipProtocol, fromPort: rule.port, toPort: rule.toPort ?? rule.port };
}
