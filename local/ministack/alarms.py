"""CloudWatch's alarms, evaluated, so that what rings on AWS rings here.

MiniStack stores alarms and looks at them only when somebody puts figures of his own, and then over the figures of all
queues or functions together. Here every alarm is looked at every few seconds, over exactly its dimensions:

- AWS/SQS ApproximateNumberOfMessagesVisible is the queue itself, as it is at this moment, for every period;
- every other figure is what was recorded: of functions by MiniStack and invocations.py, of rules by delivery.py, of
  anything else by who calls PutMetricData.

Simpler than on AWS: periods end now and not at whole minutes, and a figure counts at once. Since CloudWatch is never down,
data that is missing counts as breaching only when this server and the alarm are as old as the time that the alarm looks back.
"""

import asyncio
import datetime
import json
import logging
import os
import time

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, sns, sqs

logger = logging.getLogger("tidegate")

# Services' figures are kept for so long, all of them being saved every few seconds; no alarm of Tidegate looks back further
# than a quarter of an hour.
_KEPT_SECONDS = 1200
# A round that comes so late was not waited for: the machine slept.
_SLEPT_SECONDS = 60

_COMPARE = {
    "GreaterThanOrEqualToThreshold": (lambda value, bound: value >= bound, "greater than or equal to"),
    "GreaterThanThreshold": (lambda value, bound: value > bound, "greater than"),
    "LessThanThreshold": (lambda value, bound: value < bound, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, bound: value <= bound, "less than or equal to"),
}
_MISSING = {"breaching": True, "notBreaching": False}

_watching_since = time.time()


def install() -> None:
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._dispatch_alarm_actions = notify


async def watch(changed) -> None:
    """Looks at all alarms again and again; `changed` is called when one has changed its state."""
    global _watching_since
    every = float(os.environ.get("TIDEGATE_ALARM_SECONDS", "5"))
    last = time.time()
    while True:
        await asyncio.sleep(every)
        now = time.time()
        if now - last > every + _SLEPT_SECONDS:
            _watching_since = now
        last = now
        if look(now):
            changed()
        _forget(now)


def look(now: float) -> int:
    """Evaluates every alarm of every account and Region; how many changed their state."""
    changes = 0
    for (account, region, _name), alarm in list(cloudwatch._alarms._data.items()):
        with request_scope(account, region):
            try:
                changes += evaluate(alarm, now)
            except Exception:
                logger.exception("alarm %s cannot be evaluated", alarm.get("AlarmName"))
    return changes


