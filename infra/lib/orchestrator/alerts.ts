import { Stack } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmsMay } from '../shared/confused-deputy';

export interface AlertsProps {
  readonly prefix: string;
  readonly key: kms.IKey;
  readonly email?: string;
  readonly endpoint?: string;
}

/** The topic's name: stacks that come and go beside the orchestrator's know it by that. */
export function alertsTopic(prefix: string): string {
  return `${prefix}-alerts`;
}

/** The topic that people are alerted by: failures of runs, and the alarms. */
export class Alerts extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id);
    this.topic = new sns.Topic(this, 'Topic', {
      topicName: alertsTopic(props.prefix),
      displayName: `${props.prefix} alerts`,
      masterKey: props.key,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      alarmsMay(Stack.of(this), props.prefix, {
        sid: 'AlarmsPublish',
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
      }),
    );
    if (props.email !== undefined) this.topic.addSubscription(new subscriptions.EmailSubscription(props.email));
    if (props.endpoint !== undefined) this.topic.addSubscription(new subscriptions.UrlSubscription(props.endpoint));
  }
}
