import type { Approved } from './approved';
import { CATALOGUE, type Guardrail } from './catalogue';
import { type Document, type Statement, minified } from './statement';

/** Characters of an SCP at most (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html). */
export const SCP_LIMIT = 5120;
/** SCPs on one target at most, without `FullAWSAccess`, which one needs besides these (same page). */
export const SCPS_PER_TARGET = 4;
/** Characters of a managed policy at most (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
export const MANAGED_POLICY_LIMIT = 6144;

/** The guardrails that are applied. */
export function applied(omit: readonly string[] = []): Guardrail[] {
  return CATALOGUE.filter(({ id }) => !omit.includes(id));
}

/** The statements of several guardrails. */
export function statementsOf(guardrails: readonly Guardrail[], approved: Approved): Statement[] {
  return guardrails.flatMap(({ statements }) => statements(approved));
}

/**
 * Statements as SCPs, as few as they fit in, in order.
 *
 * @param exempt ARNs of roles whom no statement binds (break-glass, the portal that opens Studio for others); `*` allowed.
 */
export function asServiceControlPolicies(statements: readonly Statement[], exempt: readonly string[]): Document[] {
  const documents = fill(
    statements.map((statement) => but(statement, exempt)),
    SCP_LIMIT,
  );
  if (documents.length > SCPS_PER_TARGET) {
    throw new Error(
      `the guardrails fill ${documents.length} SCPs, and a target takes ${SCPS_PER_TARGET} beside \`FullAWSAccess\`: \`omit\` some, or shorten lists with \`*\``,
    );
  }
  return documents;
}

/** Statements as managed policies, as few as they fit in, in order. Attached to a role they deny; they allow nothing. */
export function asManagedPolicies(statements: readonly Statement[]): Document[] {
  return fill(statements, MANAGED_POLICY_LIMIT);
}

/** A boundary allows as well: without an allow it would deny everything. */
export interface Allowance {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: '*';
}

/**
 * Statements as the permissions boundary of a role, which is one policy and cannot be split.
 *
 * @param services prefixes (`sagemaker`, `s3`) of what the role's own policies may allow at all.
 */
export function asBoundary(
  statements: readonly Statement[],
  services: readonly string[],
): Document<Statement | Allowance> {
  const allowance: Allowance = {
    Sid: 'WhatOtherPoliciesMayAllow',
    Effect: 'Allow',
    Action: services.map((service) => `${service}:*`),
    Resource: '*',
  };
  const document = { Version: '2012-10-17', Statement: [allowance, ...statements] } as const;
  const size = minified(document).length;
  if (size > MANAGED_POLICY_LIMIT) {
    throw new Error(
      `the boundary has ${size} characters, and a policy takes ${MANAGED_POLICY_LIMIT}: name fewer guardrails for it`,
    );
  }
  return document;
}

function but(statement: Statement, exempt: readonly string[]): Statement {
  if (exempt.length === 0) return statement;
  const already = statement.Condition?.['ArnNotLike'] ?? {};
  const principals = [...[already['aws:PrincipalArn'] ?? []].flat(), ...exempt];
  return {
    ...statement,
    Condition: { ...statement.Condition, ArnNotLike: { ...already, 'aws:PrincipalArn': principals } },
  };
}

/** First in, first out: names of the documents stay while statements come and go at the end. */
function fill(statements: readonly Statement[], limit: number): Document[] {
  const documents: Statement[][] = [];
  const document = (content: readonly Statement[]): Document => ({ Version: '2012-10-17', Statement: content });
  for (const statement of statements) {
    const last = documents.at(-1);
    if (last && minified(document([...last, statement])).length <= limit) last.push(statement);
    else if (minified(document([statement])).length <= limit) documents.push([statement]);
    else
      throw new Error(
        `the statement \`${statement.Sid}\` alone exceeds ${limit} characters: shorten its list with \`*\``,
      );
  }
  return documents.map(document);
}
