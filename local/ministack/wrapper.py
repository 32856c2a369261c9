"""MiniStack as Tidegate runs it: one process, loopback only, with the mends that Tidegate's flow needs.

    python wrapper.py --port 4566 --home .tidegate [--region us-east-1]

It adds two doors to MiniStack's own server (see door.py) and replaces what falls short of AWS: events and functions (see
delivery.py, invocations.py, workers.py, schedules.py and alarms.py) and what stacks deploy (the list GROUND in door.py). All of
them reach into MiniStack's internals, so its version is checked exactly.
State lives under HOME/ministack; SIGTERM saves it and ends the server and every process that it started.
"""

import argparse
import asyncio
import importlib.metadata
import os
import signal
import sys

MINISTACK = "1.5.33"


def check_version() -> None:
    """Ends the process with one clear line unless the exact MiniStack is installed."""
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"ministack {MINISTACK} is not installed in {sys.prefix}; run `make setup`")
    if found != MINISTACK:
        sys.exit(f"the local cloud needs ministack {MINISTACK}, found {found} in {sys.prefix}; run `make setup`")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="MiniStack with Tidegate's mends, on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", required=True, help="folder for all state")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    parser.add_argument("--region", default=region)
    return parser.parse_args()


def prepare_environment(port: int, home: str, region: str) -> str:
    """Sets what MiniStack reads at import. Lambda functions inherit this environment. Returns the state folder."""
    state = os.path.join(os.path.abspath(home), "ministack")
    scratch = os.path.join(state, "tmp")
    for folder in (state, scratch):
        os.makedirs(folder, exist_ok=True)
    endpoint = f"http://127.0.0.1:{port}"
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        MINISTACK_REGION=region,
        MINISTACK_ACCOUNT_ID="000000000000",
        AWS_REGION=region,
        AWS_DEFAULT_REGION=region,
        AWS_ENDPOINT_URL=endpoint,
        PERSIST_STATE="1",
        STATE_DIR=os.path.join(state, "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=os.path.join(state, "s3"),
        # Unpacked function code and worker files stay inside the home folder.
        TMPDIR=scratch,
        # No listeners beside the one port, and no Docker: at its start MiniStack removes containers that carry its
        # label, and those may be another MiniStack's.
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        DOCKER_HOST="unix:///nonexistent/docker.sock",
    )
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    for variable in ("AUTH", "USE_SSL", "EDGE_PORT", "SERVICES", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(variable, None)
    return state


async def serve(port: int, state: str) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    import door

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await hypercorn_serve(door.Door(state), config, shutdown_trigger=stop.wait)


def main() -> None:
    check_version()
    asked = options()
    state = prepare_environment(asked.port, asked.home, asked.region)
    asyncio.run(serve(asked.port, state))
    # Threads that wait for a retry or a long poll must not hold the process: state is saved and workers are gone.
    os._exit(0)


if __name__ == "__main__":
    main()
