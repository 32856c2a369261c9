"""Good, if there is a model at all."""

import glob
import json
import tarfile

with tarfile.open(glob.glob("/opt/ml/processing/input/model/*.tar.gz")[0]) as archive:
    assert any(name.endswith("model.txt") for name in archive.getnames()), archive.getnames()
with open("/opt/ml/processing/output/evaluation/evaluation.json", "w", encoding="utf-8") as file:
    json.dump({"quality": {"value": {"value": 0.9, "standard_deviation": "NaN"}}}, file)
