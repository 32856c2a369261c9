import type { AddressRanges, VpcAddresses } from './approved';
import { OPEN, OPEN_STUDIO } from './actions';
import { type Conditions, type Statement, butFor, deny } from './statement';

/**
 * A service that calls on behalf of a principal (forward access sessions) comes from its own network: neither address
 * nor endpoint says anything then. The key is in every request; were it not, the guardrail would still deny.
 */
const NOT_BY_A_SERVICE = { BoolIfExists: { 'aws:ViaAWSService': 'false' } };

/**
 * Denies to open Studio but through these interface endpoints.
 *
 * A request over the internet has no `aws:SourceVpce`, and a negated operator matches a missing key: it is denied, the
 * console's requests among them. Not with `fromIpRanges`.
 */
export function viaVpcEndpoints(endpoints: readonly string[]): Statement[] {
  return [deny('StudioViaVpcEndpoints', OPEN, otherwise({ StringNotEquals: { 'aws:SourceVpce': endpoints } }))];
}

/** Denies to open Studio but through an endpoint in these VPCs; a missing key is denied as well. Not with `fromIpRanges`. */
export function viaVpcs(vpcs: readonly string[]): Statement[] {
  return [deny('StudioViaVpcs', OPEN, otherwise({ StringNotEquals: { 'aws:SourceVpc': vpcs } }))];
}

/**
 * Denies to open Studio but from these addresses.
 *
 * A request has `aws:SourceIp` (over the internet) or `aws:VpcSourceIp` (through an endpoint), never both: the one it
 * lacks matches its negated operator, the other decides, and a request with neither is denied. Private addresses are
 * the same in everybody's VPC, so they count in the given VPCs only.
 */
export function fromIpRanges(ranges: AddressRanges): Statement[] {
  // A policy may hold no empty list. A key that is left out is one that no request may come with instead of the other.
  const inside: Conditions = {
    NotIpAddress: {
      ...(ranges.public.length > 0 && { 'aws:SourceIp': ranges.public }),
      ...(ranges.private.length > 0 && { 'aws:VpcSourceIp': ranges.private }),
    },
  };
  return [
    deny('StudioFromIpRanges', OPEN, otherwise(inside)),
    ...(ranges.private.length > 0
      ? [
          deny(
            'StudioFromIpRangesOfVpcs',
            OPEN,
            otherwise({ StringNotEquals: { 'aws:SourceVpc': ranges.vpcs }, Null: { 'aws:VpcSourceIp': 'false' } }),
          ),
        ]
      : []),
  ];
}

/**
 * Denies to open Studio but through an endpoint in these VPCs and from these addresses: those of the functions that ask
 * for the URL, and those of the browsers that open it (over a VPN or a line of the company's own).
 *
 * Only a request through an endpoint has `aws:VpcSourceIp`; a negated operator matches the missing key, so that a request
 * over the internet is denied. The addresses are the same in everybody's VPC, hence the second statement.
 */
export function fromVpcAddresses({ ranges, vpcs }: VpcAddresses): Statement[] {
  return [
    deny('StudioFromVpcAddresses', OPEN, otherwise({ NotIpAddress: { 'aws:VpcSourceIp': ranges } })),
    deny('StudioFromVpcAddressesOfVpcs', OPEN, otherwise({ StringNotEquals: { 'aws:SourceVpc': vpcs } })),
  ];
}

/**
 * Denies to open Studio to everybody but these roles: nobody comes in from the console, or past the sign-in.
 *
 * Among them are the role that opens Studio for people after their sign-in, and the execution roles of domains: from
 * inside, Studio opens applications of the own profile with them.
 */
export function byOpenersOnly(openers: readonly string[]): Statement[] {
  return [deny('StudioByOpenersOnly', OPEN_STUDIO, butFor(openers))];
}

function otherwise(conditions: Conditions): Conditions {
  return { ...conditions, ...NOT_BY_A_SERVICE };
}
