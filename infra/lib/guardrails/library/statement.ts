/** Condition operator → condition key → values. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** One statement of a guardrail. It denies: what a guardrail does not deny is for other policies to allow. */
export interface Statement {
  /** Unique in the library: letters and digits. */
  readonly Sid: string;
  readonly Effect: 'Deny';
  readonly Action: readonly string[];
  /** A deny binds every resource: conditions, not names, say which request is meant. */
  readonly Resource: '*';
  readonly Condition?: Conditions;
}

/** A policy document: of IAM, or of an organisation (SCP). */
export interface Document<S = Statement> {
  readonly Version: '2012-10-17';
  readonly Statement: readonly S[];
}

/**
 * A deny.
 *
 * All conditions of one statement must hold for it to deny: requirements that are independent of each other are
 * therefore statements of their own, never keys of one.
 *
 * @param actions names of SageMaker actions, without the service.
 */
export function deny(Sid: string, actions: readonly string[], Condition?: Conditions): Statement {
  const Action = actions.map((action) => `sagemaker:${action}`);
  return { Sid, Effect: 'Deny', Action, Resource: '*', ...(Condition && { Condition }) };
}

/** Everybody but these roles, by ARNs that may hold `*`; no condition where none is given. */
export function butFor(roles: readonly string[]): Conditions {
  return roles.length === 0 ? {} : { ArnNotLike: { 'aws:PrincipalArn': roles } };
}

/** The key is missing from the request. */
export function missing(key: string): Conditions {
  return { Null: { [key]: 'true' } };
}

/**
 * At least one of the request's values is none of the approved; no value at all does not match.
 *
 * `ForAllValues` in its place would let one approved value excuse the others, and match a request without any.
 */
export function anyUnapproved(key: string, approved: readonly string[]): Conditions {
  return { 'ForAnyValue:StringNotLike': { [key]: approved } };
}

/** A policy, in the shortest form, which is the one whose characters AWS counts. */
export function minified(document: Document<unknown>): string {
  return JSON.stringify(document);
}
