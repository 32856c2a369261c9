"""Asynchronous Lambda invocation: retries, event age, dead letters, failure destinations, and survival of a restart.

AWS accepts an asynchronous event into a queue of its own, tries it up to three times (a minute, then two minutes
apart), and then hands it to the function's dead-letter queue or on-failure destination. MiniStack has the retries, but
forgets the event when it stops, looks the settings up under another key than it stores them, and sends one shape to
both kinds of target. Here an accepted event is a file until it is done.

The delays are those of AWS; TIDEGATE_ASYNC_RETRY_SECONDS sets others for tests. They must outlast the claim that a function of
Tidegate puts on a command (40 s), or a second delivery finds the claim of the dead and gives up.
"""

import contextvars
import datetime
import json
import logging
import os
import threading
import time
import uuid

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, eventbridge, lambda_svc, sns, sqs

logger = logging.getLogger("tidegate")

_DEFAULT_RETRIES = 2
_DEFAULT_MAX_AGE = 21600  # seconds; AWS's own default
_THROTTLE_DELAY = 1.0

_folder = ""
_delays: list[float] = []
_stopping = threading.Event()

_emit_lambda_metrics = lambda_svc._emit_lambda_metrics


def _read_delays() -> list[float]:
    text = os.environ.get("TIDEGATE_ASYNC_RETRY_SECONDS", "60,120")
    try:
        delays = [float(part) for part in text.split(",")]
    except ValueError:
        delays = []
    if not delays or any(delay < 0 for delay in delays):
        raise SystemExit(f"TIDEGATE_ASYNC_RETRY_SECONDS is `{text}`: give seconds separated by commas, as in `60,120`")
    return delays


def install(state: str) -> None:
    global _folder, _delays
    _delays = _read_delays()
    _folder = os.path.join(state, "invocations")
    os.makedirs(_folder, exist_ok=True)
    lambda_svc.invoke_async_with_retry = accept
    lambda_svc._emit_lambda_metrics = count


def accept(func: dict, event, delay: float = 0.0) -> None:
    """Takes one event for a function; returns once it is on disk. Stands in for lambda_svc.invoke_async_with_retry. The
    first attempt is made after `delay` seconds."""
    config = func.get("config") or func
    record = {
        "id": str(uuid.uuid4()),
        "function": config["FunctionArn"],
        "event": event,
        "attempts": 0,
        "accepted": time.time(),
        "delay": delay,
    }
    _write(record)
    # The copied context carries MiniStack's recursion depth, which ends endless loops between functions.
    _start(record, contextvars.copy_context())


