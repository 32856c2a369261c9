"""What happens: objects arrive, events come again, functions are killed."""

import json
import os
import random
import signal
import threading
import time

import world

# Below SageMaker's quota of 20, so that most arrivals run at once; `Arrivals` overruns it now and then on purpose.
MOST_EXECUTING = 12
# One arrival in this many comes with a burst that the quota has no room for.
BURST_EVERY, BURST = 40, 24

SPY = "chaos-spy"


class Spy:
    """Keeps the events of the bus, as they came, to send them again later."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self._ids: set[str] = set()
        self._url = world.sqs.create_queue(QueueName=SPY)["QueueUrl"]
        arn = world.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        world.events.put_rule(Name=SPY, EventPattern=json.dumps({"source": ["aws.s3", "aws.sagemaker"]}))
        world.events.put_targets(Rule=SPY, Targets=[{"Id": "queue", "Arn": arn}])

    def collect(self) -> None:
        # Not until the queue is empty: while much happens, it never is.
        for _ in range(3):
            found = world.sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
            for message in found:
                event = json.loads(message["Body"])
                if event["id"] not in self._ids and self._concerns(event):
                    self._ids.add(event["id"])
                    self.events.append(event)
                world.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if not found:
                return

    @staticmethod
    def _concerns(event: dict) -> bool:
        return event["source"] != "aws.s3" or event["detail"]["object"]["key"].startswith("raw/chaos/")

    def remove(self) -> None:
        world.events.remove_targets(Rule=SPY, Ids=["queue"])
        world.events.delete_rule(Name=SPY)
        world.sqs.delete_queue(QueueUrl=self._url)


class Background(threading.Thread):
    """Something that goes on until it is stopped; an error of its own ends the program."""

    def __init__(self, seed: int) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.over.is_set():
                self.step()
        except BaseException as error:  # noqa: BLE001, told to whoever stops this
            self.error = error

    def stop(self) -> None:
        self.over.set()
        self.join()
        if self.error:
            raise self.error

    def step(self) -> None:
        raise NotImplementedError


class Again(Background):
    """Sends events again that were delivered long ago: duplicates, out of order."""

    def __init__(self, seed: int, spy: Spy) -> None:
        super().__init__(seed)
        self.spy = spy
        self.sent = 0

    def step(self) -> None:
        self.over.wait(self.random.uniform(0.1, 0.6))
        self.spy.collect()
        if self.spy.events:
            # The newest and the oldest alike.
            recent = self.random.random() < 0.5
            world.deliver(self.random.choice(self.spy.events[-20:] if recent else self.spy.events))
            self.sent += 1


class Killer(Background):
    """Kills processes of functions, busy or not."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.killed = 0
        with open(os.path.join(world.HOME, "local.json"), encoding="utf-8") as file:
            self.token = f"TIDEGATE_CLOUD_RUN={json.load(file)['run']}".encode()

    def step(self) -> None:
        self.over.wait(self.random.uniform(0.3, 2.5))
        found = self.functions()
        if found:
            try:
                os.kill(self.random.choice(found), signal.SIGKILL)
                self.killed += 1
            except ProcessLookupError:
                pass

    def functions(self) -> list[int]:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe").endswith("/bootstrap"):
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        if self.token in file.read().split(b"\0"):
                            found.append(int(pid))
            except OSError:
                continue
        return found


class Sweeps(Background):
    """Sweeps more often than each minute, several at once: nobody wants to wait for it, and it must not matter."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        names = [each["FunctionName"] for each in world.functions.list_functions(MaxItems=50)["Functions"]]
        self.function = next((name for name in names if name == "tidegate-sweep"), None)

    def step(self) -> None:
        self.over.wait(self.random.uniform(1.0, 8.0))
        if self.function:
            world.functions.invoke(FunctionName=self.function, InvocationType="Event", Payload=b"{}")


class Arrivals:
    """Objects arrive until so many runs must have come of them."""

    def __init__(self, seed: int, batches: bool) -> None:
        self.random = random.Random(seed)
        self.weights = {"plain": 56, "broken": 30, "model": 6, "queued": 8, "batch": 12 if batches else 0}
        self.objects = 0
        self.expected = 0
        self._names: dict[str, list[str]] = {prefix: [] for prefix in world.WAITING}

    def until(self, runs: int) -> None:
        prefixes = [f"raw/chaos/{name}/" for name in self.weights]
        # One of each kind in any case, however few there are to be.
        for prefix in (prefix for prefix, weight in zip(prefixes, self.weights.values()) if weight):
            self.one(prefix)
        while self.expected < runs:
            self._wait_for_room()
            burst = BURST if self.random.randrange(BURST_EVERY) == 0 else self.random.choice((1, 1, 2, 3))
            for _ in range(burst):
                prefix = self.random.choices(prefixes, weights=list(self.weights.values()))[0]
                self.one(prefix)

    def one(self, prefix: str) -> None:
        names = self._names[prefix]
        # A batch reads the newest version of a key only, so there each object is another one.
        overwrites = names and prefix != world.BATCH and self.random.random() < 0.25
        if not overwrites:
            names.append(f"{prefix}{len(names):04}.csv")
        key = self.random.choice(names[-10:]) if overwrites else names[-1]
        # The number makes each version's content, and so its ETag, its own.
        self.objects += 1
        world.s3.put_object(Bucket=world.BUCKET, Key=key, Body=f"number,{self.objects}\n".encode())
        if prefix != world.BATCH:
            self.expected += len(world.WAITING[prefix])

    def _wait_for_room(self) -> None:
        time.sleep(self.random.uniform(0.0, 0.2))
        while world.executing() >= MOST_EXECUTING:
            time.sleep(0.2)
