"""train.py: what a script finds, and what becomes of its failure."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from harness import CONTAINERS, OptMl

DUMP = """
import json, os, sys
found = {"argv": sys.argv, "cwd": os.getcwd(), "path": sys.path, "env": dict(os.environ)}
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "found.json"), "w") as file:
    json.dump(found, file)
"""


@pytest.fixture
def opt_ml(tmp_path):
    return OptMl(tmp_path / "ml")


def job(opt_ml, source, hyperparameters=None, program="entry.py", **extra):
    opt_ml.configure_training({"sagemaker_program": program, "sagemaker_submit_directory": "s3://b/c/sourcedir.tar.gz", **(hyperparameters or {})})
    opt_ml.write("code/" + program, source)
    return opt_ml.train(**extra)


def test_script_finds_arguments_variables_and_folders(opt_ml):
    done = job(
        opt_ml,
        DUMP,
        {"label": "diagnosis", "rate": 0.5, "deep": True, "n": 3, "map": {"b": 2, "a": [1]}, "sagemaker_region": "eu-central-1", "sagemaker_custom": 1},
        TRAINING_JOB_NAME="the-job",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(opt_ml.read("output/data/found.json"))
    root = str(opt_ml.root)
    arguments = ["--deep", "True", "--label", "diagnosis", "--map", "a=[1],b=2", "-n", "3", "--rate", "0.5"]
    assert found["argv"] == ["entry.py", *arguments]
    assert found["cwd"] == root + "/code"

    env = found["env"]
    for name, value in {
        "SM_MODEL_DIR": root + "/model",
        "SM_CHANNEL_TRAIN": root + "/input/data/train",
        "SM_INPUT_DIR": root + "/input",
        "SM_INPUT_CONFIG_DIR": root + "/input/config",
        "SM_OUTPUT_DIR": root + "/output",
        "SM_OUTPUT_DATA_DIR": root + "/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": root + "/output/intermediate",
        "SM_MODULE_NAME": "entry",
        "SM_MODULE_DIR": "s3://b/c/sourcedir.tar.gz",
        "SM_USER_ENTRY_POINT": "entry.py",
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_NUM_GPUS": "0",
        "SM_NUM_CPUS": str(os.cpu_count()),
        "SM_LOG_LEVEL": "20",
        "SM_HP_LABEL": "diagnosis",
        "SM_HP_RATE": "0.5",
        "SM_HP_DEEP": "true",
        "SM_HP_MAP": '{"a":[1],"b":2}',
        "SAGEMAKER_REGION": "eu-central-1",
        "SAGEMAKER_JOB_NAME": "the-job",
        "OMP_WAIT_POLICY": "PASSIVE",
    }.items():
        assert env[name] == value, name
    hyperparameters = {"label": "diagnosis", "rate": 0.5, "deep": True, "n": 3, "map": {"b": 2, "a": [1]}}
    assert json.loads(env["SM_HPS"]) == hyperparameters
    assert json.loads(env["SM_HOSTS"]) == ["algo-1"]
    assert json.loads(env["SM_CHANNELS"]) == ["train"]
    assert json.loads(env["SM_USER_ARGS"]) == arguments
    assert json.loads(env["SM_FRAMEWORK_PARAMS"]) == {"sagemaker_custom": 1}
    assert json.loads(env["SM_RESOURCE_CONFIG"])["hosts"] == ["algo-1"]
    assert json.loads(env["SM_INPUT_DATA_CONFIG"]) == {"train": {"TrainingInputMode": "File"}}
    training = json.loads(env["SM_TRAINING_ENV"])
    assert training["hyperparameters"] == hyperparameters
    assert training["channel_input_dirs"] == {"train": root + "/input/data/train"}
    assert training["job_name"] == "the-job"
    assert root + "/code" in found["path"]
    assert (opt_ml.root / "output/success").exists() and not (opt_ml.root / "output/failure").exists()


def test_value_that_is_not_json_is_taken_as_it_stands(opt_ml):
    opt_ml.write("input/config/hyperparameters.json", '{"sagemaker_program": "entry.py", "name": "plain text"}')
    opt_ml.write("code/entry.py", DUMP)
    assert opt_ml.train().returncode == 0
    found = json.loads(opt_ml.read("output/data/found.json"))
    assert found["argv"][1:] == ["--name", "plain text"]
    assert json.loads(found["env"]["SM_CHANNELS"]) == []


def test_exception_becomes_the_failure(opt_ml):
    source = "import sys\nprint('noise', file=sys.stderr)\ntry:\n    1/0\nexcept ZeroDivisionError:\n    raise ValueError('no `x` in the data\\nlook again')\n"
    done = job(opt_ml, source, {"a": 1})
    assert done.returncode == 1
    assert opt_ml.read("output/failure") == (
        'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no `x` in the data\nlook again"\n'
        'Command "{} entry.py -a 1"'.format(sys.executable)
    )
    assert "noise" in done.stderr and "Traceback" in done.stderr
    assert not (opt_ml.root / "output/success").exists()


def test_message_without_a_traceback_becomes_the_failure(opt_ml):
    done = job(opt_ml, "import sys\nsys.exit('the data are too old')\n")
    assert done.returncode == 1
    assert 'ExitCode 1\nErrorMessage "the data are too old"' in opt_ml.read("output/failure")


def test_own_exit_code_is_named(opt_ml):
    assert job(opt_ml, "import sys\nsys.exit(3)\n").returncode == 1
    assert "ExitCode 3\n" in opt_ml.read("output/failure")


def test_killed_script_is_a_failure(opt_ml):
    assert job(opt_ml, "import os\nos.kill(os.getpid(), 9)\n").returncode == 1
    assert "ExitCode -9\n" in opt_ml.read("output/failure")


def test_missing_script_is_a_failure(opt_ml):
    opt_ml.configure_training({"sagemaker_program": "absent.py"})
    (opt_ml.root / "code").mkdir()
    assert opt_ml.train().returncode == 1
    assert "absent.py" in opt_ml.read("output/failure")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "hyperparameter `sagemaker_program` is missing"),
        ("{", "is not JSON"),
        (None, "hyperparameters.json` is missing"),
    ],
)
def test_unusable_configuration_is_a_framework_error(opt_ml, text, reason):
    if text is not None:
        opt_ml.write("input/config/hyperparameters.json", text)
    done = opt_ml.train()
    assert done.returncode == 1
    failure = opt_ml.read("output/failure")
    assert failure.startswith("framework error: ") and reason in failure
    assert "Traceback" not in done.stderr


def test_shell_program_gets_its_arguments_unchanged(opt_ml):
    opt_ml.configure_training({"sagemaker_program": "run.sh", "text": "a b; exit 9"})
    opt_ml.write("code/run.sh", '#!/bin/sh\nprintf "%s|" "$@" > "$SM_OUTPUT_DATA_DIR/arguments"\n').chmod(0o755)
    done = opt_ml.train()
    assert done.returncode == 0, done.stderr
    assert opt_ml.read("output/data/arguments") == "--text|a b; exit 9|"


def test_output_is_shown_while_the_script_runs_and_sigterm_reaches_it(opt_ml):
    opt_ml.configure_training({"sagemaker_program": "entry.py"})
    opt_ml.write(
        "code/entry.py",
        "import os, signal, sys, time\n"
        "def stop(*_):\n"
        "    open(os.path.join(os.environ['SM_MODEL_DIR'], 'checkpoint'), 'w').close()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', file=sys.stderr, flush=True)\n"
        "time.sleep(60)\n",
    )
    with subprocess.Popen(
        [sys.executable, str(CONTAINERS / "train.py")], env=opt_ml.environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr.readline() == "ready\n"
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - start < 10
    assert (opt_ml.root / "model/checkpoint").exists()


def test_a_left_over_child_does_not_hold_the_job(opt_ml):
    source = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(15)'])\n"
        "print(child.pid)\nraise RuntimeError('gone')\n"
    )
    opt_ml.configure_training({"sagemaker_program": "entry.py"})
    opt_ml.write("code/entry.py", source)
    start = time.monotonic()
    # To files: pipes of our own would be held open by the child too.
    with open(opt_ml.root / "out", "w+") as out:
        code = subprocess.run(
            [sys.executable, str(CONTAINERS / "train.py")], env=opt_ml.environment(), stdout=out, stderr=out, timeout=60
        ).returncode
        lasted = time.monotonic() - start
        out.seek(0)
        pid = next(int(line) for line in out if line.strip().isdigit())
    os.kill(pid, signal.SIGKILL)
    assert code == 1 and lasted < 12
    assert "RuntimeError: gone" in opt_ml.read("output/failure")
