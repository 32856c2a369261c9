"""A bad day, for rehearsal: EventBridge delivers events twice, late and out of order, some of SageMaker's never come, and
the functions reach the cloud through the proxies in which requests go wrong (local/src/faults).

Nothing of it happens unless the launcher says so:

    TIDEGATE_EVENTS_DISORDER={"seed": 7, "twice": 0.1, "late": 0.1, "lost": 0.02}
    TIDEGATE_FUNCTIONS_ENV={"AWS_ENDPOINT_URL": "http://...", ...}    over what the stack gives a function
"""

import json
import os
import random
import threading

from ministack.services import lambda_svc

import invocations

# Longer than a run of a quick pipeline takes: what is late may come when all is over.
_LATEST_SECONDS = 8.0

_SHARES = ("twice", "late", "lost")

_environment = lambda_svc._provided_worker_env
_variables: dict[str, str] = {}
_shares = dict.fromkeys(_SHARES, 0.0)
_random = random.Random()
_lock = threading.Lock()
_counts = {"delivered": 0, **dict.fromkeys(_SHARES, 0)}


def install() -> None:
    disorder = _read("TIDEGATE_EVENTS_DISORDER")
    _random.seed(disorder.pop("seed", 1))
    for name, share in disorder.items():
        if name not in _SHARES or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
            accepted = f"`seed`, and {', '.join(_SHARES)} from 0 to 1"
            raise SystemExit(f"TIDEGATE_EVENTS_DISORDER has `{name}` as {share!r}; accepted are {accepted}")
        _shares[name] = share
    _variables.update(_read("TIDEGATE_FUNCTIONS_ENV"))
    if _variables:
        lambda_svc._provided_worker_env = environment


def _read(name: str) -> dict:
    text = os.environ.get(name) or "{}"
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SystemExit(f"{name} is `{text}`: give a JSON object")
    return found


def environment(*args) -> dict:
    return {**_environment(*args), **_variables}


def accept(func: dict, event) -> None:
    """Takes one event of a rule for a function, as invocations.accept does: once or twice, at once, later or never."""
    with _lock:
        comes = {name: _random.random() < share for name, share in _shares.items()}
        # S3 promises that its events come; SageMaker does not.
        comes["lost"] = comes["lost"] and event.get("source") == "aws.sagemaker"
        delays = [_random.uniform(0.0, _LATEST_SECONDS) if comes["late"] else 0.0]
        if comes["twice"]:
            delays.append(_random.uniform(0.0, _LATEST_SECONDS))
        if comes["lost"]:
            comes, delays = {"lost": True}, []
        _counts["delivered"] += bool(delays)
        for name, so in comes.items():
            _counts[name] += so
    for delay in delays:
        invocations.accept(func, event, delay)


def figures() -> dict:
    with _lock:
        return dict(_counts)
