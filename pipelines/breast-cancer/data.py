"""Write the Breast Cancer Wisconsin (Diagnostic) data set, which scikit-learn ships, as CSV.

The first column, `diagnosis`, is `B` (benign) or `M` (malignant); the other 30 are measurements of cell nuclei.
Two options spoil it on purpose, to see a gate refuse a model and a pipeline refuse a file.
"""

import argparse
import csv
import random
import sys

from sklearn.datasets import load_breast_cancer


def table():
    """The header and the rows, every cell a text."""
    data = load_breast_cancer()
    header = ["diagnosis"] + [name.replace(" ", "_") for name in data.feature_names]
    # scikit-learn's target names are ["malignant", "benign"].
    letters = [name[0].upper() for name in data.target_names]
    rows = [
        [letters[target]] + [repr(float(value)) for value in values]
        for target, values in zip(data.target, data.data)
    ]
    return header, rows


def shuffle_labels(rows, seed):
    """Deal the same labels out to other rows: the file stays valid, and there is nothing left to learn."""
    labels = [row[0] for row in rows]
    random.Random(seed).shuffle(labels)
    for row, label in zip(rows, labels):
        row[0] = label


def spoil(rows):
    """Put a text into a numeric column (line 7 of the file) and cut a row short (line 12)."""
    rows[5][3] = "not measured"
    del rows[10][-4:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="-", help="file to write; `-` is standard output")
    parser.add_argument("--shuffle-labels", action="store_true", help="give the labels to the wrong rows")
    parser.add_argument("--malformed", action="store_true", help="spoil two rows so that the file is refused")
    parser.add_argument("--without-label", action="store_true", help="leave out `diagnosis`: rows to ask a prediction for")
    parser.add_argument("--rows", type=int, help="write only the first so many rows")
    parser.add_argument("--seed", type=int, default=42, help="seed of --shuffle-labels")
    args = parser.parse_args()

    header, rows = table()
    if args.shuffle_labels:
        shuffle_labels(rows, args.seed)
    if args.malformed:
        spoil(rows)
    rows = rows[: args.rows]
    if args.without_label:
        header, rows = header[1:], [row[1:] for row in rows]

    with sys.stdout if args.output == "-" else open(args.output, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
