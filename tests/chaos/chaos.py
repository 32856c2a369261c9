"""Hundreds of arrivals on a bad day, and then: is anything lost, was anything done twice?

    python chaos.py --runs 500 [--seed 7] [--rate 0.1]

Runs against a local cloud that was started with `--faults`; tests/chaos/main.rs starts it. Ends with 1 when something
is wrong, and then tells what.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import time

import compare
import letters
import weather
import world

# A claim of the dead ends after 40 seconds, and the sweep comes every minute: what does not move for as long as this
# moves no more.
STILL = 150.0
# A batch needs its quiet minute: too long for a short rehearsal.
BATCHED_FROM = 100
# Over all, for whatever is under way when the last object has arrived.
LONGEST = 900.0


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500, help="runs that the arrivals must at least make")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=0.1, help="share of the functions' requests that go wrong")
    return parser.parse_args()


def prepare() -> None:
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipelines")
    for name in ("plain", "twin", "broken", "model", "queued", "batch"):
        apply = [os.environ["TIDEGATE"], "apply", os.path.join(folder, name)]
        done = subprocess.run(apply, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"tidegate apply {name}: {done.stdout}{done.stderr}")


def storm(asked: argparse.Namespace, figures: dict) -> None:
    """All the arrivals, in bad weather."""
    spy = weather.Spy()
    again, killer, sweeps = weather.Again(asked.seed + 1, spy), weather.Killer(asked.seed + 2), figures["sweeps"]
    arrivals = weather.Arrivals(asked.seed, batches=asked.runs >= BATCHED_FROM)
    world.set_faults(asked.rate)
    for each in (again, killer, sweeps):
        each.start()
    try:
        arrivals.until(asked.runs)
        # The weather stays bad until what has arrived is being executed.
        time.sleep(5)
        while world.executing():
            time.sleep(0.5)
    finally:
        # The sweeps go on: they are what brings the rest to its end.
        killer.stop()
        again.stop()
        spy.remove()
    world.set_faults(0)
    figures["arrivals"] = arrivals.objects
    figures["events sent again"] = again.sent
    figures["functions killed"] = killer.killed


def settle(figures: dict) -> list[str]:
    """Until nothing moves any more; dead letters are replayed. Returns what a replay said that failed."""
    start = changed = time.monotonic()
    before, problems, replayed = None, [], 0
    while time.monotonic() - start < LONGEST:
        runs = world.runs()
        unfinished = [run for run in runs.values() if run["phase"] not in world.ENDS or run["outbox"]]
        busy, dead = world.busy(), letters.waiting()
        if not unfinished and not busy and not dead:
            problems = []
            break
        now = (len(runs), len(unfinished), busy, dead, world.executing())
        if now != before:
            before, changed = now, time.monotonic()
        if dead and not busy:
            handled, problems = letters.replay()
            replayed += handled
        if time.monotonic() - changed > STILL:
            break
        time.sleep(1)
    figures["dead letters replayed"] = replayed
    return problems


def in_logs() -> collections.Counter:
    """What only the logs of the functions tell: attempts beyond the first, and what sweeps found to do."""
    found = collections.Counter()
    with open(os.path.join(world.HOME, "logs", "ministack.log"), encoding="utf-8", errors="replace") as file:
        for line in file:
            attempt = re.search(r"function \S+, attempt (\d+):$", line)
            found["retries"] += bool(attempt and int(attempt[1]) > 1)
            if '"message":"swept"' in line:
                found.update(sweeps=1, **{name: int(count) for name, count in
                                          re.findall(r'"(drained|asked)":(\d+)', line)})
    return found


def lost_acknowledgements(figures: dict) -> int:
    """How often a publication may have been carried out without the function's knowing."""
    published = world.faults()["operations"].get("sns Publish", {"faults": {}})["faults"]
    unheard = sum(published.get(kind, 0) for kind in ("error_after", "dropped_after", "late"))
    return unheard + figures["functions killed"]


def calm(asked: argparse.Namespace, figures: dict) -> list[str]:
    """What did not go wrong and should have: a rehearsal in fine weather proves nothing."""
    faults, disorder = world.faults(), world.disorder()
    came = {
        "events that came twice": disorder["twice"],
        "events that came late": disorder["late"],
        "events that came again": figures["events sent again"],
        "killed functions": figures["functions killed"],
        **{f"requests with the fault {kind}": faults["faults"][kind] for kind in ("error_after", "dropped_after")},
    }
    told = [f"there were no {what}" for what, count in came.items() if not count]
    share = faults["faulted"] / max(faults["requests"], 1)
    if not asked.rate / 2 < share < asked.rate * 2:
        told.append(f"{share:.1%} of the requests went wrong, and {asked.rate:.1%} should have")
    return told


def main() -> int:
    asked = options()
    start = time.monotonic()
    prepare()
    figures: dict = {"sweeps": weather.Sweeps(asked.seed + 3)}
    storm(asked, figures)
    problems = settle(figures)
    figures["sweeps"].stop()
    seen = world.look()
    wrong = compare.compare(seen, lost_acknowledgements(figures))
    seconds = time.monotonic() - start
    report(figures, seen, wrong, seconds)
    told = [f"{each.kind}: {each.what}" for each in wrong] + [f"dead letter: {problem}" for problem in problems]
    told += calm(asked, figures)
    if len(seen.runs) < asked.runs:
        told.append(f"{len(seen.runs)} runs were made, and at least {asked.runs} were wanted")
    for line in told[:40]:
        print(line)
    if len(told) > 40:
        print(f"and {len(told) - 40} more")
    return 1 if told else 0


def report(figures: dict, seen: world.World, wrong: list, seconds: float) -> None:
    faults, disorder, logged = world.faults(), world.disorder(), in_logs()
    kinds = collections.Counter(kind for kind, _ in {(each.kind, each.subject) for each in wrong})
    phases = collections.Counter(run["phase"] for run in seen.runs.values())
    told = collections.Counter((alert["run"], alert["cause"]) for alert in seen.alerts)
    rows = [
        ("runs", len(seen.runs)),
        *((f"  {phase}", count) for phase, count in sorted(phases.items())),
        ("object versions that arrived", figures["arrivals"]),
        ("executions", len(seen.executions)),
        ("events delivered", disorder["delivered"]),
        ("  twice", disorder["twice"]),
        ("  late", disorder["late"]),
        ("  again, long after", figures["events sent again"]),
        ("events that never came", disorder["lost"]),
        ("requests of functions", faults["requests"]),
        ("  gone wrong", faults["faulted"]),
        *((f"    {kind.replace('_', ' ')}", count) for kind, count in faults["faults"].items()),
        ("functions killed", figures["functions killed"]),
        ("attempts of functions beyond the first", logged["retries"]),
        ("sweeps", logged["sweeps"]),
        ("  runs whose commands they carried out", logged["drained"]),
        ("  runs that they asked SageMaker about", logged["asked"]),
        ("dead letters replayed", figures["dead letters replayed"]),
        ("alerts", len(told)),
        ("  published twice", sum(told.values()) - len(told)),
        ("seconds", round(seconds)),
        ("lost", kinds["lost"]),
        ("doubled", kinds["doubled"]),
        ("told wrongly by the ledger", kinds["untrue"]),
    ]
    for name, value in rows:
        print(f"{name:<42}{value:>8}")


if __name__ == "__main__":
    sys.exit(main())
