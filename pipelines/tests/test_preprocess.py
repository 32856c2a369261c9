"""preprocess.py and data.py: what is let through, what is refused, and how the refusal reads."""

import ast
import csv
import subprocess
import sys
from collections import Counter

import pytest

import preprocess as step
from conftest import EXAMPLE, SOURCE, OptMl, data, preprocess, write_data


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def line(**cells):
    """A valid line with some cells changed."""
    return ",".join({**{name: "1.5" for name in step.COLUMNS}, "diagnosis": "M", **cells}.values())


HEADER = ",".join(step.COLUMNS)


def test_split_keeps_every_row_once_and_the_share_of_each_class(tmp_path):
    done, opt_ml = preprocess(tmp_path / "ml")
    assert done.returncode == 0, done.stderr
    header, rows = read(opt_ml.root / "processing/input/data/drop.csv")
    train_header, train = read(opt_ml.root / "processing/output/train/train.csv")
    test_header, test = read(opt_ml.root / "processing/output/test/test.csv")
    assert header == train_header == test_header
    assert (len(train), len(test)) == (455, 114)
    assert sorted(train + test) == sorted(rows)
    share = {name: Counter(row[0] for row in part)["M"] / len(part) for name, part in (("train", train), ("test", test))}
    assert share["train"] == pytest.approx(212 / 569, abs=0.005) and share["test"] == pytest.approx(212 / 569, abs=0.005)
    assert not (opt_ml.root / "output/message").exists()

    again, other = preprocess(tmp_path / "again")
    assert again.returncode == 0
    for name in ("train/train.csv", "test/test.csv"):
        assert opt_ml.read("processing/output/" + name) == other.read("processing/output/" + name)


def test_malformed_file_ends_the_step_with_the_reason(tmp_path):
    done, opt_ml = preprocess(tmp_path / "ml", "--malformed")
    reason = "drop.csv, line 7, column `mean_perimeter`: `not measured` is not a number (and 1 more problem)"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == reason
    assert opt_ml.read("output/message") == reason
    assert "drop.csv, line 12: 27 values where the header has 31 (column `worst_concavity` is missing)" in done.stderr
    assert not (opt_ml.root / "processing/output").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "x.csv: the file is empty"),
        ("a,b\n1,2\n", "x.csv, line 1: column `diagnosis` and 30 more is missing from the header"),
        (HEADER.replace("worst_area", "mean_area"), "x.csv, line 1: column `mean_area` appears twice in the header"),
        (HEADER + ",id", "x.csv, line 1: unknown column `id` in the header"),
        (HEADER + "\n" + line() + ",9", "x.csv, line 2: 32 values where the header has 31"),
        (HEADER + "\n\n" + line(mean_area=""), "x.csv, line 3, column `mean_area`: is empty"),
        (HEADER + "\n" + line(mean_area="nan"), "x.csv, line 2, column `mean_area`: `nan` is not a finite number of at least 0"),
        (HEADER + "\n" + line(mean_area="-1"), "x.csv, line 2, column `mean_area`: `-1` is not a finite number of at least 0"),
        (HEADER + "\n" + line(diagnosis="X"), "x.csv, line 2, column `diagnosis`: `X` is not one of B, M"),
        (HEADER + "\n" + line(mean_area='"1'), "x.csv, line 2: unexpected end of data"),
        (HEADER.encode() + b"\n\xff", "x.csv: not UTF-8 text (invalid start byte)"),
    ],
)
def test_each_rule_is_named(tmp_path, text, reason):
    path = tmp_path / "x.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert step.read_file(str(path), "x.csv")[1] == [reason]


