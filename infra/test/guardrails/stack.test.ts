import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { applied, statementsOf } from '../../lib/guardrails/library/compose';
import { EXAMPLE, makeGuardrails, resources } from './stacks';

const PARSED = parseGuardrails('example.yaml', EXAMPLE);
const { account, organization } = makeGuardrails(EXAMPLE);
const ACCOUNT = resources(account);
const ORGANIZATION = resources(organization!);
const ofType = (all: Record<string, any>, type: string): any[] =>
  Object.values(all)
    .filter((one) => one.Type === type)
    .map((one) => one.Properties);
const policies = ofType(ACCOUNT, 'AWS::IAM::ManagedPolicy');
const named = (pattern: RegExp) => policies.filter(({ ManagedPolicyName }) => pattern.test(ManagedPolicyName));
const sids = (documents: any[]) => documents.flatMap(({ Statement }) => Statement.map(({ Sid }: any) => Sid));
/** As it was written: CDK writes a list of one as the one. */
const loose = (value: any): any => {
  if (Array.isArray(value)) return value.length === 1 ? loose(value[0]) : value.map(loose);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, loose(inner)]));
};

describe('E1 the guardrails in an account', () => {
  it('E1 are managed policies with every statement that is applied, as the library has it', () => {
    const documents = named(/-guardrails-(everyone|users)-\d$/).map(({ PolicyDocument }) => PolicyDocument);
    const made = documents.flatMap(({ Statement }) => Statement);
    const wanted = statementsOf(applied(PARSED.omit), PARSED.approved);
    const bySid = (list: any[]) => [...list].sort((a, b) => (a.Sid < b.Sid ? -1 : 1)).map(loose);
    assert.deepEqual(bySid(made), bySid([...wanted]));
    assert.ok(!sids(documents).includes('StudioFromIpRanges'), 'omitted');
  });

  it('E1 are named stably and fit', () => {
    assert.deepEqual(
      named(/-guardrails-/).map(({ ManagedPolicyName }) => ManagedPolicyName),
      [
        'tidegate-guardrails-everyone-1',
        'tidegate-guardrails-everyone-2',
        'tidegate-guardrails-users-1',
        'tidegate-guardrails-boundary',
      ],
    );
    for (const { PolicyDocument } of named(/-guardrails-/)) assert.ok(JSON.stringify(PolicyDocument).length <= 6144);
  });

  it('E1 have a boundary only if asked, with the guardrails that were named', () => {
    const [boundary] = named(/-boundary$/);
    const wanted = CATALOGUE.filter(({ id }) => PARSED.boundary!.guardrails.includes(id));
    assert.deepEqual(sids([boundary.PolicyDocument]), [
      'WhatOtherPoliciesMayAllow',
      ...statementsOf(wanted, PARSED.approved).map(({ Sid }) => Sid),
    ]);
    const without = resources(makeGuardrails('identityTag: who').account);
    assert.ok(!ofType(without, 'AWS::IAM::ManagedPolicy').some(({ ManagedPolicyName: n }) => n.endsWith('boundary')));
  });
});

describe('E1 the guardrails in an organisation', () => {
  const scps = ofType(ORGANIZATION, 'AWS::Organizations::Policy').filter(
    ({ Type }) => Type === 'SERVICE_CONTROL_POLICY',
  );

  it('E1 are SCPs on the targets, a stack of their own', () => {
    assert.deepEqual(
      scps.map(({ Name, Type, TargetIds }) => [Name, Type, TargetIds]),
      [1, 2, 3, 4].map((n) => [`tidegate-guardrails-${n}`, 'SERVICE_CONTROL_POLICY', ['ou-ab12-cdef3456']]),
    );
    for (const { Content } of scps) assert.ok(JSON.stringify(Content).length <= 5120);
    assert.deepEqual(
      sids(scps.map(({ Content }) => Content)),
      statementsOf(applied(PARSED.omit), PARSED.approved).map(({ Sid }) => Sid),
    );
    assert.deepEqual(ofType(ACCOUNT, 'AWS::Organizations::Policy'), []);
  });

  it('E1 exempt in every statement the roles that are exempt', () => {
    for (const { Content } of scps)
      for (const { Sid, Condition } of Content.Statement)
        assert.ok([Condition.ArnNotLike['aws:PrincipalArn']].flat().includes('arn:aws:iam::*:role/break-glass'), Sid);
  });

  it('E1 come only when targets are named', () => {
    assert.equal(makeGuardrails('identityTag: who').organization, undefined);
  });
});

