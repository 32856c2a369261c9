import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { taggable, untagged } from '../tags';
import { EXAMPLE, makeGuardrails } from './stacks';

describe('E7 the cost-allocation tags of people and guardrails', () => {
  it('E7 are on the roles, the budget and the SCPs', () => {
    const { app } = makeGuardrails(EXAMPLE);
    assert.deepEqual(untagged(app), []);
    assert.equal(taggable(app), 8, 'two roles, the budget, four SCPs, one RCP');
  });
});
