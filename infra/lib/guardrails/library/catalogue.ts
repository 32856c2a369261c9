import { byOpenersOnly, fromIpRanges, fromVpcAddresses, viaVpcEndpoints, viaVpcs } from './access';
import type { Approved } from './approved';
import { type Network, domainsInVpc } from './domains';
import * as encryption from './encryption';
import { appImageConfigs, approvedImages } from './images';
import { endpointInstanceTypes, jobInstanceTypes, notebookInstanceTypes } from './instance-types';
import { jobNetwork, monitoringScheduleNetwork } from './jobs';
import { ownDomain, ownDomainTagKept } from './own-domain';
import { ownProfile, ownProfileTagKept } from './profiles';
import { notebookInstanceNetwork } from './notebook-instances';
import type { Statement } from './statement';
import { jobTags, profileTags } from './tags';

/** A guardrail: an idea that a reviewer accepts or refuses as a whole. */
export interface Guardrail {
  /** What the configuration and the published file call it. */
  readonly id: string;
  /**
   * Whom it binds as a policy of the account: everyone, or those who use Studio and not those who administer it.
   * As an SCP it binds everyone but the exempt.
   */
  readonly binds: 'everyone' | 'users';
  /** Its statements; none when what it needs is not given. */
  readonly statements: (approved: Approved) => readonly Statement[];
}

/** With its parameter, or not at all. */
function given<T>(value: T | undefined, make: (value: T) => Statement[]): Statement[] {
  return value === undefined ? [] : make(value);
}

/** What Studio's own network may be. */
function ofStudio({ network }: Approved): Network {
  return { subnets: network.subnets, securityGroups: network.studioSecurityGroups };
}

/** Every guardrail, in the order of the policies. */
export const CATALOGUE: readonly Guardrail[] = [
  {
    id: 'notebook-instance-types',
    binds: 'everyone',
    statements: (a) => given(a.instanceTypes.notebooks, notebookInstanceTypes),
  },
  {
    id: 'job-instance-types',
    binds: 'everyone',
    statements: (a) => given(a.instanceTypes.jobs, jobInstanceTypes),
  },
  {
    id: 'endpoint-instance-types',
    binds: 'everyone',
    statements: (a) => given(a.instanceTypes.endpoints, endpointInstanceTypes),
  },
  { id: 'notebook-instance-network', binds: 'everyone', statements: (a) => notebookInstanceNetwork(a.network) },
  { id: 'notebook-instance-encryption', binds: 'everyone', statements: encryption.notebookInstanceEncryption },
  { id: 'domains-in-vpc', binds: 'everyone', statements: (a) => domainsInVpc(ofStudio(a)) },
  { id: 'approved-images', binds: 'everyone', statements: (a) => given(a.images, approvedImages) },
  { id: 'domain-encryption', binds: 'everyone', statements: encryption.domainEncryption },
  { id: 'sharing-encryption', binds: 'everyone', statements: encryption.sharingEncryption },
  { id: 'sharing-encryption-on-update', binds: 'everyone', statements: encryption.sharingEncryptionOnUpdate },
  {
    id: 'profile-tags',
    binds: 'everyone',
    statements: (a) => profileTags([a.identityTag, ...a.requiredTags.profiles]),
  },
  { id: 'job-network', binds: 'everyone', statements: (a) => jobNetwork(a.network) },
  { id: 'job-encryption', binds: 'everyone', statements: encryption.jobEncryption },
  { id: 'job-tags', binds: 'everyone', statements: (a) => jobTags(a.requiredTags.jobs) },
  { id: 'endpoint-encryption', binds: 'everyone', statements: encryption.endpointEncryption },
  { id: 'monitoring-schedule-network', binds: 'everyone', statements: (a) => monitoringScheduleNetwork(a.network) },
  { id: 'monitoring-schedule-encryption', binds: 'everyone', statements: encryption.monitoringScheduleEncryption },
  { id: 'monitoring-definition-encryption', binds: 'everyone', statements: encryption.monitoringDefinitionEncryption },
  { id: 'app-image-configs', binds: 'users', statements: (a) => appImageConfigs(a.imageAdministrators) },
  { id: 'own-profile', binds: 'users', statements: (a) => ownProfile(a.identityTag, a.access.openers) },
  { id: 'own-profile-tag', binds: 'users', statements: (a) => ownProfileTagKept(a.identityTag) },
  {
    id: 'own-domain',
    binds: 'users',
    statements: (a) => given(a.domainTag, (tag) => ownDomain(tag, a.domainAdministrators)),
  },
  {
    id: 'own-domain-tag',
    binds: 'users',
    statements: (a) => given(a.domainTag, (tag) => ownDomainTagKept(tag, a.domainAdministrators)),
  },
  {
    id: 'studio-via-vpc-endpoints',
    binds: 'users',
    statements: (a) => given(a.access.vpcEndpoints, viaVpcEndpoints),
  },
  { id: 'studio-via-vpcs', binds: 'users', statements: (a) => given(a.access.vpcs, viaVpcs) },
  { id: 'studio-from-ip-ranges', binds: 'users', statements: (a) => given(a.access.ranges, fromIpRanges) },
  {
    id: 'studio-from-vpc-addresses',
    binds: 'users',
    statements: (a) => given(a.access.vpcAddresses, fromVpcAddresses),
  },
  { id: 'studio-by-openers-only', binds: 'users', statements: (a) => given(a.access.openers, byOpenersOnly) },
];
