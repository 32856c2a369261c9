import type { Approved } from '../../lib/guardrails/library/approved';

/** What the cases take as approved: every guardrail has its parameters. */
export const APPROVED: Approved = {
  instanceTypes: {
    notebooks: ['ml.c5.large', 'ml.m5.large', 'ml.t3.medium', 'system'],
    jobs: ['ml.m5.*', 'ml.g5.xlarge'],
    endpoints: ['ml.m5.large', 'ml.c6i.*'],
  },
  images: [
    'arn:aws:sagemaker:us-east-1:111122223333:image/approved',
    'arn:aws:sagemaker:us-east-1:885854791233:image/sagemaker-distribution-*',
  ],
  access: {
    vpcEndpoints: ['vpce-111bbccc', 'vpce-111bbddd'],
    vpcs: ['vpc-0aaa1111bbbb2222c'],
    ranges: { public: ['192.0.2.0/24', '203.0.113.0/24'], private: ['10.1.0.0/16'], vpcs: ['vpc-0aaa1111bbbb2222c'] },
    vpcAddresses: { ranges: ['10.1.0.0/16', '10.9.8.0/24'], vpcs: ['vpc-0aaa1111bbbb2222c', 'vpc-0ddd3333eeee4444f'] },
    openers: ['arn:aws:iam::*:role/studio-access', 'arn:aws:iam::111122223333:role/execution-*'],
  },
  network: {
    subnets: ['subnet-aaaa1111', 'subnet-bbbb2222'],
    securityGroups: ['sg-aaaa1111', 'sg-bbbb2222'],
    studioSecurityGroups: ['sg-dddd1111', 'sg-dddd2222'],
  },
  identityTag: 'studiouserid',
  domainTag: 'DomainName',
  domainAdministrators: ['arn:aws:iam::*:role/studio-access', 'arn:aws:iam::*:role/cdk-deploy'],
  requiredTags: { profiles: ['CostCenter'], jobs: ['Project', 'Environment'] },
  imageAdministrators: ['arn:aws:iam::*:role/ml-administrator'],
};
