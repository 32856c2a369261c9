/** What is accepted, and why. */
export type Reasons = Readonly<Record<string, string>>;

/** A finding of a rule pack that stays. */
export interface Acknowledged {
  /** The rule, with the finding in brackets where it has several, such as `AwsSolutions-IAM5[Resource::*]`. */
  readonly rule: string;
  /** Matches the paths of the constructs it is about. */
  readonly at: RegExp;
  readonly reason: string;
}
