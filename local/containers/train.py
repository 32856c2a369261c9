"""Run a training script as SageMaker's training toolkit does inside an image (script mode).

Reads   /opt/ml/input/config/{hyperparameters,resourceconfig,inputdataconfig}.json
        /opt/ml/code, the unpacked `sagemaker_submit_directory`: whoever starts this has put it there
Runs    the hyperparameter `sagemaker_program` in /opt/ml/code, hyperparameters as `--name value`, folders as SM_* variables
Writes  /opt/ml/output/failure, whose beginning becomes the job's FailureReason, or /opt/ml/output/success

Ends with 0, or with 1 if the script failed. SIGTERM and SIGINT are passed on to the script.
SM_OPT_ML names another folder to stand for /opt/ml. Differences to an image: nothing is installed from a
requirements.txt, no GPU is looked for, there is one host, and OMP_WAIT_POLICY is PASSIVE unless set: an image has its
cores to itself, here the idle threads of OpenMP would spin on cores that others need (a fit of LightGBM then takes ten
times as long and more). Standard library only.
"""

import collections
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading

# How much of standard error to keep for the failure message. SageMaker shows 1024 characters of it.
TAIL_LINES = 200
TAIL_LINES_WITHOUT_TRACEBACK = 10
# A grandchild may hold standard error open after the script has ended.
DRAIN_SECONDS = 2

INTERNAL_PREFIX = "sagemaker_"
DEFAULT_GROUP = "homogeneousCluster"


class ExecuteUserScriptError(Exception):
    """The script ended with another status than 0."""

    def __init__(self, code, message, command):
        super().__init__(
            'ExecuteUserScriptError:\nExitCode {}\nErrorMessage "{}"\nCommand "{}"'.format(
                code, message, " ".join(command)
            )
        )


class SetupError(Exception):
    """What the job was given does not let the script start."""


def read_json(path, default=None):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        if default is None:
            raise SetupError("`{}` is missing".format(path)) from None
        return default
    except ValueError as error:
        raise SetupError("`{}` is not JSON: {}".format(path, error)) from error


def decode_hyperparameters(raw):
    """Values are strings that hold JSON; one that does not is meant as it stands."""
    decoded = {}
    for name, value in raw.items():
        try:
            decoded[name] = json.loads(value)
        except (TypeError, ValueError):
            decoded[name] = value
    return decoded


def to_arguments(hyperparameters):
    """`--name value` for each, ordered by name; an object becomes `a=1,b=2`."""
    arguments = []
    for name, value in sorted(hyperparameters.items()):
        arguments.append(("--" if len(name) > 1 else "-") + name)
        if isinstance(value, dict):
            arguments.append(",".join("{}={}".format(key, item) for key, item in sorted(value.items())))
        else:
            arguments.append("" if value is None else str(value))
    return arguments


