import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { statementsOf } from '../../lib/guardrails/library/compose';
import { APPROVED } from './approved';
import { CASES } from './cases';
import { KINDS, decide } from './simulator';

const STATEMENTS = statementsOf(CATALOGUE, APPROVED);
const only = (sid: string) => {
  const found = STATEMENTS.filter(({ Sid }) => Sid === sid);
  assert.equal(found.length, 1, `${sid}: ${found.length} statements`);
  return { Version: '2012-10-17', Statement: found };
};

describe('E1 every statement of the guardrails, alone, against an independent simulator', () => {
  for (const sid of [...new Set(CASES.map((one) => one.sid))]) {
    describe(sid, () => {
      for (const { what, expected, request } of CASES.filter((one) => one.sid === sid)) {
        it(`${expected}: ${what}`, async () => {
          const policy = only(sid);
          for (const kind of KINDS) assert.equal(await decide([policy], kind, request), expected, kind);
        });
      }
    });
  }
});

describe('E1 the table of the cases', () => {
  const has = (sid: string, expected: string) => CASES.some((one) => one.sid === sid && one.expected === expected);

  it('E1 holds a request to deny and one to allow for every statement', () => {
    const without = STATEMENTS.filter(({ Sid }) => !has(Sid, 'denied') || !has(Sid, 'allowed')).map(({ Sid }) => Sid);
    assert.deepEqual(without, []);
  });

  it('E1 denies every action that a statement names at least once', () => {
    const without = STATEMENTS.flatMap(({ Sid, Action }) =>
      Action.filter(
        (action) =>
          !CASES.some(
            (one) => one.sid === Sid && one.expected === 'denied' && `sagemaker:${one.request.action}` === action,
          ),
      ).map((action) => `${Sid}: ${action}`),
    );
    assert.deepEqual(without, []);
  });

  it('E1 speaks of no statement that is not made', () => {
    const sids = STATEMENTS.map(({ Sid }) => Sid);
    assert.deepEqual(
      CASES.filter(({ sid }) => !sids.includes(sid)),
      [],
    );
    assert.equal(new Set(sids).size, sids.length, 'the same Sid twice');
  });

  it("E1 finds a principal allowed what no guardrail speaks of, so that a denial is the guardrail's own", async () => {
    const nothing = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 's3:GetObject', Resource: '*' }] };
    for (const kind of KINDS) {
      for (const { request } of CASES) assert.equal(await decide([nothing], kind, request), 'allowed');
    }
  });
});

describe('E1 every condition', () => {
  /** Does any case come out otherwise under this statement? */
  const noticed = async (sid: string, changed: unknown) => {
    const policy = { Version: '2012-10-17', Statement: [changed] };
    for (const { request, expected } of CASES.filter((one) => one.sid === sid)) {
      if ((await decide([policy], 'identity policy', request)) !== expected) return true;
    }
    return false;
  };

  /** The simulator takes a variable without a value for no match; whoever takes it for a text needs these. */
  const INSURANCE = [
    'OwnProfileOfUser: Null aws:username',
    'OwnProfileOfFederated: Null aws:username',
    'OwnProfileOfFederated: Null aws:PrincipalTag/studiouserid',
    'OwnDomainRequested: Null aws:PrincipalTag/DomainName',
    'OwnDomainUsed: Null aws:PrincipalTag/DomainName',
  ];

  it('E1 is needed: without it, some case comes out otherwise', async () => {
    const needless: string[] = [];
    for (const statement of STATEMENTS) {
      for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
        for (const key of Object.keys(keys)) {
          const { [key]: _, ...others } = keys;
          const { [operator]: __, ...rest } = statement.Condition ?? {};
          const Condition = Object.keys(others).length > 0 ? { ...rest, [operator]: others } : rest;
          if (!(await noticed(statement.Sid, { ...statement, Condition })))
            needless.push(`${statement.Sid}: ${operator} ${key}`);
        }
      }
    }
    assert.deepEqual(needless, INSURANCE);
  });

  it('E1 has each of its values needed', async () => {
    const needless: string[] = [];
    for (const statement of STATEMENTS) {
      for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
        for (const [key, values] of Object.entries(keys)) {
          if (typeof values === 'string' || values.length < 2) continue;
          for (const value of values) {
            const Condition = {
              ...statement.Condition,
              [operator]: { ...keys, [key]: values.filter((other) => other !== value) },
            };
            if (!(await noticed(statement.Sid, { ...statement, Condition })))
              needless.push(`${statement.Sid}: ${operator} ${key} ${value}`);
          }
        }
      }
    }
    assert.deepEqual(needless, []);
  });
});
