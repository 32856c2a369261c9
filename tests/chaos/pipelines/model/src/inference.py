"""Answers with the model."""

import os


def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.txt"), encoding="utf-8") as file:
        return file.read()


def transform_fn(model, data, content_type, accept):
    return model, "text/plain"
