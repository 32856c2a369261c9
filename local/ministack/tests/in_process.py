"""A cloud within this process: boto3's requests go to MiniStack's application by a call, without a port.

What the test sees is what any program would see, and what CloudFormation begins is over when its answer is there.
"""

import asyncio
import datetime
import json
import logging
import pathlib
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import boto3  # noqa: E402, the paths come first
import botocore.awsrequest  # noqa: E402
import botocore.exceptions  # noqa: E402

import door  # noqa: E402
from ministack import app  # noqa: E402
from ministack.core.responses import request_scope  # noqa: E402

ACCOUNT, REGION = "000000000000", "us-east-1"

for _mend in door.GROUND:
    _mend.install()
logging.getLogger().setLevel(logging.CRITICAL)

_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
_CLIENTS: dict = {}
_SERVICES = ("apigateway_v1", "backup", "budgets", "cloudformation", "cloudwatch_logs", "cognito", "dynamodb", "ec2", "iam", "kms", "lambda_svc",
             "organizations", "s3", "ssm")


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_settings):
        yield self.body


class Case(unittest.TestCase):
    """A test with an empty cloud of its own."""

    def setUp(self):
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        for name in _SERVICES:
            __import__(f"ministack.services.{name}")
            sys.modules[f"ministack.services.{name}"].reset()
        self.enterContext(request_scope(ACCOUNT, REGION))

    def client(self, service):
        if service not in _CLIENTS:
            made = _SESSION.client(service, endpoint_url="http://127.0.0.1:1",
                                   config=botocore.config.Config(s3={"addressing_style": "path"}))
            made.meta.events.register("before-send.*", lambda request, **_: Case.current._answer(request))
            _CLIENTS[service] = made
        Case.current = self
        return _CLIENTS[service]

    def _answer(self, request):
        return self.loop.run_until_complete(self._ask(request))

    async def _ask(self, request):
        url = urllib.parse.urlsplit(request.url)
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        headers = [(key.lower().encode(), value if isinstance(value, bytes) else str(value).encode())
                   for key, value in request.headers.items()]
        scope = {
            "type": "http", "method": request.method, "path": urllib.parse.unquote(url.path), "raw_path": url.path.encode(),
            "query_string": url.query.encode(), "headers": [*headers, (b"host", url.netloc.encode())], "scheme": "http",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1), "http_version": "1.1",
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        await app.app(scope, receive, send)
        # What the request has begun, such as the operation of a stack.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=20)
        start = next(message for message in sent if message["type"] == "http.response.start")
        text = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        told = {key.decode(): value.decode() for key, value in start["headers"]}
        return botocore.awsrequest.AWSResponse(request.url, start["status"], told, Raw(text))

    def deploy(self, resources, outputs=None, *, name="ground", **parts):
        """Creates the stack or updates it, by a change set as the CDK does; its status, or None if nothing changed."""
        client, template = self.client("cloudformation"), {"Resources": resources, **parts}
        if outputs:
            template["Outputs"] = outputs
        kind = "UPDATE" if self.stack(name) else "CREATE"
        made = f"c{datetime.datetime.now().timestamp():.6f}".replace(".", "-")
        client.create_change_set(StackName=name, ChangeSetName=made, ChangeSetType=kind, TemplateBody=json.dumps(template),
                                 Capabilities=["CAPABILITY_NAMED_IAM"])
        told = client.describe_change_set(StackName=name, ChangeSetName=made)
        self.changes = told["Changes"]
        if told["ExecutionStatus"] != "AVAILABLE":
            client.delete_change_set(StackName=name, ChangeSetName=made)
            return None
        client.execute_change_set(StackName=name, ChangeSetName=made)
        return self.stack(name)["StackStatus"]

    def make(self, resources, outputs=None, **parts):
        """Deploys what must go well; the stack's outputs."""
        status = self.deploy(resources, outputs, **parts)
        self.assertIn(status, ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.reasons(parts.get("name", "ground")))
        return self.outputs(parts.get("name", "ground"))

    def refuse(self, resources, words, **parts):
        """Deploys what AWS refuses, in these words."""
        status = self.deploy(resources, **parts)
        self.assertIn("ROLLBACK_COMPLETE", status or "no change")
        self.assertIn(words, self.reasons(parts.get("name", "ground")))

    def destroy(self, name="ground"):
        """Deletes the stack; its last status."""
        identity = self.stack(name)["StackId"]
        self.client("cloudformation").delete_stack(StackName=name)
        return self.stack(identity)["StackStatus"]

    def stack(self, name="ground"):
        try:
            [found] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except botocore.exceptions.ClientError:
            return None
        return found

    def outputs(self, name="ground"):
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack(name).get("Outputs", [])}

    def events(self, name="ground"):
        return self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]

    def reasons(self, name="ground"):
        return "; ".join(each.get("ResourceStatusReason", "") for each in self.events(name))

    def physical(self, logical_id, name="ground"):
        told = self.client("cloudformation").describe_stack_resources(StackName=name, LogicalResourceId=logical_id)
        return told["StackResources"][0]["PhysicalResourceId"]
