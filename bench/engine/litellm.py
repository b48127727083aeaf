"""Creates and status reads a second beside LiteLLM's proxy, in front of the same stub, in turns in one run.

    python bench/engine/litellm.py

Ours answers a create only after a synced commit and asks the upstream afterwards; the proxy asks it while the
caller waits and keeps nothing. Ours runs twice: with all upstream slots (sending and polling go on in the
same process while more is accepted) and with one (accepting alone; thousands of tasks queue). Each gateway is
started anew for every round and has the core to itself: what one leaves in flight does not slow another.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))
from gateways import Deployment, Gateway, litellm, ours, stub
from load import Load, load, request
from meters import cpu_seconds, median_ratio, table
from processes import cores

CONNECTIONS = 32


Results = dict[tuple[str, str], list[tuple[Load, float]]]
"""Of each gateway and case, the rounds: the load's result and the CPU time of a request in microseconds."""


def made(gateway: Gateway) -> list[bytes]:
    """Requests for the status of tasks that are created now, one for each connection."""
    path, body = gateway.create()
    headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    message = urllib.request.Request(f"http://127.0.0.1:{gateway.port}{path}", body, headers)
    requests = []
    for _ in range(CONNECTIONS):
        with urllib.request.urlopen(message, timeout=60) as answer:
            task = json.loads(answer.read())["id"]
        requests.append(request("GET", f"{path}/{task}", gateway.port, key=gateway.key))
    return requests


def measure(gateway: Gateway, messages: Sequence[bytes], seconds: float) -> tuple[Load, float]:
    """One case of a round."""
    before = cpu_seconds(gateway.pid)
    result = uvloop.run(load(gateway.port, messages, CONNECTIONS, seconds))
    assert set(result.statuses) == {200}, (gateway.name, result.statuses)
    return result, (cpu_seconds(gateway.pid) - before) / result.requests * 1e6


def one_round(gateway: Gateway, seconds: float, results: Results) -> None:
    """Creates, then looks at the tasks that were made before them and at others that were made after them."""
    path, body = gateway.create()
    creates = [request("POST", path, gateway.port, key=gateway.key, body=body)]
    first = made(gateway)
    measure(gateway, first, 0.5)  # what is loaded with the first requests is no request's cost
    cases = {"create": lambda: creates, "status": lambda: first, "status of the last": lambda: made(gateway)}
    for case, messages in cases.items():
        results.setdefault((gateway.name, case), []).append(measure(gateway, messages(), seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    wanted = parser.parse_args()
    gateway_core, other_core = cores()
    os.sched_setaffinity(0, {other_core})
    results: Results = {}
    with stub(other_core) as port:
        deployment = Deployment("sora-2", "openai/sora-2", f"http://127.0.0.1:{port}/v1")
        starts: list[Callable[[Path], contextlib.AbstractContextManager[Gateway]]] = [
            lambda folder: litellm(folder, [deployment], gateway_core),
            lambda folder: ours(folder, port, gateway_core, slots=1),
            lambda folder: ours(folder, port, gateway_core, slots=10_000_000),
        ]
        for number in range(wanted.rounds):
            for start in starts:
                with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as gateway:
                    one_round(gateway, wanted.seconds, results)
            print(f"round {number + 1} of {wanted.rounds}", file=sys.stderr)
    show(results, wanted.rounds)


def show(results: Results, rounds: int) -> None:
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
