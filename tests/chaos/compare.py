"""Does the ledger tell what really happened, and did everything happen once? Pure: a World in, what is wrong out."""

import collections
import dataclasses

from world import AT_ONCE, ENDPOINT, ENDS, QUEUED, WAITING, World

# How a run ends when nothing but weather comes in between.
EXPECTED = {
    "chaos-plain": {"succeeded"},
    "chaos-twin": {"succeeded"},
    "chaos-broken": {"failed"},
    "chaos-model": {"live", "superseded"},
    "chaos-queued": {"succeeded"},
    "chaos-batch": {"succeeded"},
}
# Phases that have an alert, and its cause.
ALERTED = {"failed": "failed", "rejected": "rejected", "rolled_back": "rolled_back"}


@dataclasses.dataclass(frozen=True)
class Wrong:
    """`kind` is `lost`, `doubled` or `untrue`: the ledger says another thing than the cloud. `subject` is the run,
    object version, execution or alert that is concerned: several wrongs of one subject count once."""

    kind: str
    subject: str
    what: str


def compare(world: World, twice_published: int) -> list[Wrong]:
    """`twice_published` bounds how many alerts may have come twice: SNS has no token, so an alert whose acknowledgement
    was lost is published again."""
    wrong = [*_arrivals(world), *_executions(world), *_queue(world), *_ends(world), *_endpoint(world)]
    wrong += _alerts(world, twice_published)
    return sorted(wrong, key=lambda each: (each.kind, each.what))


def _arrivals(world: World):
    runs = collections.Counter()
    for run in world.runs.values():
        if run["trigger"]["kind"] not in ("arrival", "batch"):
            yield Wrong("doubled", run["id"], f"{_name(run)} came of no arrival: {run['trigger']}")
        for found in run["inputs"]["objects"]:
            runs[(run["spec"]["pipeline"], found["key"], found["version_id"])] += 1
    for key, version, _ in world.versions:
        for prefix, pipelines in WAITING.items():
            for pipeline in pipelines if key.startswith(prefix) else ():
                count = runs.pop((pipeline, key, version), 0)
                subject, told = f"{pipeline} {version}", f"{key} version {version} has {count} runs of {pipeline}"
                if count == 0:
                    yield Wrong("lost", subject, told)
                if count > 1:
                    yield Wrong("doubled", subject, told)
    for pipeline, key, version in runs:
        told = f"a run of {pipeline} was made for {key} version {version}, which is not there"
        yield Wrong("untrue", f"{pipeline} {version}", told)


def _executions(world: World):
    owners = collections.Counter(run["execution"]["arn"] for run in world.runs.values() if run["execution"])
    by_name = collections.Counter(execution["name"] for execution in world.executions)
    by_arn = {execution["arn"]: execution for execution in world.executions}
    for execution in world.executions:
        arn, count = execution["arn"], owners[execution["arn"]]
        if count == 0:
            yield Wrong("doubled", arn, f"execution {arn} ({execution['name']}) belongs to no run")
        if count > 1:
            yield Wrong("untrue", arn, f"execution {arn} belongs to {count} runs")
    for name, count in by_name.items():
        if count > 1:
            yield Wrong("doubled", name, f"run {name} was executed {count} times")
    for run in world.runs.values():
        if not run["execution"]:
            yield Wrong("lost", run["id"], f"{_name(run)} has no execution, it is {run['phase']}")
            continue
        execution = by_arn.get(run["execution"]["arn"])
        told = None
        if execution is None:
            told = "names an execution that the engine does not have"
        elif execution["name"] != run["id"] or execution["pipeline"] != run["spec"]["pipeline"]:
            told = f"names the execution of {execution['name']} of {execution['pipeline']}"
        elif (execution["status"] == "Failed") != (run["phase"] == "failed"):
            told = f"is {run['phase']}, its execution {execution['status']}"
        if told:
            yield Wrong("untrue", run["id"], f"{_name(run)} {told}")


