"""Runs the container shims the way the engine does: as processes over an /opt/ml folder of their own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

CONTAINERS = Path(__file__).resolve().parent.parent
START_SECONDS = 30


class OptMl:
    """A folder that stands for /opt/ml."""

    def __init__(self, root):
        self.root = Path(root)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def environment(self, **extra):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "SAGEMAKER_", "OMP_"))}
        # Scripts run from the source folder, whose content is hashed: leave nothing there.
        return {**inherited, "SM_OPT_ML": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **extra}

    def python(self, script, *arguments, **extra):
        """Run a Python script to its end."""
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def configure_training(self, hyperparameters, channels=("train",)):
        """Write the job's configuration as SageMaker does: every value a string that holds JSON."""
        encoded = {name: json.dumps(value) for name, value in hyperparameters.items()}
        self.write("input/config/hyperparameters.json", json.dumps(encoded))
        self.write(
            "input/config/inputdataconfig.json", json.dumps({name: {"TrainingInputMode": "File"} for name in channels})
        )
        self.write(
            "input/config/resourceconfig.json",
            json.dumps({"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}),
        )

    def train(self, **extra):
        return self.python(CONTAINERS / "train.py", **extra)


class Endpoint:
    """serve.py on a free port, for the length of a `with` block."""

    def __init__(self, opt_ml, **extra):
        self.environment = opt_ml.environment(SAGEMAKER_BIND_TO_PORT="0", PYTHONUNBUFFERED="1", **extra)

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(CONTAINERS / "serve.py")],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line + self.process.stderr.read()
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def request(self, path, body=None, **headers):
        """Status, body as text, content type."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers["Content-Type"]

    def wait(self):
        """Until the model is loaded."""
        end = time.monotonic() + START_SECONDS
        while self.request("/ping")[0] != 200:
            assert time.monotonic() < end, "the model was not loaded in time"
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.05)
        return self

    def invoke(self, body, content_type="application/json", accept="*/*"):
        body = body.encode() if isinstance(body, str) else body
        return self.request("/invocations", body, Content_Type=content_type, Accept=accept)
