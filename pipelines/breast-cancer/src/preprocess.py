"""Check the CSV files that arrived, and split their rows into a training and a test set.

Reads   /opt/ml/processing/input/data/**/*.csv
Writes  /opt/ml/processing/output/train/train.csv
        /opt/ml/processing/output/test/test.csv

A file that breaks the rules below ends the step with status 1 and a message that names file, line and column.
Runs in SageMaker's scikit-learn 1.2-1 image: nothing newer than Python 3.8 and scikit-learn 1.2 here.
"""

import argparse
import csv
import math
import os
import sys
from collections import Counter

from failure import OPT_ML, fail

LABEL = "diagnosis"
CLASSES = ("B", "M")
MEASUREMENTS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)
FEATURES = (
    ["mean_" + name for name in MEASUREMENTS]
    + [name + "_error" for name in MEASUREMENTS]
    + ["worst_" + name for name in MEASUREMENTS]
)
COLUMNS = [LABEL] + FEATURES

# A file in another format altogether would name every cell; the first ones tell enough.
PROBLEMS_SHOWN = 20


def find_files(folder):
    """The CSV files in `folder` and below it, in a fixed order."""
    found = []
    for parent, _, names in os.walk(folder):
        found.extend(os.path.join(parent, name) for name in names if name.lower().endswith(".csv"))
    return sorted(found)


def check_header(header):
    """What is wrong with a header, or None. Columns may come in any order."""
    twice = sorted(name for name, times in Counter(header).items() if times > 1)
    if twice:
        return "column `{}` appears twice in the header".format(twice[0])
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        more = " and {} more".format(len(missing) - 1) if len(missing) > 1 else ""
        return "column `{}`{} is missing from the header".format(missing[0], more)
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        return "unknown column `{}` in the header".format(unknown[0])
    return None


def check_cell(column, text):
    """What is wrong with a cell, or None."""
    if text == "":
        return "is empty"
    if column == LABEL:
        return None if text in CLASSES else "`{}` is not one of {}".format(text, ", ".join(CLASSES))
    try:
        number = float(text)
    except ValueError:
        return "`{}` is not a number".format(text)
    if not math.isfinite(number) or number < 0:
        return "`{}` is not a finite number of at least 0".format(text)
    return None


def read_file(path, name):
    """The rows of one file, cells as text in the order of COLUMNS, and the problems found, in the order of lines."""
    rows, problems = [], []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, None)
            if header is None:
                return [], ["{}: the file is empty".format(name)]
            header = [column.strip() for column in header]
            problem = check_header(header)
            if problem:
                return [], ["{}, line 1: {}".format(name, problem)]
            for cells in reader:
                if not cells:
                    continue
                place = "{}, line {}".format(name, reader.line_num)
                if len(cells) != len(header):
                    # A short row names the column where the values ran out.
                    column = " (column `{}` is missing)".format(header[len(cells)]) if len(cells) < len(header) else ""
                    problems.append("{}: {} values where the header has {}{}".format(place, len(cells), len(header), column))
                    continue
                row = dict(zip(header, (cell.strip() for cell in cells)))
                for column in header:
                    problem = check_cell(column, row[column])
                    if problem:
                        problems.append("{}, column `{}`: {}".format(place, column, problem))
                rows.append([row[column] for column in COLUMNS])
    except csv.Error as error:
        problems.append("{}, line {}: {}".format(name, reader.line_num, error))
    except UnicodeDecodeError as error:
        problems.append("{}: not UTF-8 text ({})".format(name, error.reason))
    return rows, problems


def read_rows(folder):
    """The distinct rows of all files in `folder`; ends the step if any file breaks the rules."""
    files = find_files(folder)
    if not files:
        fail("no CSV file in `{}`".format(folder))
    rows, problems = [], []
    for path in files:
        file_rows, file_problems = read_file(path, os.path.relpath(path, folder))
        print("{}: {} rows, {} problems".format(path, len(file_rows), len(file_problems)))
        rows.extend(file_rows)
        problems.extend(file_problems)
    if problems:
        for problem in problems[:PROBLEMS_SHOWN]:
            print(problem, file=sys.stderr)
        more = len(problems) - 1
        fail(problems[0] + (" (and {} more problem{})".format(more, "" if more == 1 else "s") if more else ""))

    # The same row in training and test set would make the model look better than it is.
    distinct = [list(row) for row in dict.fromkeys(map(tuple, rows))]
    if len(distinct) < len(rows):
        print("{} repeated rows dropped".format(len(rows) - len(distinct)))
    return distinct


def split(rows, test_fraction, seed):
    """Training and test rows with the same share of each class."""
    from sklearn.model_selection import train_test_split

    counts = Counter(row[0] for row in rows)
    print("{} rows: {}".format(len(rows), ", ".join("{} {}".format(counts[name], name) for name in CLASSES)))
    try:
        return train_test_split(rows, test_size=test_fraction, stratify=[row[0] for row in rows], random_state=seed)
    except ValueError as error:
        # Too few rows, of one class or altogether: scikit-learn says which.
        return fail("cannot split {} rows ({}): {}".format(len(rows), dict(counts), error))


def write_rows(folder, name, rows):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print("{}: {} rows".format(path, len(rows)))


def fraction(text):
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("`{}` is not between 0 and 1".format(text))
    return value


def main():
    processing = os.path.join(OPT_ML, "processing")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", default=os.path.join(processing, "input", "data"))
    parser.add_argument("--train", default=os.path.join(processing, "output", "train"))
    parser.add_argument("--test", default=os.path.join(processing, "output", "test"))
    parser.add_argument("--test-fraction", type=fraction, default=0.2, help="share of the rows kept for the test")
    parser.add_argument("--seed", type=int, default=42, help="seed of the split")
    args = parser.parse_args()

    train, test = split(read_rows(args.input), args.test_fraction, args.seed)
    write_rows(args.train, "train.csv", train)
    write_rows(args.test, "test.csv", test)


if __name__ == "__main__":
    main()