def _queue(world: World):
    changes = sorted([(began, 1) for began, _ in world.spans] + [(ended, -1) for _, ended in world.spans])
    at_once = most = 0
    for _, change in changes:
        at_once += change
        most = max(most, at_once)
    if most > AT_ONCE:
        yield Wrong("doubled", QUEUED, f"{most} executions of {QUEUED} ran at once, and {AT_ONCE} may")


def _ends(world: World):
    etags = {(key, version): etag for key, version, etag in world.versions}
    read = {}
    for key, etag in world.staged.items():
        # runs/<pipeline>/<run>/input/...
        parts = key.split("/")
        if len(parts) > 4 and parts[3] == "input":
            read.setdefault(parts[2], set()).add(etag)
    for run in world.runs.values():
        if run["phase"] not in ENDS:
            yield Wrong("lost", run["id"], f"{_name(run)} came to no end, it is {run['phase']}")
        elif run["phase"] not in EXPECTED[run["spec"]["pipeline"]]:
            reason = (run["failure"] or {}).get("reason", "")
            yield Wrong("lost", run["id"], f"{_name(run)} ended as {run['phase']}: {reason}")
        if run["outbox"]:
            yield Wrong("lost", run["id"], f"{_name(run)} has still to do {[each['id'] for each in run['outbox']]}")
        if run["execution"]:
            wanted = {etags.get((found["key"], found["version_id"])) for found in run["inputs"]["objects"]}
            had = read.get(run["id"])
            if had != wanted:
                yield Wrong("untrue", run["id"], f"{_name(run)} read {had}, and {wanted} had arrived")


def _alerts(world: World, twice_published: int):
    sent = collections.Counter((alert["run"], alert["cause"]) for alert in world.alerts)
    due = {(run["id"], ALERTED[run["phase"]]) for run in world.runs.values() if run["phase"] in ALERTED}
    for run, cause in sorted(due - set(sent)):
        yield Wrong("lost", f"alert of {run}", f"nobody was told that run {run} {cause}")
    for run, cause in sorted(set(sent) - due, key=str):
        yield Wrong("untrue", f"alert of {run}", f"an alert says that run {run} {cause}")
    extra = sum(sent.values()) - len(sent)
    if extra > twice_published:
        told = f"{extra} alerts came again, and only {twice_published} acknowledgements were lost"
        yield Wrong("doubled", "alerts", told)


def _endpoint(world: World):
    live = sorted(run["id"] for run in world.runs.values() if run["phase"] == "live")
    deployed = [run for run in world.runs.values() if run["phase"] in ("live", "superseded")]
    if not deployed:
        return
    champion = (world.endpoint or {}).get("champion") or {}
    if live != [champion.get("run")]:
        yield Wrong("untrue", ENDPOINT, f"the ledger has {live} live, its endpoint says {champion.get('run')}")
    if (world.endpoint or {}).get("deploying") or (world.endpoint or {}).get("waiting"):
        yield Wrong("lost", ENDPOINT, f"a deployment is under way, or waits, and nothing moves: {world.endpoint}")
    if world.serving != {"status": "InService", "config": champion.get("config")}:
        yield Wrong("untrue", ENDPOINT, f"the endpoint is {world.serving}, the ledger says {champion.get('config')}")
    registered = {run["package"] for run in world.runs.values() if run["package"]}
    for arn in sorted(set(world.packages) - registered):
        yield Wrong("doubled", arn, f"{arn} was registered and belongs to no run")
    for arn in sorted(registered - set(world.packages)):
        yield Wrong("untrue", arn, f"{arn} is in the ledger and not in the registry")
    ours = {f"{run['spec']['deployment']['endpoint']}-{run['id']}" for run in deployed}
    for name in sorted(set(world.configs) - ours):
        yield Wrong("doubled", name, f"the endpoint configuration {name} belongs to no run")


def _name(run: dict) -> str:
    return f"run {run['id']} of {run['spec']['pipeline']}"