def evaluate(alarm: dict, now: float | None = None) -> bool:
    """Brings one alarm of the current account and Region up to date; whether its state changed."""
    now = time.time() if now is None else now
    if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in _COMPARE:
        return False
    values = _values(alarm, now)
    verdict = _judge(alarm, values, now)
    if verdict is None or verdict[0] == alarm["StateValue"]:
        return False
    state, reason = verdict
    old = alarm["StateValue"]
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(now))
    logger.info("alarm %s: %s, %s", alarm["AlarmName"], state, reason)
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    notify(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
    return True


def _values(alarm: dict, now: float) -> list[float | None]:
    """One value for each period, the newest first; None where there is none."""
    period, periods = int(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods") or 1)
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []}
    if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible"):
        return [_visible(dimensions.get("QueueName", ""), now)] * periods
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))) or []
    found: list[list[dict]] = [[] for _ in range(periods)]
    for point in reversed(points):
        age = now - point["Timestamp"]
        if age >= period * periods:
            break
        found[max(0, int(age // period))].append(point)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return [cloudwatch._stat_value(cloudwatch._calc_stats(each), statistic, each) if each else None for each in found]


def _visible(name: str, now: float) -> float | None:
    queue = sqs._queue_by_arn(f"arn:aws:sqs:{get_region()}:{get_account_id()}:{name}")
    return None if queue is None else float(sum(message["visible_at"] <= now for message in list(queue["messages"])))


def _judge(alarm: dict, values: list[float | None], now: float) -> tuple[str, str] | None:
    """The state that these values mean, with its reason; None leaves the alarm as it is."""
    breaches, words = _COMPARE[alarm["ComparisonOperator"]]
    bound, needed = float(alarm.get("Threshold", 0)), int(alarm.get("DatapointsToAlarm") or len(values))
    policy = alarm.get("TreatMissingData") or "missing"
    missing = _MISSING.get(policy)
    since = max(_watching_since, alarm.get("AlarmConfigurationUpdatedTimestamp") or 0)
    if missing and now - since < len(values) * int(alarm.get("Period") or 60):
        missing, policy = None, "ignore"
    known = [value for value in values if value is not None]
    said = [missing if value is None else breaches(value, bound) for value in values]
    if all(each is None for each in said):
        number = f"{len(values)} period" + "s" * (len(values) != 1)
        insufficient = ("INSUFFICIENT_DATA", f"Insufficient Data: no datapoints were received for {number}.")
        return None if policy == "ignore" else insufficient
    alarming = sum(each is True for each in said) >= needed
    if not known:
        reason = (f"no datapoints were received for {len(values)} period{'s' * (len(values) != 1)} and the missing "
                  f"datapoints were treated as [{'Breaching' if missing else 'NonBreaching'}]")
    else:
        shown = ", ".join(f"{value:g}" for value in known)
        one = len(known) == 1
        reason = (f"{len(known)} datapoint{'' if one else 's'} [{shown}] {'was' if one else 'were'} "
                  f"{'' if alarming else 'not '}{words} the threshold ({bound:g})")
    return ("ALARM" if alarming else "OK"), f"Threshold Crossed: {reason}."


_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def notify(alarm: dict, old: str, new: str, reason: str) -> None:
    """Publishes to the topics of the alarm's actions for this state, as CloudWatch writes it (Region apart, by its code)."""
    if not alarm.get("ActionsEnabled", True):
        return
    for topic in filter(cloudwatch._is_sns_action_arn, alarm.get(_ACTIONS.get(new, "")) or []):
        text = json.dumps(message(alarm, old, new, reason))
        try:
            sent = sns.publish_internal(topic, text, f'{new}: "{alarm["AlarmName"]}" in {get_region()}'[:100])
        except sns.SnsPublishError as problem:
            logger.error("alarm %s could not be published to %s: %s", alarm["AlarmName"], topic, problem)
            continue
        if sent is None:
            logger.error("alarm %s could not be published: the topic %s does not exist", alarm["AlarmName"], topic)


def message(alarm: dict, old: str, new: str, reason: str) -> dict:
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _written(alarm.get("AlarmConfigurationUpdatedTimestamp") or 0),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": _written(alarm.get("StateUpdatedTimestamp") or time.time()),
        "Region": get_region(),
        "AlarmArn": alarm.get("AlarmArn", ""),
        "OldStateValue": old,
        **{field: alarm.get(field) or [] for field in ("OKActions", "AlarmActions", "InsufficientDataActions")},
        "Trigger": {
            "MetricName": alarm.get("MetricName", ""),
            "Namespace": alarm.get("Namespace", ""),
            "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
            "Statistic": (alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "").upper(),
            "Unit": alarm.get("Unit"),
            "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in alarm.get("Dimensions") or []],
            "Period": alarm.get("Period"),
            "EvaluationPeriods": alarm.get("EvaluationPeriods"),
            "ComparisonOperator": alarm.get("ComparisonOperator", ""),
            "Threshold": alarm.get("Threshold"),
            "TreatMissingData": alarm.get("TreatMissingData") or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _written(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _forget(now: float) -> None:
    """Drops what no alarm looks back to: a busy cloud records figures by the thousand."""
    for (_account, _region, key), points in list(cloudwatch._metrics._data.items()):
        if key[0].startswith("AWS/"):
            # Cut off in one step: functions' threads add at the other end.
            del points[:sum(point["Timestamp"] < now - _KEPT_SECONDS for point in list(points))]
