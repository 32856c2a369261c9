"""Hands its input on."""

import os
import shutil

shutil.copytree("/opt/ml/processing/input/data", "/opt/ml/processing/output/copied", dirs_exist_ok=True)
assert os.listdir("/opt/ml/processing/output/copied"), "there was nothing to read"
