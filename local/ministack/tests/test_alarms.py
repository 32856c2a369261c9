"""The evaluation of alarms, on MiniStack's own stores, with time as an argument."""

import json
import pathlib
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import alarms  # noqa: E402, found by the path above
from ministack.core.responses import request_scope  # noqa: E402
from ministack.services import cloudwatch, sns, sqs  # noqa: E402

ACCOUNT, REGION = "000000000000", "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
NOW = 1_800_000_000.0


class Alarms(unittest.TestCase):
    def setUp(self):
        cloudwatch.reset()
        sqs.reset()
        alarms.install()
        self.enterContext(request_scope(ACCOUNT, REGION))
        self.enterContext(mock.patch.object(alarms, "_watching_since", 0.0))
        self.published = []
        publish = lambda topic, text, subject: self.published.append((topic, json.loads(text), subject)) or {}  # noqa: E731
        self.enterContext(mock.patch.object(sns, "publish_internal", publish))

    def alarm(self, name="bad", **settings):
        alarm = {
            "AlarmName": name, "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
            "AlarmDescription": "what: see docs/RUNBOOK.md#where", "Namespace": "AWS/Lambda", "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}], "Statistic": "Sum", "Period": 300,
            "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching", "StateValue": "INSUFFICIENT_DATA", "StateReason": "",
            "AlarmActions": [TOPIC], "AlarmConfigurationUpdatedTimestamp": int(NOW - 10_000), **settings,
        }
        cloudwatch._alarms[name] = alarm
        return alarm

    def record(self, value, age, name="Errors", function="f", namespace="AWS/Lambda"):
        points = cloudwatch._metric_bucket((namespace, name, f"FunctionName={function}"))
        points.append({"Timestamp": NOW - age, "Value": float(value)})

    def queue(self, *visible_at):
        sqs._act_create_queue({"QueueName": "q"}, "")
        queue = sqs._queue_by_arn(f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")
        queue["messages"] = [{"visible_at": at} for at in visible_at]
        return queue

    def on_queue(self, **settings):
        return self.alarm(Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Statistic="Maximum",
                          Dimensions=[{"Name": "QueueName", "Value": "q"}], Period=60, **settings)

    def test_a_message_in_a_queue_rings_once_and_its_end_is_seen(self):
        queue, alarm = self.queue(NOW - 1), self.on_queue()
        self.assertEqual([alarms.look(NOW), alarms.look(NOW + 5)], [1, 0])
        self.assertEqual(alarm["StateValue"], "ALARM")
        self.assertEqual(len(self.published), 1)
        queue["messages"].clear()
        self.assertEqual((alarms.look(NOW + 10), alarm["StateValue"]), (1, "OK"))
        queue["messages"].append({"visible_at": NOW})
        alarms.look(NOW + 15)
        self.assertEqual([each[1]["NewStateValue"] for each in self.published], ["ALARM", "ALARM"])

    def test_a_message_that_is_delayed_or_taken_is_not_visible(self):
        self.queue(NOW + 30)
        alarm = self.on_queue()
        alarms.look(NOW)
        self.assertEqual(alarm["StateValue"], "OK")
        alarms.look(NOW + 31)
        self.assertEqual(alarm["StateValue"], "ALARM")

    def test_the_message_is_cloudwatchs(self):
        self.queue(NOW)
        self.on_queue(OKActions=["arn:aws:automate:eu-central-1:ec2:stop"])
        alarms.look(NOW)
        [(topic, message, subject)] = self.published
        self.assertEqual((topic, subject), (TOPIC, 'ALARM: "bad" in eu-central-1'))
        self.assertEqual(message["Trigger"].pop("Dimensions"), [{"value": "q", "name": "QueueName"}])
        self.assertEqual(message["Trigger"].pop("Statistic"), "MAXIMUM")
        self.assertEqual({key: message[key] for key in message if key != "Trigger"}, {
            "AlarmName": "bad", "AlarmDescription": "what: see docs/RUNBOOK.md#where", "AWSAccountId": ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": "2027-01-15T05:13:20.000+0000", "NewStateValue": "ALARM",
            "NewStateReason":
                "Threshold Crossed: 1 datapoint [1] was greater than or equal to the threshold (1).",
            "StateChangeTime": "2027-01-15T08:00:00.000+0000", "Region": REGION,
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:bad", "OldStateValue": "INSUFFICIENT_DATA",
            "OKActions": ["arn:aws:automate:eu-central-1:ec2:stop"], "AlarmActions": [TOPIC],
            "InsufficientDataActions": [],
        })

    def test_the_state_and_its_history_are_what_the_api_tells(self):
        self.queue(NOW)
        self.on_queue()
        alarms.look(NOW)
        answer = cloudwatch._describe_alarms({}, {"StateValue": "ALARM"}, False, True)
        [found] = json.loads(answer[2])["MetricAlarms"]
        self.assertEqual((found["AlarmName"], found["StateReason"][:17]), ("bad", "Threshold Crossed"))
        self.assertEqual(cloudwatch._history_entries()[-1]["HistorySummary"],
                         "Alarm updated from INSUFFICIENT_DATA to ALARM")

    def test_figures_of_other_functions_and_of_long_ago_do_not_count(self):
        alarm = self.alarm()
        self.record(1, 10, function="g")
        self.record(1, 301)
        self.record(0, 20)
        alarms.look(NOW)
        self.assertEqual((alarm["StateValue"], self.published), ("OK", []))
        self.record(1, 0)
        alarms.look(NOW)
        self.assertEqual(alarm["StateValue"], "ALARM")
        alarms.look(NOW + 301)
        self.assertEqual(alarm["StateValue"], "OK")

    def test_missing_data_means_what_the_alarm_says(self):
        expected = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "ignore": "kept"}
        for policy, state in expected.items():
            alarm = self.alarm(policy, TreatMissingData=policy, StateValue="kept")
            alarms.look(NOW)
            self.assertEqual(alarm["StateValue"], state, policy)

    def test_missing_data_does_not_ring_before_anything_could_have_come(self):
        settings = dict(MetricName="Invocations", ComparisonOperator="LessThanThreshold", TreatMissingData="breaching",
                        Period=900)
        new = self.alarm("new", AlarmConfigurationUpdatedTimestamp=int(NOW - 899), **settings)
        old = self.alarm("old", **settings)
        with mock.patch.object(alarms, "_watching_since", NOW - 899):
            alarms.look(NOW)
            self.assertEqual([new["StateValue"], old["StateValue"]], ["INSUFFICIENT_DATA"] * 2)
            self.record(1, 60, "Invocations")
            alarms.look(NOW)
            self.assertEqual([new["StateValue"], old["StateValue"]], ["OK"] * 2)
            alarms.look(NOW + 841)
        self.assertEqual([new["StateValue"], old["StateValue"]], ["ALARM"] * 2)
        self.assertIn("treated as [Breaching]", self.published[0][1]["NewStateReason"])

    def test_as_many_periods_must_breach_as_the_alarm_asks_for(self):
        alarm = self.alarm(Period=60, EvaluationPeriods=3, DatapointsToAlarm=2)
        self.record(1, 130)
        self.record(0, 70)
        alarms.look(NOW)
        self.assertEqual(alarm["StateValue"], "OK")
        self.record(1, 5)
        alarms.look(NOW)
        self.assertEqual(alarm["StateValue"], "ALARM")

    def test_an_alarm_whose_actions_are_off_changes_without_a_word(self):
        self.queue(NOW)
        alarm = self.on_queue(ActionsEnabled=False)
        alarms.look(NOW)
        self.assertEqual((alarm["StateValue"], self.published), ("ALARM", []))

    def test_one_broken_alarm_stops_no_other(self):
        self.alarm("a", Period="x")
        alarm = self.alarm("b")
        with self.assertLogs("tidegate", "ERROR"):
            alarms.look(NOW)
        self.assertEqual(alarm["StateValue"], "OK")

    def test_old_figures_are_forgotten_and_those_that_people_put_are_not(self):
        for namespace in ("AWS/Lambda", "Mine"):
            for age in (2000, 1201, 1199, 0):
                self.record(1, age, namespace=namespace)
        alarms._forget(NOW)
        kept = {key[0]: len(points) for key, points in cloudwatch._metrics.items()}
        self.assertEqual(kept, {"AWS/Lambda": 2, "Mine": 4})


if __name__ == "__main__":
    unittest.main()
