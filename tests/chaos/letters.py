"""Dead letters are given to their functions again, as a person does after having read why they are there."""

import json
import os
import subprocess

import world


def waiting() -> int:
    found = 0
    for url in world.sqs.list_queues(QueueNamePrefix="tidegate-").get("QueueUrls", []):
        attributes = world.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        found += int(attributes["Attributes"]["ApproximateNumberOfMessages"])
    return found


def replay() -> tuple[int, list[str]]:
    """Returns how many were given to their functions, and why the others, which stay, were not."""
    done = subprocess.run([os.environ["TIDEGATE"], "dlq", "replay", "--all", "--output", "json"],
                          capture_output=True, text=True)
    if not done.stdout:
        return 0, [done.stderr]
    outcomes = json.loads(done.stdout)
    return sum(each["done"] for each in outcomes), [each["error"] for each in outcomes if not each["done"]]
