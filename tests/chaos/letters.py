"""Dead letters are given to their functions again, as a person does after having read why they are there."""

import json

import world


def queues() -> list[str]:
    return world.sqs.list_queues(QueueNamePrefix="tidegate-").get("QueueUrls", [])


def waiting() -> int:
    found = 0
    for url in queues():
        attributes = world.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        found += int(attributes["Attributes"]["ApproximateNumberOfMessages"])
    return found


def read(queue: str, body: dict) -> tuple[str, dict]:
    """The function that the letter was for, and what it was given."""
    if "requestPayload" in body:
        return body["requestContext"]["functionArn"], body["requestPayload"]
    # What reached no function: an event of a rule, or the firing of a schedule; the sweep's is empty.
    if queue.endswith("-undelivered") and "schedule" not in queue and "sweep" not in queue:
        return queue.removesuffix("-undelivered"), body
    return ("tidegate-on-schedule" if body else "tidegate-sweep"), body


def replay() -> tuple[int, list[str]]:
    """Takes every letter out of its queue and invokes its function with it. Returns how many were handled, and why the
    others, which stay, were not."""
    handled, problems = 0, []
    for url in queues():
        while True:
            found = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30)
            if "Messages" not in found:
                break
            for message in found["Messages"]:
                function, payload = read(url.rsplit("/", 1)[-1], json.loads(message["Body"]))
                answer = world.functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
                if "FunctionError" in answer:
                    problems.append(answer["Payload"].read().decode())
                    continue
                world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                handled += 1
    return handled, problems