def to_variable(value):
    """A value as the toolkit puts it into a variable: text as it is, all else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class Job:
    """What the job's configuration says, under the names that the toolkit gives it."""

    def __init__(self, base):
        self.base = base
        config = os.path.join(base, "input", "config")
        decoded = decode_hyperparameters(read_json(os.path.join(config, "hyperparameters.json")))
        internal = {name: value for name, value in decoded.items() if name.startswith(INTERNAL_PREFIX)}
        self.hyperparameters = {name: value for name, value in decoded.items() if name not in internal}
        self.resources = read_json(
            os.path.join(config, "resourceconfig.json"), {"current_host": "algo-1", "hosts": ["algo-1"]}
        )
        self.inputs = read_json(os.path.join(config, "inputdataconfig.json"), {})
        self.program = os.environ.get("SAGEMAKER_PROGRAM") or internal.get("sagemaker_program")
        if not self.program:
            raise SetupError(
                "hyperparameter `sagemaker_program` is missing: it names the script to run, relative to the source code"
            )
        self.code = os.path.join(base, "code")
        self.submit_directory = internal.get("sagemaker_submit_directory", self.code)
        self.log_level = internal.get("sagemaker_container_log_level", 20)
        self.region = internal.get("sagemaker_region") or os.environ.get("AWS_REGION", "")
        self.job_name = internal.get("sagemaker_job_name") or os.environ.get("TRAINING_JOB_NAME", "")
        own = ("program", "submit_directory", "container_log_level", "region", "job_name", "s3_output")
        self.framework = {
            name: value for name, value in internal.items() if name[len(INTERNAL_PREFIX) :] not in own
        }

    def environment(self):
        """The variables that the script finds, without the ones inherited."""
        channels = {name: os.path.join(self.base, "input", "data", name) for name in self.inputs}
        output = os.path.join(self.base, "output")
        group = self.resources.get("current_group_name", DEFAULT_GROUP)
        groups = {item["instance_group_name"]: item for item in self.resources.get("instance_groups", [])}
        hosts = self.resources["hosts"]
        common = {
            "channel_input_dirs": channels,
            "current_host": self.resources["current_host"],
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
            "current_instance_type": self.resources.get("current_instance_type", "local"),
            "distribution_instance_groups": [],
            "framework_module": None,
            "hosts": hosts,
            "input_config_dir": os.path.join(self.base, "input", "config"),
            "input_data_config": self.inputs,
            "input_dir": os.path.join(self.base, "input"),
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "is_hetero": len(groups) > 1,
            "log_level": self.log_level,
            "model_dir": os.path.join(self.base, "model"),
            "module_dir": self.submit_directory,
            "module_name": re.sub(r"\.py$", "", self.program),
            "network_interface_name": self.resources.get("network_interface_name", "eth0"),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "output_data_dir": os.path.join(output, "data"),
            "output_dir": output,
            "output_intermediate_dir": os.path.join(output, "intermediate"),
            "resource_config": self.resources,
            "user_entry_point": self.program,
        }
        variables = dict(common)
        del variables["channel_input_dirs"]
        variables["channels"] = sorted(channels)
        variables["framework_params"] = self.framework
        variables["hps"] = self.hyperparameters
        variables["user_args"] = to_arguments(self.hyperparameters)
        variables["training_env"] = dict(
            common,
            additional_framework_parameters=self.framework,
            hyperparameters=self.hyperparameters,
            is_master=self.resources["current_host"] == hosts[0],
            job_name=self.job_name,
            master_hostname=hosts[0],
        )
        variables.update(("channel_" + name, path) for name, path in channels.items())
        variables.update(("hp_" + name, value) for name, value in self.hyperparameters.items())
        environment = {"SM_" + name.upper(): to_variable(value) for name, value in variables.items()}
        environment["SAGEMAKER_JOB_NAME"] = self.job_name
        environment["SAGEMAKER_REGION"] = self.region
        environment["CURRENT_HOST"] = self.resources["current_host"]
        environment["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")
        # The toolkit puts the source code in front of everything that the script inherits.
        inherited = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = self.code + (os.pathsep + inherited if inherited else "")
        return environment

    def command(self):
        arguments = to_arguments(self.hyperparameters)
        if self.program.endswith(".py"):
            return [sys.executable, self.program] + arguments
        return ["/bin/sh", "-c", " ".join(["./" + shlex.quote(self.program)] + [shlex.quote(item) for item in arguments])]


def error_message(lines):
    """What went wrong, out of the end of standard error: the last exception, or the last lines."""
    text = [line.rstrip() for line in lines if line.strip()]
    starts = [number for number, line in enumerate(text) if line.startswith("Traceback (most recent call last):")]
    if starts:
        for number in range(starts[-1] + 1, len(text)):
            # The frames of a traceback are indented; the exception is the first line that is not.
            if not text[number].startswith(" "):
                return "\n".join(text[number:])
    return "\n".join(text[-TAIL_LINES_WITHOUT_TRACEBACK:])


def run(command, folder, environment):
    """Run the script to its end, showing its output as it comes. Raises ExecuteUserScriptError."""
    try:
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)
    except OSError as error:
        raise SetupError("cannot run `{}` in `{}`: {}".format(command[0], folder, error)) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: process.send_signal(received))

    tail = collections.deque(maxlen=TAIL_LINES)

    def copy():
        for line in process.stderr:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            tail.append(line.decode("utf-8", "replace"))

    reader = threading.Thread(target=copy, daemon=True)
    reader.start()
    code = process.wait()
    reader.join(DRAIN_SECONDS)
    if code != 0:
        raise ExecuteUserScriptError(code, error_message(list(tail)), command)


def train(base):
    """Run the job under `base`; the exit status."""
    output = os.path.join(base, "output")
    for folder in (os.path.join(base, "model"), os.path.join(output, "data"), os.path.join(output, "intermediate")):
        os.makedirs(folder, exist_ok=True)
    try:
        job = Job(base)
        if os.path.exists(os.path.join(job.code, "requirements.txt")):
            print("requirements.txt: an image would install it; here the packages are those of this Python", file=sys.stderr)
        command = job.command()
        print("Invoking script with the following command:\n{}\n".format(" ".join(command)), flush=True)
        run(command, job.code, dict(os.environ, **job.environment()))
    except (ExecuteUserScriptError, SetupError) as error:
        message = str(error) if isinstance(error, ExecuteUserScriptError) else "framework error: {}".format(error)
        with open(os.path.join(output, "failure"), "w", encoding="utf-8") as file:
            file.write(message)
        print(message, file=sys.stderr, flush=True)
        return 1
    with open(os.path.join(output, "success"), "w", encoding="utf-8"):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(train(os.environ.get("SM_OPT_ML", "/opt/ml")))
