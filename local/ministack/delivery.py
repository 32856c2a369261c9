"""What EventBridge and SNS do here as on AWS, where MiniStack falls short.

- A rule's function is invoked asynchronously, through invocations.py, and only if its policy lets EventBridge in.
- An event that a rule's function cannot take (no such function, no permission) goes to the target's dead-letter queue.
- S3's events carry `version-id`, a time in whole seconds and an id of their own.
- A notification to an HTTP subscriber is tried again when the subscriber does not answer with success.
- An HTTP subscription that a stack makes is asked to confirm itself, as one that Subscribe makes.
"""

import asyncio
import contextvars
import fnmatch
import json
import logging
import threading
import uuid

from ministack.services import cloudwatch, eventbridge, lambda_svc, s3, sns
from ministack.services.cloudformation import provisioners

import disorder
import invocations

logger = logging.getLogger("tidegate")

# SNS's default HTTP policy is three retries, 20 seconds apart; here they follow sooner.
_HTTP_RETRY_SECONDS = (1.0, 2.0, 4.0)

_target: contextvars.ContextVar[tuple[dict, dict]] = contextvars.ContextVar("tidegate_target")
_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("tidegate_version", default=None)

_invoke_target = eventbridge._invoke_target
_dispatch_event = eventbridge._dispatch_event
_fire_s3_event = s3._fire_s3_event
_create_subscription = provisioners._sns_sub_create


def install() -> None:
    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_lambda = dispatch_to_lambda
    eventbridge._dispatch_event = dispatch_event
    s3._fire_s3_event = fire_s3_event
    sns._deliver_to_http = deliver_to_http
    provisioners._sns_sub_create = create_subscription
    provisioners._RESOURCE_HANDLERS["AWS::SNS::Subscription"]["create"] = create_subscription


def invoke_target(target, event, rule, view=None):
    token = _target.set((target, rule))
    try:
        _invoke_target(target, event, rule, view)
    finally:
        _target.reset(token)


def dispatch_to_lambda(arn: str, payload: str) -> None:
    target, rule = _target.get(({}, {}))
    event = json.loads(payload)
    func, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not func or not config:
        _undeliverable(target, rule, event, "RESOURCE_NOT_FOUND", f"function `{name}` does not exist")
    elif not _lets_in(func, rule.get("Arn", "")):
        _undeliverable(target, rule, event, "NO_PERMISSIONS",
                       f"the policy of function `{name}` does not let events.amazonaws.com invoke it for this rule")
    else:
        disorder.accept(lambda_svc._execution_record_for_config(func, dict(config, FunctionArn=arn)), event)


def _undeliverable(target: dict, rule: dict, event, code: str, message: str) -> None:
    """A permanent failure: AWS does not retry it."""
    logger.warning("rule %s: %s", rule.get("Name", "?"), message)
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    stored = queue and invocations.hand_over(queue, event, {
        "RULE_ARN": rule.get("Arn", ""),
        "TARGET_ARN": target.get("Arn", ""),
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
    })
    if queue and not stored:
        dimensions = {"RuleName": rule.get("Name", "")}
        cloudwatch.record_metric("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", dimensions)


def _lets_in(func: dict, rule_arn: str) -> bool:
    for statement in (func.get("policy") or {}).get("Statement", []):
        principal = statement.get("Principal")
        service = principal.get("Service") if isinstance(principal, dict) else principal
        if service not in ("events.amazonaws.com", "*"):
            continue
        sources = [
            value
            for operator in (statement.get("Condition") or {}).values()
            for key, value in operator.items()
            if key.lower() == "aws:sourcearn"
        ]
        if all(fnmatch.fnmatchcase(rule_arn, source) for source in sources):
            return True
    return False


def fire_s3_event(bucket_name, key, event_name, *args, version_id=None, **kwargs):
    token = _version.set(version_id)
    try:
        _fire_s3_event(bucket_name, key, event_name, *args, version_id=version_id, **kwargs)
    finally:
        _version.reset(token)


def dispatch_event(event, view=None):
    if event.get("Source") == "aws.s3" and view is None:
        event = _as_s3_sends_it(event)
    _dispatch_event(event, view)


def _as_s3_sends_it(event: dict) -> dict:
    event = dict(event)
    detail = json.loads(event["Detail"])
    # MiniStack's id of the event is the request id, which a dead-letter handler could take for the same thing.
    if event.get("EventId") == detail.get("request-id"):
        event["EventId"] = str(uuid.uuid4())
    time = event.get("Time")
    if isinstance(time, str) and "." in time:
        event["Time"] = time.split(".", 1)[0] + "Z"
    version = _version.get()
    if version and "version-id" not in detail["object"]:
        detail["object"]["version-id"] = version
        event["Detail"] = json.dumps(detail)
    return event


def create_subscription(logical_id, props, stack_name):
    arn, attributes = _create_subscription(logical_id, props, stack_name)
    topic = props.get("TopicArn", "")
    subscription = sns._find_subscription(topic, arn)
    if subscription and not subscription["confirmed"]:
        subscription["token"] = str(uuid.uuid4())
        # The subscriber answers by calling back, which must find the stack's own call returned.
        confirm = sns._send_subscription_confirmation(topic, subscription)
        threading.Thread(target=asyncio.run, args=(confirm,), daemon=True).start()
    return arn, attributes


async def deliver_to_http(endpoint: str, payload: str) -> None:
    for delay in (*_HTTP_RETRY_SECONDS, None):
        try:
            await asyncio.to_thread(sns._http_post_sync, endpoint, payload, "Notification")
            return
        except OSError as problem:  # urllib's errors, a refused connection and an answer >= 400 alike
            if delay is None:
                logger.error("notification to %s given up after %d attempts: %s",
                             endpoint, len(_HTTP_RETRY_SECONDS) + 1, problem)
                return
        await asyncio.sleep(delay)
