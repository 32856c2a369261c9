import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

export interface MonthlyBudgetProps {
  /** US dollars a month. */
  readonly limit: number;
  /** The value of the tag `Project` whose costs count. */
  readonly project: string;
  /** Whom AWS Budgets writes to. */
  readonly emails: readonly string[];
  /** A topic whose policy, and whose key's, let `budgets.amazonaws.com` publish. */
  readonly topicArn?: string;
}

/** Per cent of the limit at which people are told: of what was spent, and of what the month is likely to come to. */
const NOTICES = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'FORECASTED', threshold: 100 },
];

/**
 * A budget for what carries the tag `Project`, told of before it is used up. It stops nothing.
 *
 * The tag counts once it is activated as a cost allocation tag (in the management account, or an account of its own).
 */
export class MonthlyBudget extends Construct {
  constructor(scope: Construct, id: string, props: MonthlyBudgetProps) {
    super(scope, id);
    const subscribers = [
      ...props.emails.map((address) => ({ subscriptionType: 'EMAIL', address })),
      ...(props.topicArn === undefined ? [] : [{ subscriptionType: 'SNS', address: props.topicArn }]),
    ];
    if (subscribers.length === 0) {
      throw new Error(
        'the budget has nobody to tell: give `budget.emails`, `budget.topic`, or the context `alertEmail`',
      );
    }
    // Limits of AWS Budgets: per notice ten addresses and one topic.
    if (props.emails.length > 10) throw new Error(`the budget has ${props.emails.length} addresses: give at most 10`);
    new CfnBudget(this, 'Budget', {
      budget: {
        // No name of its own: who is told cannot be changed in place, and a second budget of one name is refused.
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: props.limit, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:Project$${props.project}`] },
      },
      notificationsWithSubscribers: NOTICES.map((notice) => ({
        notification: { ...notice, comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE' },
        subscribers,
      })),
    });
  }
}
