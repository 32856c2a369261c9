"""Measure the trained predictor on the test set and write SageMaker's model quality report.

Reads   /opt/ml/processing/input/model/model.tar.gz
        /opt/ml/processing/input/test/**/*.csv
Writes  /opt/ml/processing/output/evaluation/evaluation.json

The report has the form of SageMaker Model Monitor's statistics for binary classification
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html), so that a model package can
carry it. Model Monitor writes the text "NaN" where it has no number; here such a key is left out.
Runs in SageMaker's AutoGluon image.
"""

import argparse
import json
import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor
from sklearn import metrics

from failure import OPT_ML, fail

# Model Monitor's way to a standard deviation: the metric of five random samples of 80 % each.
SAMPLES = 5
SAMPLE_SHARE = 0.8


def load_predictor(archive, folder):
    """Unpack the training job's artifact into `folder` and load it."""
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    return TabularPredictor.load(folder)


def read_tables(folder):
    files = sorted(Path(folder).rglob("*.csv"))
    if not files:
        raise ValueError(f"no CSV file in `{folder}`")
    return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)


def scalars(truth, predicted, score):
    """The single-number metrics. Arguments are arrays: 0 or 1, 0 or 1, probability of 1."""
    (true_negative, false_positive), (false_negative, true_positive) = metrics.confusion_matrix(
        truth, predicted, labels=[0, 1]
    )
    negatives, positives = true_negative + false_positive, true_positive + false_negative
    return {
        "recall": metrics.recall_score(truth, predicted, zero_division=0),
        "precision": metrics.precision_score(truth, predicted, zero_division=0),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "true_positive_rate": true_positive / positives,
        "true_negative_rate": true_negative / negatives,
        "false_positive_rate": false_positive / negatives,
        "false_negative_rate": false_negative / positives,
        "auc": metrics.roc_auc_score(truth, score),
        "f0_5": metrics.fbeta_score(truth, predicted, beta=0.5, zero_division=0),
        "f1": metrics.f1_score(truth, predicted, zero_division=0),
        "f2": metrics.fbeta_score(truth, predicted, beta=2, zero_division=0),
    }


def deviations(truth, predicted, score, seed):
    """The standard deviation of each metric, or nothing where a sample lacks one of the classes."""
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(SAMPLES):
        rows = random.choice(len(truth), size=max(1, int(len(truth) * SAMPLE_SHARE)), replace=False)
        if len(set(truth[rows])) < 2:
            return {}
        samples.append(scalars(truth[rows], predicted[rows], score[rows]))
    return {name: float(np.std([sample[name] for sample in samples])) for name in samples[0]}


def report(truth, predicted, score, seed):
    """The whole report; every number in it is finite."""
    (true_negative, false_positive), (false_negative, true_positive) = metrics.confusion_matrix(
        truth, predicted, labels=[0, 1]
    ).tolist()
    spread = deviations(truth, predicted, score, seed)
    quality = {
        # Rows are what is true, columns what was predicted.
        "confusion_matrix": {
            "0": {"0": true_negative, "1": false_positive},
            "1": {"0": false_negative, "1": true_positive},
        }
    }
    for name, value in scalars(truth, predicted, score).items():
        quality[name] = {"value": float(value)}
        if name in spread:
            quality[name]["standard_deviation"] = spread[name]
    false_rates, true_rates, _ = metrics.roc_curve(truth, score)
    quality["receiver_operating_characteristic_curve"] = {
        "false_positive_rates": false_rates.tolist(),
        "true_positive_rates": true_rates.tolist(),
    }
    precisions, recalls, _ = metrics.precision_recall_curve(truth, score)
    quality["precision_recall_curve"] = {"precisions": precisions.tolist(), "recalls": recalls.tolist()}
    return {"version": 0.0, "dataset": {"item_count": len(truth)}, "binary_classification_metrics": quality}


def evaluate(model, test, seed):
    """The report for the artifact `model` on the tables in the folder `test`."""
    table = read_tables(test)
    with tempfile.TemporaryDirectory() as folder:
        predictor = load_predictor(model, folder)
        if predictor.problem_type != "binary":
            raise ValueError(f"the model answers a {predictor.problem_type} problem; this report is for binary ones")
        if predictor.label not in table.columns:
            raise ValueError(f"label `{predictor.label}` is not a column of the test data")
        probabilities = predictor.predict_proba(table)
        predicted = predictor.predict_from_proba(probabilities)

    labels = table[predictor.label]
    unknown = sorted(set(labels.astype(str)) - set(map(str, predictor.class_labels)))
    if unknown:
        raise ValueError(f"label `{unknown[0]}` of the test data is unknown to the model")
    if labels.nunique() < 2:
        raise ValueError(f"the test data holds only the label `{labels.iloc[0]}`: nothing to tell apart")
    positive = predictor.positive_class
    print(f"{len(table)} rows, positive class `{positive}`")
    return report(
        (labels == positive).to_numpy().astype(int),
        (predicted == positive).to_numpy().astype(int),
        probabilities[positive].to_numpy(),
        seed,
    )


def main():
    processing = os.path.join(OPT_ML, "processing")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=os.path.join(processing, "input", "model", "model.tar.gz"))
    parser.add_argument("--test", default=os.path.join(processing, "input", "test"))
    parser.add_argument("--output", default=os.path.join(processing, "output", "evaluation", "evaluation.json"))
    parser.add_argument("--seed", type=int, default=42, help="seed of the samples for the standard deviations")
    args = parser.parse_args()

    try:
        result = evaluate(args.model, args.test, args.seed)
    except (OSError, ValueError, tarfile.TarError) as error:
        fail(f"cannot evaluate the model: {error}")
    os.makedirs(os.path.dirname(args.output) or ".", exist_ok=True)
    with open(args.output, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2, allow_nan=False)
    quality = result["binary_classification_metrics"]
    print(", ".join(f"{name} {quality[name]['value']:.4f}" for name in ("accuracy", "auc", "f1", "precision", "recall")))


if __name__ == "__main__":
    main()
