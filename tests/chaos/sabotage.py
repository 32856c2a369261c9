"""A comparison that cannot fail proves nothing: each of these wrongs must be found, and be named by its kind.

Runs after chaos.py, against the same local cloud, which is of no more use afterwards.
"""

import copy
import sys
import time

import world
from compare import compare
from world import World


def main() -> int:
    seen = world.look()
    bound = len(seen.alerts)
    wrong = compare(seen, bound)
    if wrong:
        print("something is wrong before any sabotage:", *wrong, sep="\n")
        return 1
    missed = [*spoilt(seen, bound), *withheld(), *second_token()]
    print(f"{len(SPOILT) + 2} wrongs done on purpose, {len(missed)} of them not found")
    print(*missed, sep="\n")
    return 1 if missed else 0


def spoilt(seen: World, twice_published: int) -> list[str]:
    """What was not found of wrongs in a copy of what was seen."""
    missed = []
    for name, (spoil, kind) in SPOILT.items():
        other = copy.deepcopy(seen)
        spoil(other)
        found = compare(other, twice_published)
        if not any(wrong.kind == kind for wrong in found):
            missed.append(f"{name}: {kind} was expected, {found} was found")
    return missed


def _a_run(seen: World, phase: str) -> dict:
    return next(run for run in seen.runs.values() if run["phase"] == phase)


def _without_alert(seen: World) -> None:
    run = _a_run(seen, "failed")["id"]
    seen.alerts = [alert for alert in seen.alerts if alert["run"] != run]


def _alerts_again(seen: World) -> None:
    seen.alerts += seen.alerts * 50


def _unfinished(seen: World) -> None:
    _a_run(seen, "succeeded")["phase"] = "running"


def _outbox(seen: World) -> None:
    _a_run(seen, "failed")["outbox"].append({"id": "alert"})


def _executed_again(seen: World) -> None:
    seen.executions.append({**seen.executions[0], "arn": seen.executions[0]["arn"] + "x"})


def _of_no_run(seen: World) -> None:
    seen.executions.append({**seen.executions[0], "arn": "arn:other", "name": "execution-1"})


def _other_execution(seen: World) -> None:
    first, second = [run for run in seen.runs.values() if run["phase"] == "succeeded"][:2]
    first["execution"], second["execution"] = second["execution"], first["execution"]


def _other_object(seen: World) -> None:
    run = _a_run(seen, "succeeded")["id"]
    key = next(key for key in seen.staged if f"/{run}/input/" in key)
    seen.staged[key] = "of another version"


def _other_model(seen: World) -> None:
    seen.serving["config"] += "x"


def _registered_again(seen: World) -> None:
    # Not another number: a day of many models may have registered that one.
    seen.packages.append(seen.packages[0] + "-again")


def _run_lost(seen: World) -> None:
    del seen.runs[_a_run(seen, "succeeded")["id"]]


def _wrong_end(seen: World) -> None:
    _a_run(seen, "succeeded")["phase"] = "failed"


def _all_at_once(seen: World) -> None:
    seen.spans = [(1.0, 2.0)] * (world.AT_ONCE + 1)


SPOILT = {
    "an alert that never came": (_without_alert, "lost"),
    "alerts that came more often than acknowledgements were lost": (_alerts_again, "doubled"),
    "a run without an end": (_unfinished, "lost"),
    "a command that is still to be done": (_outbox, "lost"),
    "a run that was executed twice": (_executed_again, "doubled"),
    "an execution of no run": (_of_no_run, "doubled"),
    "a run with another's execution": (_other_execution, "untrue"),
    "a run that read another version": (_other_object, "untrue"),
    "an endpoint with another model": (_other_model, "untrue"),
    "a model that was registered twice": (_registered_again, "doubled"),
    "more executions at once than may be": (_all_at_once, "doubled"),
    "an arrival without a run": (_run_lost, "lost"),
    "a run that failed and should not": (_wrong_end, "lost"),
}


def withheld() -> list[str]:
    """An object whose event never comes."""
    rule = "tidegate-on-data-arrival"
    world.events.disable_rule(Name=rule)
    try:
        key = "raw/chaos/plain/withheld.csv"
        world.s3.put_object(Bucket=world.BUCKET, Key=key, Body=b"number,-1\n")
        time.sleep(1)
    finally:
        world.events.enable_rule(Name=rule)
    return _expect("lost", key, 2)


def second_token() -> list[str]:
    """A run's execution started once more, by hand, under another token."""
    run = _a_run(world.look(), "succeeded")
    parameters = [{"Name": name, "Value": value} for name, value in run["parameters"].items()]
    arn = world.sagemaker.start_pipeline_execution(
        PipelineName=run["spec"]["pipeline"], PipelineExecutionDisplayName=run["id"], PipelineParameters=parameters,
        ClientRequestToken="another-token-for-the-same-run-0123456789")["PipelineExecutionArn"]
    for _ in range(120):
        status = world.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status == "Succeeded" and world.busy() == 0:
            break
        time.sleep(0.25)
    return _expect("doubled", run["id"], 1)


def _expect(kind: str, named: str, count: int) -> list[str]:
    found = [wrong for wrong in compare(world.look(), 10**6) if wrong.kind == kind and named in wrong.what]
    return [] if len(found) >= count else [f"{count} {kind} that name {named} were expected, {found} was found"]


if __name__ == "__main__":
    sys.exit(main())
