import assert from 'node:assert/strict';
import type { Statement } from '../policies';
import type { Reasons } from './kinds';

/** What is found has a reason, and each reason is for something that is found. */
export function compare(found: readonly string[], reasons: Reasons): void {
  assert.deepEqual([...new Set(found)].filter((one) => !(one in reasons)).sort(), [], 'without a reason');
  assert.deepEqual(
    Object.keys(reasons).filter((one) => !found.includes(one)),
    [],
    'a reason for nothing',
  );
}

/** What holds a `*` in a statement, except the resource `*`, which is looked at with its action. */
export function wildcardsIn({ effect, actions, resources, principals, conditions }: Statement): string[] {
  const said = [
    ...actions.map((value) => `action ${value}`),
    ...resources.filter((value) => value !== '*').map((value) => `resource ${value}`),
    ...principals.map((value) => `principal ${value}`),
    ...Object.values(conditions).flatMap((keys) =>
      Object.values(keys)
        .flat()
        .map((value) => `condition ${value}`),
    ),
  ];
  return said.filter((value) => value.includes('*')).map((value) => `${effect} ${value}`);
}
