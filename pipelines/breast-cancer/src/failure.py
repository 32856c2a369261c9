"""How a processing step says why it failed.

SageMaker shows what a processing container leaves in /opt/ml/output/message as the job's ExitMessage (up to 1 KB).
Runs in every image of this pipeline, so nothing newer than Python 3.8 here.
"""

import os
import sys

OPT_ML = os.environ.get("SM_OPT_ML", "/opt/ml")
MESSAGE_BYTES = 1024


def fail(message):
    """Leave `message` for SageMaker, print it as the last line of standard error, and end with status 1."""
    message = " ".join(message.split())
    path = os.path.join(OPT_ML, "output", "message")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(message.encode("utf-8")[:MESSAGE_BYTES].decode("utf-8", "ignore").encode("utf-8"))
    except OSError as error:
        # The reason itself matters more than the file that carries it.
        print("cannot write `{}`: {}".format(path, error), file=sys.stderr)
    print(message, file=sys.stderr, flush=True)
    sys.exit(1)
