"""Fails, and says why."""

import sys

with open("/opt/ml/output/message", "w", encoding="utf-8") as file:
    file.write("chaos: this step always fails")
sys.exit(1)
