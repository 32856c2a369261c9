"""train.py, evaluate.py and inference.py on the real data, and on data with nothing to learn."""

import json

import pytest
import yaml

import evaluate as step
import inference
from conftest import EXAMPLE, OptMl, evaluate, train
from harness import Endpoint


def rows_of(table):
    header, *rows = [line.split(",") for line in table.read_text().splitlines()]
    return header, rows


def test_good_data_pass_the_gate_and_shuffled_labels_do_not(good, shuffled):
    assert good.metrics["accuracy"]["value"] >= 0.9
    assert good.metrics["auc"]["value"] >= 0.95
    assert shuffled.metrics["accuracy"]["value"] < 0.75
    assert shuffled.metrics["auc"]["value"] < 0.75


def test_report_has_sagemaker_s_form(good):
    assert good.report["version"] == 0.0
    assert good.report["dataset"] == {"item_count": 114}
    matrix = good.metrics["confusion_matrix"]
    (tn, fp), (fn, tp) = (tuple(matrix[truth][answer] for answer in "01") for truth in "01")
    assert tn + fp + fn + tp == 114 and fn + tp == 42
    for name, value in {
        "accuracy": (tp + tn) / 114,
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "true_positive_rate": tp / (tp + fn),
        "true_negative_rate": tn / (tn + fp),
        "false_positive_rate": fp / (tn + fp),
        "false_negative_rate": fn / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
    }.items():
        assert good.metrics[name]["value"] == pytest.approx(value), name
        assert 0 <= good.metrics[name]["standard_deviation"] < 0.1, name
    curve = good.metrics["receiver_operating_characteristic_curve"]
    assert curve["false_positive_rates"][0] == 0 and curve["true_positive_rates"][-1] == 1
    assert {"precisions", "recalls"} == set(good.metrics["precision_recall_curve"])


