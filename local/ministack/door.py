"""The ASGI application: MiniStack's own, with two doors beside it and a watch over its state.

    POST /_tidegate/events   one EventBridge event (a whole envelope, sources `aws.*` too): 200 once it is dispatched
    GET  /_tidegate/health   200 once state is restored
"""

import asyncio
import json
import logging
import os
import re

import alarms
import backups
import buckets
import delivery
import disorder
import endpoints
import functions
import helpers
import invocations
import log_groups
import network
import operations
import organization
import principals
import roles
import schedules
import security_groups
import spending
import studio
import tables
import user_pools
import workers
from ministack import app as ministack
from ministack.core.persistence import save_all
from ministack.core.responses import request_scope
from ministack.services import eventbridge

logger = logging.getLogger("tidegate")

# EventBridge's own limit for one event is 256 KiB.
_MAX_EVENT_BYTES = 256 * 1024
# The names of this machine, and those under `localhost`, which S3's virtual-hosted addresses use.
_LOOPBACK = re.compile(r"^(127\.0\.0\.1|([a-z0-9.-]+\.)?localhost|\[::1\])(:\d+)?$", re.IGNORECASE)
_TEXT_FIELDS = ("version", "id", "detail-type", "source", "account", "time", "region")

# The resource types of a stack that MiniStack lacks, or does not hold as AWS does.
GROUND = (operations, network, security_groups, endpoints, functions, buckets, roles, principals, backups, organization,
          spending, helpers, tables, log_groups, user_pools, studio)


class Door:
    def __init__(self, state: str) -> None:
        workers.install()
        invocations.install(state)
        delivery.install()
        schedules.install()
        alarms.install()
        disorder.install()
        for resources in GROUND:
            resources.install()
        # One line for each of some forty services at every save.
        logging.getLogger("persistence").setLevel(logging.WARNING)
        self._changed = False
        self._tasks: list[asyncio.Task] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await ministack.app(scope, self._around_start(receive), self._around_stop(send))
        elif not _is_local(scope):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith("/_tidegate/"):
            status, body = await self._own(scope, receive)
            await _answer(send, status, body)
        else:
            self._changed = True
            await ministack.app(scope, receive, send)

    def _around_start(self, receive):
        async def wrapped():
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                # Before MiniStack saves: no function may go on changing what is being saved.
                invocations.stop()
                for task in self._tasks:
                    task.cancel()
                await asyncio.to_thread(workers.end_all)
            return message

        return wrapped

    def _around_stop(self, send):
        async def wrapped(message):
            if message["type"] == "lifespan.startup.complete":
                resumed = invocations.resume()
                if resumed:
                    logger.info("took up %d unfinished asynchronous invocations", resumed)
                self._tasks = [asyncio.create_task(self._save()), asyncio.create_task(alarms.watch(self._touch))]
            await send(message)

        return wrapped

    def _touch(self) -> None:
        self._changed = True

    async def _save(self) -> None:
        """Saves while running, so that a crash costs seconds. MiniStack by itself saves at an orderly end only."""
        seconds = float(os.environ.get("TIDEGATE_SAVE_SECONDS", "10"))
        while True:
            await asyncio.sleep(seconds)
            if self._changed:
                self._changed = False
                save_all(ministack._build_persistence_save_dict())

    async def _own(self, scope, receive) -> tuple[int, dict]:
        match scope["method"], scope["path"]:
            case "GET", "/_tidegate/health":
                return 200, {"status": "ok", "pid": os.getpid(), "pending_invocations": invocations.pending(),
                             "events": disorder.figures()}
            case "POST", "/_tidegate/events":
                body = await _body(receive)
                if body is None:
                    return 413, {"error": f"an event may have {_MAX_EVENT_BYTES} bytes"}
                return self._event(body)
            case _, "/_tidegate/health" | "/_tidegate/events":
                return 405, {"error": "use GET /_tidegate/health or POST /_tidegate/events"}
        return 404, {"error": f"there is no `{scope['path']}`"}

    def _event(self, body: bytes) -> tuple[int, dict]:
        try:
            envelope = json.loads(body)
        except ValueError as problem:
            return 400, {"error": f"the body is not JSON: {problem}"}
        wrong = check(envelope)
        if wrong:
            return 400, {"error": wrong}
        self._changed = True
        with request_scope(envelope["account"], envelope["region"]):
            eventbridge._dispatch_event({
                "Version": envelope["version"],
                "EventId": envelope["id"],
                "Source": envelope["source"],
                "DetailType": envelope["detail-type"],
                "Detail": json.dumps(envelope["detail"]),
                "EventBusName": "default",
                "Time": envelope["time"],
                "Resources": envelope["resources"],
                "Account": envelope["account"],
                "Region": envelope["region"],
            })
        return 200, {"id": envelope["id"]}


def _is_local(scope) -> bool:
    """A web page reaches loopback too, and who may create a function here may run any program. MiniStack lets every
    origin in; no program that belongs here sends one, nor a name of another machine. Browsers do where AWS has doors for
    them: a deployed API, and the forms of a user pool's own pages."""
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    host = headers.get("host", "")
    if _LOOPBACK.match(host) is None:
        return False
    return "origin" not in headers or _is_an_api(host, scope.get("path", "/")) or (
        (scope.get("method"), scope.get("path"), headers["origin"]) == ("POST", "/login", f"http://{host}"))


def _is_an_api(host, path) -> bool:
    # The account is the local cloud's one, as for every request that is not signed.
    return bool(ministack._EXECUTE_API_RE.match(host)) or ministack._resolve_custom_domain_request(host, path) is not None


async def _refuse(scope, receive, send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await _answer(send, 403, {"error": "only programs on this machine may use the local cloud"})


def check(envelope) -> str | None:
    """What is wrong with an event envelope, or None."""
    if not isinstance(envelope, dict):
        return "an event is a JSON object"
    for field in _TEXT_FIELDS:
        if not isinstance(envelope.get(field), str) or not envelope[field]:
            return f"`{field}` must be a non-empty string"
    if not re.fullmatch(r"\d{12}", envelope["account"]):
        return "`account` must have 12 digits"
    resources = envelope.get("resources")
    if not isinstance(resources, list) or not all(isinstance(each, str) for each in resources):
        return "`resources` must be a list of strings"
    if not isinstance(envelope.get("detail"), dict):
        return "`detail` must be an object"
    extra = sorted(set(envelope) - {*_TEXT_FIELDS, "resources", "detail"})
    if extra:
        return f"`{extra[0]}` is no field of an event"
    return None


async def _body(receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > _MAX_EVENT_BYTES:
            return None
        if not message.get("more_body"):
            return b"".join(chunks)


async def _answer(send, status: int, body: dict) -> None:
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
