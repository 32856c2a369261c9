"""Serve a model as SageMaker's inference toolkit does inside an image.

GET  /ping          200 once the model is loaded, 503 before
POST /invocations   input_fn, predict_fn, output_fn of the script, or its transform_fn

The script is SAGEMAKER_PROGRAM (default `inference.py`) in SAGEMAKER_SUBMIT_DIRECTORY if that is a folder, in
/opt/ml/model/code, or in /opt/ml/code; the model is what is in /opt/ml/model. Listens on 127.0.0.1, port
SAGEMAKER_BIND_TO_PORT (default 8080; 0 takes a free one and prints it). Ends with 1 if the model cannot be loaded, with
0 on SIGTERM or SIGINT. SM_OPT_ML names another folder to stand for /opt/ml.
As one worker of an image does, it answers one invocation at a time. Standard library only; the default handlers use
numpy, as the toolkit's do.
"""

import csv
import http.server
import importlib.util
import inspect
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
import types

BASE = os.environ.get("SM_OPT_ML", "/opt/ml")
HOST = "127.0.0.1"
# SageMaker's limit for the payload of a real-time invocation.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_BODY_BYTES = 6 * 1024 * 1024
# A client that announces a body and does not send it must not hold a thread for ever.
SOCKET_TIMEOUT_SECONDS = 60

JSON, CSV, NPY, ANY = "application/json", "text/csv", "application/x-npy", "*/*"


class BaseInferenceToolkitError(Exception):
    """An error with the HTTP status that the client is to see, as scripts know it from `sagemaker_inference.errors`."""

    def __init__(self, status_code, message, phrase):
        self.status_code, self.message, self.phrase = status_code, message, phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    def __init__(self, status_code, message=None, phrase=None):
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)


class UnsupportedFormatError(Exception):
    def __init__(self, content_type):
        self.message = "content type `{}` is not supported: the script has no function for it".format(content_type)
        super().__init__(self.message)


def offer_toolkit():
    """Let a script import the toolkit's error classes and content types where the toolkit is not installed."""
    if importlib.util.find_spec("sagemaker_inference") is not None:
        return
    package = types.ModuleType("sagemaker_inference")
    package.__path__ = []
    errors = types.ModuleType("sagemaker_inference.errors")
    for error in (BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError):
        setattr(errors, error.__name__, error)
    content_types = types.ModuleType("sagemaker_inference.content_types")
    content_types.JSON, content_types.CSV, content_types.NPY, content_types.ANY = JSON, CSV, NPY, ANY
    content_types.UTF8_TYPES = [JSON, CSV]
    package.errors, package.content_types = errors, content_types
    sys.modules.update({module.__name__: module for module in (package, errors, content_types)})


def media_type(header):
    return (header or "").split(";")[0].strip().lower()


def default_model_fn(model_dir):
    raise NotImplementedError("the script has no model_fn, which loads the model from `{}`".format(model_dir))


def default_input_fn(input_data, content_type):
    """JSON, CSV or NPY as a numpy array."""
    import numpy

    kind = media_type(content_type)
    if kind == JSON:
        return numpy.array(json.loads(input_data))
    if kind == CSV:
        return numpy.genfromtxt(io.StringIO(input_data), delimiter=",", dtype=None, encoding="utf-8")
    if kind == NPY:
        # Without pickles: a request must not run code.
        return numpy.load(io.BytesIO(input_data), allow_pickle=False)
    raise UnsupportedFormatError(content_type)


def default_predict_fn(data, model):
    return model.predict(data)


def default_output_fn(prediction, accept):
    """An array or a list as JSON, CSV or NPY."""
    kind = media_type(accept)
    values = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    if kind == JSON:
        return json.dumps(values), JSON
    if kind == CSV:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(row if isinstance(row, (list, tuple)) else [row] for row in values)
        return out.getvalue(), CSV
    if kind == NPY:
        import numpy

        buffer = io.BytesIO()
        numpy.save(buffer, numpy.asarray(prediction), allow_pickle=False)
        return buffer.getvalue(), NPY
    raise UnsupportedFormatError(accept)


def call(function, *arguments):
    """Call a handler; one with a further parameter gets the request's context, of which there is none here."""
    if len(inspect.signature(function).parameters) == len(arguments) + 1:
        return function(*arguments, None)
    return function(*arguments)


def find_program():
    """The script's path."""
    program = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    folders = [os.path.join(BASE, "model", "code"), os.path.join(BASE, "code")]
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if os.path.isdir(submitted):
        folders.insert(0, submitted)
    for folder in folders:
        path = os.path.join(folder, program)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("`{}` is in none of {}".format(program, ", ".join("`%s`" % folder for folder in folders)))


