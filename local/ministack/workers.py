"""Function processes end with the server, however the server ends."""

import concurrent.futures
import ctypes
import os
import signal
import subprocess
import sys

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_SERVER = os.getpid()


def _end_with_the_server() -> None:
    """Runs in the new process before its program: asks the kernel for SIGKILL when the parent ends (prctl(2))."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != _SERVER:
            os._exit(1)


class _Subprocess:
    """The `subprocess` module as MiniStack's workers see it.

    The kernel's parent is the thread that started a process, and MiniStack starts workers in threads that end after one
    invocation. So all are started by one thread that lives as long as the server.
    """

    def __init__(self) -> None:
        self._starter = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="tidegate-starter")

    def __getattr__(self, name: str):
        return getattr(subprocess, name)

    def Popen(self, *args, **kwargs):  # noqa: N802, the name is subprocess's
        kwargs["preexec_fn"] = _end_with_the_server
        return self._starter.submit(subprocess.Popen, *args, **kwargs).result()


def install() -> None:
    if sys.platform == "linux":
        shim = _Subprocess()
        lambda_runtime.subprocess = shim
        lambda_svc.subprocess = shim


def end_all() -> None:
    """Ends every warm function process, SIGTERM first."""
    lambda_runtime.reset()
