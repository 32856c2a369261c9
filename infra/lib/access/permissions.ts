import { Stack } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { KEY_USE } from '../shared/key-use';
import { OWNER_TAG } from '../studio/profiles';
import type { Values } from '../studio/values';
import type { AccessDomain } from './config/access';
import type { Places } from './places';

/** The tag of profiles that says which domain they belong to, by its name. */
export const DOMAIN_TAG = 'DomainName';

type Conditions = Record<string, Record<string, unknown>>;

/**
 * What the functions remember: pending requests, tickets, replays. All is written and used up under conditions, which give
 * back what was there: nothing is read or listed.
 */
export function remember(table: dynamodb.ITable, key: kms.IKey): iam.PolicyStatement[] {
  const { region } = Stack.of(table);
  return [
    new iam.PolicyStatement({
      sid: 'Remember',
      actions: ['dynamodb:DeleteItem', 'dynamodb:PutItem'],
      resources: [table.tableArn],
    }),
    new iam.PolicyStatement({
      sid: 'UnderTheKey',
      actions: KEY_USE,
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` } },
    }),
  ];
}

export interface EntryProps {
  readonly values: Values;
  readonly domains: readonly AccessDomain[];
  readonly places: Places;
  /** What the owner's tag has to be; absent: whatever the function decides, which checked who it is. */
  readonly owner?: string;
  /** Whether the role of a profile is chosen by a claim. */
  readonly roleByClaim: boolean;
}

/** Letting people into these domains: find the domain, where the file has no id, make the profile, ask for its URL. */
export function entry(stack: Stack, props: EntryProps): iam.PolicyStatement[] {
  const { domains, places, values, owner } = props;
  const names = domains.map(({ name }) => name);
  const ids = domains.map(({ id }) => (id === undefined ? '*' : values.text(id)));
  const profiles = (ids.includes('*') ? ['*'] : ids).map((id) =>
    stack.formatArn({ service: 'sagemaker', resource: 'user-profile', resourceName: `${id}/*` }),
  );
  const allow = (sid: string, actions: string[], resources: string[], conditions?: Conditions) =>
    new iam.PolicyStatement({ sid, actions, resources, conditions });
  const own = owner === undefined ? {} : { [`sagemaker:ResourceTag/${OWNER_TAG}`]: owner };
  const ours = { ...own, [`sagemaker:ResourceTag/${DOMAIN_TAG}`]: names };

  const keys = [OWNER_TAG, DOMAIN_TAG, ...new Set(domains.flatMap(({ tags }) => Object.keys(tags)))];
  // A session of a person's own is for one domain: it writes the values of the file, or somebody could write another team's.
  const fixed = owner === undefined ? {} : (domains[0]?.tags ?? {});
  const tagged: Conditions = {
    StringEquals: {
      ...(owner !== undefined && { [`aws:RequestTag/${OWNER_TAG}`]: owner }),
      ...Object.fromEntries(Object.entries(fixed).map(([key, value]) => [`aws:RequestTag/${key}`, values.text(value)])),
      [`aws:RequestTag/${DOMAIN_TAG}`]: names,
    },
    'ForAllValues:StringEquals': { 'aws:TagKeys': keys },
    ...(owner === undefined && { Null: { [`aws:RequestTag/${OWNER_TAG}`]: 'false' } }),
  };
  const roles = executionRoles(props);
  return [
    ...(ids.includes('*') ? [allow('FindTheDomain', ['sagemaker:ListDomains'], ['*'])] : []),
    // Without a condition on tags: of a profile that is not there yet, IAM knows none, and would say "denied".
    allow('SeeProfiles', ['sagemaker:DescribeUserProfile', 'sagemaker:ListTags'], profiles),
    allow('MakeProfiles', ['sagemaker:CreateUserProfile'], profiles, tagged),
    allow('TagWhatIsNew', ['sagemaker:AddTags'], profiles, {
      StringEquals: { 'sagemaker:TaggingAction': 'CreateUserProfile' },
    }),
    ...(roles.length > 0
      ? [
          // Of a profile whose claim, or whose default, is another than when it was made.
          allow('ChangeTheRole', ['sagemaker:UpdateUserProfile'], profiles, { StringEquals: ours }),
          allow('PassTheRole', ['iam:PassRole'], roles, {
            StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
          }),
        ]
      : []),
    ...places.admitted.map((place, index) =>
      allow(`OpenStudio${index === 0 ? '' : index + 1}`, ['sagemaker:CreatePresignedDomainUrl'], profiles, {
        ...place,
        StringEquals: { ...place['StringEquals'], ...ours },
      }),
    ),
    ...places.refused.map(
      (conditions, index) =>
        new iam.PolicyStatement({
          sid: `FromElsewhereNobody${index === 0 ? '' : index + 1}`,
          effect: iam.Effect.DENY,
          actions: ['sagemaker:CreatePresignedDomainUrl'],
          resources: profiles,
          conditions,
        }),
    ),
  ];
}

/** Those that a profile may get: what claims choose from, and the defaults. */
function executionRoles({ domains, roleByClaim, values }: EntryProps): string[] {
  const given = domains.flatMap(({ executionRoles: chosen, defaultExecutionRole }) => [
    ...(roleByClaim ? Object.values(chosen) : []),
    ...(defaultExecutionRole === undefined ? [] : [defaultExecutionRole]),
  ]);
  return [...new Set(given)].map((role) => values.text(role));
}