def load_script(path):
    offer_toolkit()
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Model:
    """A loaded model and the handlers of its script."""

    def __init__(self):
        script = load_script(find_program())
        handlers = {name: getattr(script, name, None) for name in ("input_fn", "predict_fn", "output_fn")}
        self.transform_fn = getattr(script, "transform_fn", None)
        if self.transform_fn and any(handlers.values()):
            raise ValueError("the script has transform_fn and one of input_fn, predict_fn, output_fn: only one way is possible")
        self.input_fn = handlers["input_fn"] or default_input_fn
        self.predict_fn = handlers["predict_fn"] or default_predict_fn
        self.output_fn = handlers["output_fn"] or default_output_fn
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
        self.lock = threading.Lock()
        self.model = call(getattr(script, "model_fn", default_model_fn), os.path.join(BASE, "model"))

    def invoke(self, body, content_type, accept):
        """The answer's body and content type."""
        if not accept or accept == ANY:
            accept = self.default_accept
        if media_type(content_type) in (JSON, CSV):
            try:
                body = body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise GenericInferenceToolkitError(400, "the body is not UTF-8 text: {}".format(error)) from error
        with self.lock:
            if self.transform_fn:
                result = call(self.transform_fn, self.model, body, content_type, accept)
            else:
                data = call(self.input_fn, body, content_type)
                result = call(self.output_fn, call(self.predict_fn, data, self.model), accept)
        answer, kind = result if isinstance(result, tuple) else (result, accept)
        return answer if isinstance(answer, (bytes, bytearray)) else str(answer).encode("utf-8"), kind


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tidegate-serve"
    timeout = SOCKET_TIMEOUT_SECONDS

    def do_GET(self):
        if self.path != "/ping":
            self.answer(404, "no such path: there are GET /ping and POST /invocations")
        elif self.server.model is None:
            self.answer(503, "the model is being loaded")
        else:
            self.answer(200, "")

    def do_POST(self):
        start = time.monotonic()
        # What has not been read would be taken for the next request.
        self.close_connection = True
        if self.path != "/invocations":
            return self.answer(404, "no such path: there are GET /ping and POST /invocations")
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            return self.answer(411, "Content-Length is missing")
        if not 0 <= length <= MAX_BODY_BYTES:
            return self.answer(413, "the body has {} bytes, at most {} are allowed".format(length, MAX_BODY_BYTES))
        body = self.rfile.read(length)
        if len(body) < length:
            return None
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        if self.server.model is None:
            return self.answer(503, "the model is being loaded")
        status = self.invoke(body)
        print("POST /invocations {} {:.0f} ms".format(status, (time.monotonic() - start) * 1000), flush=True)

    def invoke(self, body):
        try:
            answer, kind = self.server.model.invoke(body, self.headers.get("Content-Type"), self.headers.get("Accept"))
            return self.answer(200, answer, kind)
        except UnsupportedFormatError as error:
            return self.answer(415, str(error))
        except Exception as error:  # noqa: BLE001 - whatever the script raises is the client's answer
            # The toolkit's own class where it is installed, ours elsewhere: both carry the status.
            status = getattr(error, "status_code", None)
            if isinstance(status, int) and 400 <= status < 600:
                return self.answer(status, getattr(error, "message", None) or str(error))
            trace = traceback.format_exc()
            print(trace, file=sys.stderr, flush=True)
            return self.answer(500, "{}\n{}".format(error, trace))

    def answer(self, status, body, kind="text/plain; charset=utf-8"):
        data = body.encode("utf-8") if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        return status

    def log_message(self, format, *args):  # pings would drown the log
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    model = None


def main():
    try:
        port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)
        server = Server((HOST, port), Handler)
    except (OSError, OverflowError, ValueError) as error:
        print("cannot listen on {}: {}".format(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080, error), file=sys.stderr)
        return 1
    # At once, also in the middle of an import: there is nothing to save.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: os._exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening on {}:{}".format(HOST, server.server_port), flush=True)

    # Before the script loads a library that reads it: idle threads of OpenMP must not spin on cores that others need.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    start = time.monotonic()
    try:
        server.model = Model()
    except Exception:  # noqa: BLE001 - whatever the script raises
        traceback.print_exc()
        print("the model cannot be loaded", file=sys.stderr, flush=True)
        return 1
    print("model loaded in {:.1f} s".format(time.monotonic() - start), flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
