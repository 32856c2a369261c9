"""A bad day, for rehearsal: EventBridge delivers events twice, late and out of order, and the functions reach the cloud
through the proxies in which requests go wrong (local/src/faults).

Nothing of it happens unless the launcher says so:

    TIDEGATE_EVENTS_DISORDER=0.1:7               this share of events comes twice, as large a share late; the seed
    TIDEGATE_FUNCTIONS_ENDPOINT=http://...       the functions' AWS_ENDPOINT_URL
    TIDEGATE_FUNCTIONS_ENDPOINT_SAGEMAKER=...    their SageMaker, SageMaker Runtime and Scheduler
"""

import os
import random
import threading

from ministack.services import lambda_svc

import invocations

# Longer than a run of a quick pipeline takes: what is late may come when all is over.
_LATEST_SECONDS = 8.0

_ENGINE_SERVICES = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "SCHEDULER")

_environment = lambda_svc._provided_worker_env
_random = random.Random()
_rate = 0.0
_lock = threading.Lock()
_counts = {"delivered": 0, "duplicated": 0, "delayed": 0}


def install() -> None:
    global _rate
    text = os.environ.get("TIDEGATE_EVENTS_DISORDER", "")
    if text:
        try:
            rate, seed = text.split(":")
            _rate, _ = float(rate), _random.seed(int(seed))
        except ValueError:
            _rate = -1.0
        if not 0.0 <= _rate <= 1.0:
            raise SystemExit(f"TIDEGATE_EVENTS_DISORDER is `{text}`: give a rate from 0 to 1 and a seed, as in `0.1:7`")
    if os.environ.get("TIDEGATE_FUNCTIONS_ENDPOINT"):
        lambda_svc._provided_worker_env = environment


def environment(*args) -> dict:
    found = _environment(*args)
    found["AWS_ENDPOINT_URL"] = os.environ["TIDEGATE_FUNCTIONS_ENDPOINT"]
    for service in _ENGINE_SERVICES:
        found[f"AWS_ENDPOINT_URL_{service}"] = os.environ["TIDEGATE_FUNCTIONS_ENDPOINT_SAGEMAKER"]
    return found


def accept(func: dict, event) -> None:
    """Takes one event of a rule for a function, as invocations.accept does, once or twice, at once or later."""
    with _lock:
        twice, late = _random.random() < _rate, _random.random() < _rate
        delays = [_random.uniform(0.0, _LATEST_SECONDS) if late else 0.0]
        if twice:
            delays.append(_random.uniform(0.0, _LATEST_SECONDS))
        _counts["delivered"] += 1
        _counts["duplicated"] += twice
        _counts["delayed"] += late
    for delay in delays:
        invocations.accept(func, event, delay)


def figures() -> dict:
    with _lock:
        return dict(_counts)