def test_metrics_of_a_table_worked_out_by_hand():
    # The confusion matrix of SageMaker's own example.
    truth, predicted, score = [0, 0, 0, 1], [0, 1, 1, 1], [0.1, 0.6, 0.9, 0.8]
    quality = step.report(*map(step.np.array, (truth, predicted, score)), seed=1)["binary_classification_metrics"]
    assert quality["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    assert quality["accuracy"]["value"] == 0.5
    assert quality["precision"]["value"] == pytest.approx(1 / 3)
    assert quality["recall"]["value"] == 1
    assert quality["auc"]["value"] == pytest.approx(2 / 3)


def test_standard_deviation_is_left_out_where_a_sample_lacks_a_class():
    truth = step.np.array([0] * 30 + [1])
    assert step.deviations(truth, truth, truth / 2, seed=1) == {}


def test_same_data_give_the_same_report_and_a_small_model(good, tmp_path):
    done, trained = train(tmp_path / "train", good.train_table)
    assert done.returncode == 0, done.stderr
    assert (trained.root / "output/success").exists()
    files = [file for file in (trained.root / "model").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 2_000_000
    done, evaluated = evaluate(tmp_path / "evaluate", trained.root / "model", good.test_table)
    assert done.returncode == 0, done.stderr
    assert evaluated.read("processing/output/evaluation/evaluation.json") == good.text


def test_unknown_label_fails_the_training_with_the_reason(good, tmp_path):
    done, opt_ml = train(tmp_path / "train", good.train_table, label="outcome")
    assert done.returncode == 1
    failure = opt_ml.read("output/failure")
    assert failure.startswith('ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: label `outcome` is not a column')
    assert "train.py --label outcome" in failure


def test_evaluation_that_cannot_be_made_leaves_its_reason(good, tmp_path):
    opt_ml = OptMl(tmp_path)
    opt_ml.write("processing/input/test/test.csv", good.test_table.read_text())
    opt_ml.write("processing/input/model/model.tar.gz", "not an archive")
    done = opt_ml.python(EXAMPLE / "src" / "evaluate.py")
    assert done.returncode == 1
    assert opt_ml.read("output/message").startswith("cannot evaluate the model: ")
    assert done.stderr.splitlines()[-1] == opt_ml.read("output/message")
    assert not (opt_ml.root / "processing/output/evaluation/evaluation.json").exists()


@pytest.fixture(scope="module")
def endpoint(good):
    """The model of the good data behind serve.py, code and model as in an image."""
    opt_ml = OptMl(good.model.parent)
    with Endpoint(opt_ml, SAGEMAKER_PROGRAM="inference.py") as server:
        yield server.wait()


def test_endpoint_answers_the_test_set_as_the_evaluation_did(good, endpoint):
    _, rows = rows_of(good.test_table)
    body = "\n".join(",".join(row[1:]) for row in rows)
    status, text, kind = endpoint.invoke(body, "text/csv")
    assert (status, kind) == (200, "application/json")
    answers = json.loads(text)["predictions"]
    right = sum(answer["predicted_label"] == row[0] for answer, row in zip(answers, rows, strict=True))
    assert right / len(rows) == pytest.approx(good.metrics["accuracy"]["value"])
    for answer in answers:
        assert answer["probability"] == answer["probabilities"][answer["predicted_label"]] >= 0.5
        assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_every_form_of_a_request_gets_the_same_answer(good, endpoint):
    header, rows = rows_of(good.test_table)
    names, values = header[1:], rows[0][1:]
    numbers = [float(value) for value in values]
    named = dict(zip(names, numbers))
    expected = endpoint.invoke(",".join(values), "text/csv; charset=utf-8")
    assert expected[0] == 200
    for body, kind in [
        (",".join(reversed(names)) + "\n" + ",".join(reversed(values)), "text/csv"),
        (json.dumps({"instances": [numbers]}), "application/json"),
        (json.dumps({"instances": [named]}), "application/json"),
        (json.dumps([named]), "application/json"),
        (json.dumps(named), "application/json"),
        (json.dumps(numbers), "application/json"),
    ]:
        assert endpoint.invoke(body, kind) == expected, body
    status, text, kind = endpoint.invoke(",".join(values), "text/csv", "text/csv")
    answer = json.loads(expected[1])["predictions"][0]
    assert (status, kind) == (200, "text/csv")
    assert text == "{},{},{},{}\n".format(
        answer["predicted_label"], answer["probability"], answer["probabilities"]["B"], answer["probabilities"]["M"]
    )


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "reason"),
    [
        ("1,2,3", "text/csv", "*/*", 400, "row 1: 3 values, expected 30: mean_radius"),
        ("", "text/csv", "*/*", 400, "no row"),
        ("a,b", "text/csv", "*/*", 400, "a header and no row"),
        ("a,b\n1", "text/csv", "*/*", 400, "row 1: 1 values where the header has 2"),
        ("a,b\n1,2", "text/csv", "*/*", 400, "row 1: `mean_radius` is missing"),
        (",".join(["1"] * 29 + ["x"]), "text/csv", "*/*", 400, "row 1, `worst_fractal_dimension`: `x` is not a finite number"),
        (",".join(["1"] * 29 + ["inf"]), "text/csv", "*/*", 400, "`inf` is not a finite number"),
        ("{", "application/json", "*/*", 400, "not JSON"),
        ("[]", "application/json", "*/*", 400, "expected a list of instances"),
        ("3", "application/json", "*/*", 400, "expected a list of instances"),
        ("[[1], {}]", "application/json", "*/*", 400, "all objects or all lists"),
        ("x", "text/plain", "*/*", 415, "`text/plain` is not supported"),
        (",".join(["1"] * 30), "text/csv", "image/png", 406, "cannot answer as `image/png`"),
    ],
)
def test_bad_request_is_answered_with_its_reason(endpoint, body, kind, accept, status, reason):
    code, text, _ = endpoint.invoke(body, kind, accept)
    assert code == status
    assert reason in text and "Traceback" not in text


def test_request_as_bytes_is_taken_too():
    # The toolkit hands over text or bytes, by content type and version.
    assert inference.input_fn(bytearray(b"1,2"), "text/csv") == inference.input_fn("1,2", "text/csv") == [["1", "2"]]


def test_pipeline_file_names_scripts_and_metrics_that_exist(good):
    pipeline = yaml.safe_load((EXAMPLE / "pipeline.yaml").read_text())
    for step_of in [*pipeline["steps"].values(), pipeline["deployment"]]:
        assert (EXAMPLE / step_of["script"]).is_file()
    for rule in pipeline["gate"]:
        value = good.report
        for key in rule["metric"].split("."):
            value = value[key]
        assert value["value"] >= rule["at_least"]