def test_byte_order_mark_blanks_and_another_order_of_columns_are_let_through(tmp_path):
    path = tmp_path / "x.csv"
    columns = list(reversed(step.COLUMNS))
    row = ["M" if name == "diagnosis" else " %d" % number for number, name in enumerate(columns)]
    path.write_bytes(("\ufeff" + ",".join(columns) + "\r\n" + ",".join(row) + "\r\n").encode())
    rows, problems = step.read_file(str(path), "x.csv")
    assert problems == []
    assert rows == [[cell.strip() for cell in reversed(row)]]


def test_files_below_the_folder_are_joined_and_repeated_rows_dropped(tmp_path):
    opt_ml = OptMl(tmp_path)
    write_data(opt_ml.root / "processing/input/data/all.CSV")
    write_data(opt_ml.root / "processing/input/data/deeper/some.csv", "--rows", "100")
    opt_ml.write("processing/input/data/notes.txt", "not a table")
    done = opt_ml.python(SOURCE / "preprocess.py")
    assert done.returncode == 0, done.stderr
    assert "100 repeated rows dropped" in done.stdout
    assert "569 rows: 357 B, 212 M" in done.stdout


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"notes.txt": "x"}, "no CSV file in "),
        ({"a.csv": HEADER}, "cannot split 0 rows"),
        ({"a.csv": HEADER + "\n" + "\n".join(line(mean_area=str(n)) for n in range(9)) + "\n" + line(diagnosis="B")}, "cannot split 10 rows"),
    ],
)
def test_nothing_to_split_is_a_reason_too(tmp_path, files, reason):
    opt_ml = OptMl(tmp_path)
    for name, text in files.items():
        opt_ml.write("processing/input/data/" + name, text)
    done = opt_ml.python(SOURCE / "preprocess.py")
    assert done.returncode == 1
    assert opt_ml.read("output/message").startswith(reason)
    assert done.stderr.splitlines()[-1] == opt_ml.read("output/message")


def test_long_reason_stays_within_what_sagemaker_shows(tmp_path):
    opt_ml = OptMl(tmp_path)
    opt_ml.write("processing/input/data/x.csv", HEADER + "\n" + line(mean_area="ü" * 2000))
    assert opt_ml.python(SOURCE / "preprocess.py").returncode == 1
    # `ü` takes two bytes: a whole number of them is kept.
    assert 1000 < len((opt_ml.root / "output/message").read_bytes()) <= 1024
    assert opt_ml.read("output/message").endswith("ü")


@pytest.mark.parametrize("name", ["preprocess.py", "failure.py"])
def test_syntax_is_that_of_the_scikit_learn_image(name):
    ast.parse((SOURCE / name).read_text(), feature_version=(3, 8))


def test_default_paths_are_sagemaker_s():
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import failure; print(failure.OPT_ML)"], cwd=SOURCE, env={}, capture_output=True, text=True
    )
    assert done.stdout == "/opt/ml\n"


def test_shuffled_data_hold_the_same_measurements_and_labels_in_another_order(tmp_path):
    header, rows = read(write_data(tmp_path / "good.csv"))
    other_header, other = read(write_data(tmp_path / "bad.csv", "--shuffle-labels"))
    assert header == other_header == step.COLUMNS
    assert [row[1:] for row in rows] == [row[1:] for row in other]
    assert Counter(row[0] for row in rows) == Counter(row[0] for row in other) == {"B": 357, "M": 212}
    # By chance alone 53 % of the labels stay where they are.
    assert 0.4 < sum(a[0] == b[0] for a, b in zip(rows, other)) / len(rows) < 0.65


def test_rows_without_label_are_the_first_ones(tmp_path):
    header, rows = read(write_data(tmp_path / "good.csv"))
    asked = data("--without-label", "--rows", "2").splitlines()
    assert asked == [",".join(cells[1:]) for cells in (header, *rows[:2])]


def test_data_go_to_a_file_as_they_go_to_standard_output(tmp_path):
    path = tmp_path / "x.csv"
    subprocess.run([sys.executable, str(EXAMPLE / "data.py"), "--output", str(path)], check=True)
    assert path.read_text() == data()
