"""Creates and status reads a second beside LiteLLM's proxy, in front of the same stub, in turns in one run.

    python bench/engine/litellm.py

Ours answers a create only after a synced commit and asks the upstream afterwards; the proxy asks it while the
caller waits and keeps nothing. Ours runs twice: with all upstream slots (sending goes on in the same process
while more is accepted) and with one (accepting alone).
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))
from gateways import Deployment, Gateway, litellm, ours, stub
from load import Load, load, request
from meters import cpu_seconds, median_ratio, table
from processes import cores

CONNECTIONS = 32


def one_task(gateway: Gateway) -> str:
    """The path of a task's status."""
    path, body = gateway.create()
    headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    message = urllib.request.Request(f"http://127.0.0.1:{gateway.port}{path}", body, headers)
    with urllib.request.urlopen(message, timeout=60) as answer:
        return f"{path}/{json.loads(answer.read())['id']}"


def run(gateway: Gateway, what: str, task: str, seconds: float) -> tuple[Load, float]:
    """One round; the load's result and the gateway's CPU time per request in microseconds."""
    path, body = gateway.create()
    if what == "create":
        message = request("POST", path, gateway.port, key=gateway.key, body=body)
    else:
        message = request("GET", task, gateway.port, key=gateway.key)
    before = cpu_seconds(gateway.pid)
    result = uvloop.run(load(gateway.port, message, CONNECTIONS, seconds))
    assert set(result.statuses) == {200}, (gateway.name, what, result.statuses)
    return result, (cpu_seconds(gateway.pid) - before) / result.requests * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    wanted = parser.parse_args()
    gateway_core, other_core = cores()
    os.sched_setaffinity(0, {other_core})
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(stub(other_core))
        gateways = [
            stack.enter_context(
                litellm(
                    folder,
                    [Deployment("sora-2", "openai/sora-2", f"http://127.0.0.1:{port}/v1")],
                    gateway_core,
                )
            ),
            stack.enter_context(ours(folder, port, gateway_core, slots=1)),
            stack.enter_context(ours(folder, port, gateway_core, slots=10_000_000)),
        ]
        tasks = {gateway.name: one_task(gateway) for gateway in gateways}
        results: dict[tuple[str, str], list[tuple[Load, float]]] = {}
        for number in range(wanted.rounds):
            for gateway in gateways:
                for what in ("create", "status"):
                    found = run(gateway, what, tasks[gateway.name], wanted.seconds)
                    results.setdefault((gateway.name, what), []).append(found)
            print(f"round {number + 1} of {wanted.rounds}", file=sys.stderr)
            time.sleep(0.5)
    show(results, wanted.rounds)


def show(results: dict[tuple[str, str], list[tuple[Load, float]]], rounds: int) -> None:
    """Medians; ratios are medians of the ratios of each round.

    The ratio of CPU times is what a whole core would do: other processes that want the core do not change it.
    """
    rows = []
    for (name, what), found in results.items():
        beside = results["litellm", what]
        loads, costs = [each for each, _ in found], [cost for _, cost in found]
        rates = [each.per_second for each in loads]
        rows.append(
            (
                f"{what}, {name}",
                f"{statistics.median(rates):.0f}",
                f"{median_ratio(rates, (each.per_second for each, _ in beside)):.1f}",
                f"{statistics.median(costs):.0f}",
                f"{median_ratio((cost for _, cost in beside), costs):.1f}",
                f"{statistics.median(each.at(0.5) for each in loads):.2f}",
                f"{statistics.median(each.at(0.99) for each in loads):.2f}",
            )
        )
    heads = ("", "req/s", "x LiteLLM", "CPU us", "x by CPU", "p50 ms", "p99 ms")
    table(f"{CONNECTIONS} connections, one core for the gateway, medians of {rounds} rounds", heads, rows)


if __name__ == "__main__":
    main()
