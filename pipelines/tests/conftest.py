"""Each run of the pipeline goes through its steps as processes, the way the engine starts them."""

import functools
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "pipelines" / "breast-cancer"
SOURCE = EXAMPLE / "src"
HYPERPARAMETERS = {"label": "diagnosis", "positive_class": "M", "preset": "medium_quality"}

# The source folder's content is hashed: leave nothing there.
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "local" / "containers" / "tests"))
sys.path.insert(0, str(SOURCE))

from harness import OptMl  # noqa: E402


@functools.cache
def data(*options):
    """What data.py writes with these options."""
    command = [sys.executable, str(EXAMPLE / "data.py"), *options]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout


def write_data(path, *options):
    """A file of what data.py writes with these options."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data(*options), encoding="utf-8")
    return path


def preprocess(folder, *options):
    """The process of the step over data.py's file, and its /opt/ml."""
    opt_ml = OptMl(folder)
    write_data(opt_ml.root / "processing/input/data/drop.csv", *options)
    return opt_ml.python(SOURCE / "preprocess.py", "--test-fraction", "0.2"), opt_ml


def train(folder, table, **hyperparameters):
    """The process of the step on this training table, and its /opt/ml."""
    opt_ml = OptMl(folder)
    opt_ml.configure_training({**HYPERPARAMETERS, **hyperparameters, "sagemaker_program": "train.py"})
    shutil.copytree(SOURCE, opt_ml.root / "code")
    channel = opt_ml.root / "input/data/train"
    channel.mkdir(parents=True)
    shutil.copy(table, channel)
    return opt_ml.train(), opt_ml


def evaluate(folder, model, table):
    """The process of the step on this model folder and test table, and its /opt/ml."""
    opt_ml = OptMl(folder)
    for name in ("model", "test"):
        (opt_ml.root / "processing/input" / name).mkdir(parents=True)
    with tarfile.open(opt_ml.root / "processing/input/model/model.tar.gz", "w:gz") as tar:
        tar.add(model, arcname=".")
    shutil.copy(table, opt_ml.root / "processing/input/test")
    return opt_ml.python(SOURCE / "evaluate.py"), opt_ml


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class Run:
    """The pipeline from data to report, on one kind of data."""

    def __init__(self, folder, *options):
        done, split = preprocess(folder / "preprocess", *options)
        assert done.returncode == 0, done.stderr
        self.train_table = split.root / "processing/output/train/train.csv"
        self.test_table = split.root / "processing/output/test/test.csv"
        done, trained = train(folder / "train", self.train_table)
        assert done.returncode == 0, done.stderr
        self.model = trained.root / "model"
        done, evaluated = evaluate(folder / "evaluate", self.model, self.test_table)
        assert done.returncode == 0, done.stderr
        self.text = evaluated.read("processing/output/evaluation/evaluation.json")
        self.report = json.loads(self.text, parse_constant=refuse)
        self.metrics = self.report["binary_classification_metrics"]


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="session")
def shuffled(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("shuffled"), "--shuffle-labels")
