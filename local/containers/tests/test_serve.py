"""serve.py: the two paths of a SageMaker endpoint, whatever the script defines."""

import json
import signal
import socket
import time

import pytest

from harness import Endpoint, OptMl

ECHO = """
def model_fn(model_dir):
    with open(model_dir + "/weight") as file:
        return int(file.read())

def input_fn(data, content_type):
    return data, content_type

def predict_fn(data, model):
    if data[0] == "fail":
        raise RuntimeError("the model is at a loss")
    return {"data": data[0], "type": type(data[0]).__name__, "content_type": data[1], "weight": model}

def output_fn(prediction, accept):
    import json
    return json.dumps(dict(prediction, accept=accept)), "application/json"
"""


@pytest.fixture
def opt_ml(tmp_path):
    opt_ml = OptMl(tmp_path / "ml")
    opt_ml.write("model/weight", "7")
    return opt_ml


def serve(opt_ml, source, **extra):
    opt_ml.write("code/inference.py", source)
    return Endpoint(opt_ml, **extra)


def test_the_script_s_four_functions_answer(opt_ml):
    with serve(opt_ml, ECHO) as endpoint:
        endpoint.wait()
        status, body, kind = endpoint.invoke("[1]", "application/json; charset=utf-8", "text/csv")
        assert (status, kind) == (200, "application/json")
        assert json.loads(body) == {
            "data": "[1]",
            "type": "str",
            "content_type": "application/json; charset=utf-8",
            "weight": 7,
            "accept": "text/csv",
        }
        # Other types arrive as bytes, and `*/*` means the default.
        status, body, _ = endpoint.invoke(b"x", "application/octet-stream", "*/*")
        assert status == 500 and "bytes is not JSON serializable" in body
        assert json.loads(endpoint.invoke("1", "text/csv", "*/*")[1])["accept"] == "application/json"


def test_transform_fn_and_context_and_code_inside_the_model(opt_ml):
    opt_ml.write(
        "model/code/serve_me.py",
        "import helper\n"
        "def model_fn(model_dir, context):\n    return helper.NAME\n"
        "def transform_fn(model, data, content_type, accept):\n    return (model + data).encode()\n",
    )
    opt_ml.write("model/code/helper.py", "NAME = 'model '")
    with Endpoint(opt_ml, SAGEMAKER_PROGRAM="serve_me.py", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv") as endpoint:
        assert endpoint.wait().invoke("x", "text/csv") == (200, "model x", "text/csv")


def test_submit_directory_comes_first(opt_ml):
    script = opt_ml.write("elsewhere/inference.py", ECHO.replace("int(file.read())", "8"))
    with serve(opt_ml, ECHO, SAGEMAKER_SUBMIT_DIRECTORY=str(script.parent)) as endpoint:
        assert json.loads(endpoint.wait().invoke("1")[1])["weight"] == 8


def test_defaults_stand_in_for_what_the_script_omits(opt_ml):
    source = "class Sum:\n    def predict(self, data):\n        return data.sum(axis=1)\n\ndef model_fn(model_dir):\n    return Sum()\n"
    with serve(opt_ml, source) as endpoint:
        endpoint.wait()
        assert endpoint.invoke("[[1, 2], [3, 4]]") == (200, "[3, 7]", "application/json")
        assert endpoint.invoke("1,2\n3,4\n", "text/csv", "text/csv") == (200, "3\n7\n", "text/csv")
        status, body, _ = endpoint.invoke("x", "image/png")
        assert status == 415 and "`image/png`" in body
        status, body, _ = endpoint.invoke("[[1]]", accept="image/png")
        assert status == 415 and "`image/png`" in body


def test_errors_reach_the_client_and_the_server_lives_on(opt_ml):
    source = ECHO.replace(
        "    return data, content_type\n",
        "    from sagemaker_inference.errors import GenericInferenceToolkitError\n"
        "    if data == 'bad':\n        raise GenericInferenceToolkitError(400, 'column `a` is missing')\n"
        "    return data, content_type\n",
    )
    with serve(opt_ml, source) as endpoint:
        endpoint.wait()
        assert endpoint.invoke("bad")[:2] == (400, "column `a` is missing")
        status, body, _ = endpoint.invoke("fail")
        assert status == 500 and body.startswith("the model is at a loss\n") and "Traceback" in body
        status, body, _ = endpoint.invoke(b"\xff", "text/csv")
        assert status == 400 and "UTF-8" in body
        assert endpoint.request("/other")[0] == 404
        assert endpoint.request("/ping", b"x")[0] == 404
        assert endpoint.invoke("fine")[0] == 200


def test_ping_waits_for_the_model(opt_ml):
    source = ECHO.replace("def model_fn(model_dir):", "def model_fn(model_dir):\n    import os, time\n    while not os.path.exists(model_dir + '/go'): time.sleep(0.02)")
    with serve(opt_ml, source) as endpoint:
        assert endpoint.request("/ping")[0] == 503
        assert endpoint.invoke("1")[0] == 503
        opt_ml.write("model/go", "")
        assert endpoint.wait().request("/ping")[:2] == (200, "")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def model_fn(model_dir):\n    raise OSError('weights are gone')\n", "OSError: weights are gone"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("x = 1\n", "the script has no model_fn"),
        (ECHO + "\ndef transform_fn(m, d, c, a):\n    return d\n", "only one way is possible"),
        (None, "`inference.py` is in none of"),
    ],
)
def test_model_that_cannot_be_loaded_ends_the_server(opt_ml, source, reason):
    with serve(opt_ml, source) if source else Endpoint(opt_ml) as endpoint:
        _, stderr = endpoint.process.communicate(timeout=20)
        assert endpoint.process.returncode == 1
        assert reason in stderr and stderr.endswith("the model cannot be loaded\n")


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_at_once(opt_ml, number, loaded):
    source = ECHO if loaded else "import time\ntime.sleep(60)\n"
    with serve(opt_ml, source) as endpoint:
        if loaded:
            endpoint.wait()
        start = time.monotonic()
        endpoint.process.send_signal(number)
        assert endpoint.process.wait(timeout=20) == 0
        assert time.monotonic() - start < 3


def raw(endpoint, request):
    """The first line that the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


def test_body_must_announce_a_length_within_the_limit(opt_ml):
    with serve(opt_ml, ECHO) as endpoint:
        endpoint.wait()
        head = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
        assert b" 411 " in raw(endpoint, head + b"\r\n")
        assert b" 413 " in raw(endpoint, head + b"Content-Length: 6291457\r\n\r\n")
        assert b" 413 " in raw(endpoint, head + b"Content-Length: -1\r\n\r\n")


def test_port_in_use_is_one_clear_line(opt_ml):
    with serve(opt_ml, ECHO) as endpoint:
        done = opt_ml.python(endpoint.process.args[1], SAGEMAKER_BIND_TO_PORT=str(endpoint.port))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1 and f"cannot listen on {endpoint.port}" in done.stderr