describe('E7 the budget', () => {
  const budgets = (all: Record<string, any>) => ofType(all, 'AWS::Budgets::Budget');

  it('E7 counts by month what carries the project, and tells at 80 % spent and 100 % foreseen', () => {
    const [{ Budget, NotificationsWithSubscribers }] = budgets(ACCOUNT) as [any];
    assert.deepEqual(Budget, {
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 500, Unit: 'USD' },
      CostFilters: { TagKeyValue: ['user:Project$tidegate'] },
    });
    const people = [{ SubscriptionType: 'EMAIL', Address: 'ml-platform@example.com' }];
    const notice = (NotificationType: string, Threshold: number) => ({
      Notification: { NotificationType, Threshold, ThresholdType: 'PERCENTAGE', ComparisonOperator: 'GREATER_THAN' },
      Subscribers: people,
    });
    assert.deepEqual(NotificationsWithSubscribers, [notice('ACTUAL', 80), notice('FORECASTED', 100)]);
  });

  it('E7 is made from the command line alone, for who gets the alerts', () => {
    const all = resources(makeGuardrails(undefined, { budget: '120', alertEmail: 'ops@example.com' }).account);
    assert.deepEqual(
      Object.values(all).map(({ Type }) => Type),
      ['AWS::Budgets::Budget'],
    );
    const [{ Budget, NotificationsWithSubscribers }] = budgets(all) as [any];
    assert.equal(Budget.BudgetLimit.Amount, 120);
    assert.deepEqual(NotificationsWithSubscribers[0].Subscribers, [
      { SubscriptionType: 'EMAIL', Address: 'ops@example.com' },
    ]);
  });

  it('E7 takes the amount of the command line before that of the file, and a topic besides', () => {
    const file = 'budget: { monthly: 5, topic: "arn:{{partition}}:sns:{{region}}:{{account}}:alerts" }';
    const [{ Budget, NotificationsWithSubscribers }] = budgets(
      resources(makeGuardrails(file, { budget: 7 }).account),
    ) as [any];
    assert.equal(Budget.BudgetLimit.Amount, 7);
    const [{ SubscriptionType, Address }] = NotificationsWithSubscribers[1].Subscribers;
    assert.equal(SubscriptionType, 'SNS');
    assert.match(JSON.stringify(Address), /AWS::Partition.*:sns:.*AWS::Region.*AWS::AccountId.*:alerts/);
  });

  it('E7 is refused with nobody to tell', () => {
    assert.throws(() => makeGuardrails('budget: { monthly: 5 }'), /nobody to tell: give `budget.emails`/);
    const many = Array.from({ length: 11 }, (_, n) => `a${n}@example.com`).join(', ');
    assert.throws(() => makeGuardrails(`budget: { monthly: 5, emails: [${many}] }`), /11 addresses: give at most 10/);
  });

  it('E7 is not made unless asked', () => {
    assert.deepEqual(budgets(resources(makeGuardrails('identityTag: who').account)), []);
  });
});

describe('the stacks of guardrails', () => {
  it('come out the same, byte for byte', () => {
    const templates = [1, 2].map(() => {
      const { app, outdir } = makeGuardrails(EXAMPLE);
      app.synth();
      return ['TidegateGuardrails', 'TidegateServiceControlPolicies'].map((name) =>
        readFileSync(join(outdir, `${name}.template.json`), 'utf8'),
      );
    });
    assert.deepEqual(templates[0], templates[1]);
  });
});