def count(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
    """Records one invocation. Stands in for lambda_svc._emit_lambda_metrics, which is called for an accepted event too."""
    if duration_ms > 0 or throttle:
        _emit_lambda_metrics(name, duration_ms, error, throttle)


def resume() -> int:
    """Takes up the events that an earlier run had accepted and not finished."""
    records = []
    for name in sorted(os.listdir(_folder)):
        path = os.path.join(_folder, name)
        if not name.endswith(".json"):
            os.remove(path)
            continue
        with open(path, encoding="utf-8") as file:
            records.append(json.load(file))
    for record in sorted(records, key=lambda each: each["accepted"]):
        _start(record, contextvars.copy_context())
    return len(records)


def stop() -> None:
    """From now on a failure is the stop's doing: it counts as no attempt, and the event waits for the next start."""
    _stopping.set()


def pending() -> int:
    return sum(1 for name in os.listdir(_folder) if name.endswith(".json"))


def _path(record: dict) -> str:
    return os.path.join(_folder, f"{record['id']}.json")


def _write(record: dict) -> None:
    path = _path(record)
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.replace(path + ".tmp", path)


def _start(record: dict, context: contextvars.Context) -> None:
    threading.Thread(target=context.run, args=(_guarded, record), daemon=True, name="tidegate-invocation").start()


def _guarded(record: dict) -> None:
    try:
        spec = parse_arn(record["function"])
        with request_scope(spec.account_id, spec.region):
            _work(record)
    except Exception:
        logger.exception("asynchronous invocation of %s stopped; it is tried again at the next start", record["function"])


def _work(record: dict) -> None:
    arn = record["function"]
    if record["attempts"] == 0 and _stopping.wait(record.get("delay", 0.0)):
        return
    qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(arn)[1]
    while not _stopping.is_set():
        # Looked up for every attempt: AWS retries with the code and settings of that moment.
        func, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not func or not config:
            logger.warning("asynchronous event for %s dropped: the function is gone", arn)
            break
        config = dict(config, FunctionArn=arn)
        settings = _settings(func, qualifier)
        began = time.monotonic()
        result = lambda_svc._execute_function(lambda_svc._execution_record_for_config(func, config), record["event"])
        if _stopping.is_set() and result.get("error"):
            return
        if not result.get("throttle"):  # Counted where it was refused.
            count(name, max(1.0, (time.monotonic() - began) * 1000), bool(result.get("error")), False)
        if result.get("log"):
            logger.info("function %s, attempt %d:\n%s", name, record["attempts"] + 1, result["log"])
        if not result.get("error"):
            break
        throttled = bool(result.get("throttle"))
        if not throttled:
            record["attempts"] += 1
        age = time.time() - record["accepted"]
        if not throttled and record["attempts"] > settings["retries"]:
            _fail(record, config, settings, result, "RetriesExhausted")
            break
        delay = _THROTTLE_DELAY if throttled else _delays[min(record["attempts"], len(_delays)) - 1]
        if age + delay > settings["max_age"]:
            _fail(record, config, settings, result, "EventAgeExceeded")
            break
        _write(record)
        _stopping.wait(delay)
    else:
        return
    os.remove(_path(record))


def _settings(func: dict, qualifier: str | None) -> dict:
    configs = func.get("event_invoke_configs") or {}
    found = lambda_svc._event_invoke_config(func, qualifier) or (configs.get("$LATEST") if not qualifier else None) or {}
    retries = found.get("MaximumRetryAttempts")
    age = found.get("MaximumEventAgeInSeconds")
    return {
        "retries": _DEFAULT_RETRIES if retries is None else int(retries),
        "max_age": _DEFAULT_MAX_AGE if age is None else int(age),
        "on_failure": ((found.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
    }


def _fail(record: dict, config: dict, settings: dict, result: dict, condition: str) -> None:
    """Hands the event over. A destination gets AWS's record of the failure, a dead-letter target the event itself."""
    payload = result.get("body")
    error = payload if isinstance(payload, dict) else {}
    arn = record["function"]
    logger.warning("function %s failed for good (%s): %s", arn, condition, error.get("errorMessage", ""))
    if settings["on_failure"]:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        qualified = arn if lambda_svc._lambda_function_name_and_qualifier_from_arn(arn)[1] else f"{arn}:$LATEST"
        stored = hand_over(settings["on_failure"], {
            "version": "1.0",
            "timestamp": now,
            "requestContext": {
                "requestId": record["id"],
                "functionArn": qualified,
                "condition": condition,
                "approximateInvokeCount": record["attempts"],
            },
            "requestPayload": record["event"],
            "responseContext": {
                "statusCode": 200,
                "executedVersion": config.get("Version", "$LATEST"),
                "functionError": result.get("function_error") or "Unhandled",
            },
            "responsePayload": payload,
        }, {})
        if not stored:
            cloudwatch.record_metric("AWS/Lambda", "DestinationDeliveryFailures", 1, "Count",
                                     {"FunctionName": config["FunctionName"]})
    dead_letter = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letter:
        hand_over(dead_letter, record["event"], {
            "RequestID": record["id"],
            "ErrorCode": "200",
            "ErrorMessage": str(error.get("errorMessage", ""))[:1024],
        })


def hand_over(target: str, body, attributes: dict[str, str]) -> bool:
    """Sends a failed event to a queue, topic, function or bus. False, with a log line, when it cannot be."""
    typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value}
    text = json.dumps(body)
    try:
        spec = parse_arn(target)
        if spec.service == "sqs":
            if sqs._queue_by_arn(target) is None:
                raise LookupError("the queue does not exist")
            url = sqs._queue_url_for_account(spec.account_id, spec.resource)
            sqs._act_send_message({"QueueUrl": url, "MessageBody": text, "MessageAttributes": typed}, url)
        elif spec.service == "sns":
            if sns.publish_internal(target, text, message_attributes=typed) is None:
                raise LookupError("the topic does not exist")
        elif spec.service == "lambda":
            func, config, _name = lambda_svc._get_func_record_for_ref(target)
            if not func or not config:
                raise LookupError("the function does not exist")
            accept(lambda_svc._execution_record_for_config(func, dict(config, FunctionArn=target)), body)
        elif spec.service == "events":
            eventbridge._dispatch_event({
                "EventId": str(uuid.uuid4()),
                "Source": "lambda",
                "DetailType": "Lambda Function Invocation Result - Failure",
                "Detail": text,
                "EventBusName": spec.resource.split("/", 1)[-1],
                "Time": int(time.time()),
                "Resources": [target],
                "Account": spec.account_id,
                "Region": spec.region,
            })
        else:
            raise LookupError("only a queue, a topic, a function or an event bus can take it here")
    except (ArnParseError, LookupError, sqs._Err, sns.SnsPublishError) as problem:
        logger.error("a failed event could not be handed to %s: %s", target, problem)
        return False
    return True
