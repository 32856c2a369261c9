"""Fit an AutoGluon predictor on the training channel and leave it, ready to serve, in the model folder.

Runs in SageMaker's AutoGluon training image (script mode): hyperparameters arrive as arguments, folders as SM_* variables.
An exception is all that a failure needs: the image's toolkit writes it to /opt/ml/output/failure.
"""

import argparse
import os
import tempfile
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor


def read_channel(folder):
    """All CSV files of a channel as one table."""
    files = sorted(Path(folder).rglob("*.csv"))
    if not files:
        raise ValueError(f"no CSV file in `{folder}`")
    return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)


def model_families(text):
    """`GBM,XT` as AutoGluon wants it; None leaves the choice to the preset."""
    if text == "preset":
        return None
    return {family.strip(): {} for family in text.split(",") if family.strip()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--positive_class", help="the label that precision, recall and AUC are about; AutoGluon's choice if not given")
    parser.add_argument("--preset", default="medium_quality", help="AutoGluon's preset")
    parser.add_argument(
        "--models",
        default="GBM",
        help="model families, separated by commas (GBM is LightGBM), or `preset` for those of the preset; "
        "one small family fits in a second",
    )
    parser.add_argument("--eval_metric", default="accuracy", help="what AutoGluon improves")
    parser.add_argument("--time_limit", type=float, default=60, help="seconds the fit may take")
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    args = parser.parse_args()

    table = read_channel(args.train)
    if args.label not in table.columns:
        raise ValueError(f"label `{args.label}` is not a column of the training data; there are: {', '.join(table.columns)}")
    families = model_families(args.models)

    with tempfile.TemporaryDirectory() as scratch:
        # AutoGluon seeds its split and its models itself: the same table gives the same predictor.
        predictor = TabularPredictor(
            label=args.label,
            positive_class=args.positive_class,
            eval_metric=args.eval_metric,
            path=os.path.join(scratch, "fit"),
        )
        predictor.fit(
            table,
            presets=args.preset,
            hyperparameters=families,
            time_limit=args.time_limit,
            # A vote among one model only adds a layer.
            fit_weighted_ensemble=families is None or len(families) > 1,
        )
        print(predictor.leaderboard().to_string())
        # Without the training data and what only a further fit needs.
        predictor.clone_for_deployment(path=args.model_dir, dirs_exist_ok=True)
    print(f"predictor for `{args.label}` saved in `{args.model_dir}`")


if __name__ == "__main__":
    main()
