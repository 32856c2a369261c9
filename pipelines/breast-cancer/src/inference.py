"""Answer predictions from the trained predictor, in SageMaker's AutoGluon inference image.

Takes  text/csv          rows of measurements; with a header in any order, without one in the order of the training data
       application/json  {"instances": [...]} or the list alone or one object; an instance is an object of measurements by
                         name or a list of them in the order of the training data
Gives  application/json  {"predictions": [{"predicted_label": "M", "probability": 0.98, "probabilities": {"B": 0.02, "M": 0.98}}]}
       text/csv          predicted label, its probability, then the probability of each class; no header
"""

import csv
import io
import json
import math

import pandas as pd
from autogluon.tabular import TabularPredictor

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # outside the image

    class BaseInferenceToolkitError(Exception):
        def __init__(self, status_code, message, phrase):
            self.status_code, self.message, self.phrase = status_code, message, phrase
            super().__init__(status_code, message, phrase)


def bad_request(message):
    return BaseInferenceToolkitError(400, message, "Bad Request")


def media_type(header):
    """`text/csv; charset=utf-8` → `text/csv`."""
    return (header or "").split(";")[0].strip().lower()


def model_fn(model_dir):
    predictor = TabularPredictor.load(model_dir)
    predictor.persist()
    return predictor


def input_fn(request_body, request_content_type):
    """The instances of a request: a list of objects by name, or a list of lists in the order of the training data."""
    kind = media_type(request_content_type)
    try:
        text = request_body if isinstance(request_body, str) else bytes(request_body).decode("utf-8")
        if kind == "text/csv":
            return from_csv(text)
        if kind == "application/json":
            return from_json(text)
    except UnicodeDecodeError as error:
        raise bad_request(f"the body is not UTF-8 text: {error.reason}") from error
    raise BaseInferenceToolkitError(
        415,
        f"content type `{request_content_type}` is not supported: send text/csv or application/json",
        "Unsupported Media Type",
    )


def from_csv(text):
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise bad_request(f"the body is not CSV: {error}") from error
    if not rows:
        raise bad_request("the body holds no row")
    if any(is_number(cell) for cell in rows[0]):
        return rows
    header = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise bad_request(f"row {number}: {len(row)} values where the header has {len(header)}")
    if len(rows) == 1:
        raise bad_request("the body holds a header and no row")
    return [dict(zip(header, row)) for row in rows[1:]]


def from_json(text):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from error
    if isinstance(value, dict) and "instances" in value:
        value = value["instances"]
    elif isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        raise bad_request("expected a list of instances")
    if not isinstance(value[0], (dict, list)):
        value = [value]
    kind = type(value[0])
    if kind not in (dict, list) or any(not isinstance(item, kind) for item in value):
        raise bad_request("expected instances that are all objects or all lists")
    return value


def is_number(cell):
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def to_table(instances, columns):
    """The instances as the table that the predictor was fitted on; every cell a finite number."""
    records = []
    for number, instance in enumerate(instances, start=1):
        if isinstance(instance, dict):
            missing = [name for name in columns if name not in instance]
            if missing:
                raise bad_request(f"row {number}: `{missing[0]}` is missing")
            values = [instance[name] for name in columns]
        elif len(instance) == len(columns):
            values = instance
        else:
            raise bad_request(f"row {number}: {len(instance)} values, expected {len(columns)}: {', '.join(columns)}")
        for name, value in zip(columns, values):
            if not is_number(value) or not math.isfinite(float(value)):
                raise bad_request(f"row {number}, `{name}`: `{value}` is not a finite number")
        records.append([float(value) for value in values])
    return pd.DataFrame(records, columns=columns)


def predict_fn(input_object, model):
    """The probability of each class, a row an instance."""
    return model.predict_proba(to_table(input_object, list(model.original_features)))


def output_fn(prediction, accept):
    kind = media_type(accept)
    answers = []
    for row in prediction.to_dict("records"):
        label = max(row, key=row.get)
        answers.append((str(label), float(row[label]), {str(name): float(value) for name, value in row.items()}))
    if kind in ("application/json", "*/*", ""):
        predictions = [
            {"predicted_label": label, "probability": probability, "probabilities": every}
            for label, probability, every in answers
        ]
        return json.dumps({"predictions": predictions}), "application/json"
    if kind == "text/csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([label, probability, *every.values()] for label, probability, every in answers)
        return out.getvalue(), "text/csv"
    raise BaseInferenceToolkitError(
        406, f"cannot answer as `{accept}`: ask for application/json or text/csv", "Not Acceptable"
    )
