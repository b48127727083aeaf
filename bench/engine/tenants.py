"""Whether the time of an answer tells a stranger's task from one that never was.

    python bench/engine/tenants.py [--rounds 3000]

One key asks, in turns and in random order, for another owner's task and for ids that were never given out, on
operations that read by id. They differ by noise only when their ratio is like that of two halves of one kind.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from databases import Place
from meters import table
from processes import cores
from servers import Server, serving

_GENERATIONS = "/v1/video/generations"
_READS = ("", "/timeline", "/content", "/events")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def stranger(data: Path) -> str:
    """A key of another owner."""
    command = [str(Path(sys.executable).with_name("meshapi")), "keys", "create", "--name", "stranger"]
    made = subprocess.run(
        [*command, "--data", str(data), "--json"], capture_output=True, text=True, check=True, timeout=60
    )
    key: str = json.loads(made.stdout)["key"]
    return key


def ask(link: http.client.HTTPConnection, path: str, key: str) -> float:
    """Seconds until a 404 was read."""
    began = time.perf_counter()
    link.request("GET", path, headers={"authorization": f"Bearer {key}"})
    answer = link.getresponse()
    answer.read()
    took = time.perf_counter() - began
    assert answer.status == 404, (path, answer.status)
    return took


def one_task(server: Server) -> str:
    """A task of the first owner."""
    link = http.client.HTTPConnection("127.0.0.1", server.port)
    body = {"model": "sandbox/instant", "content": [{"type": "text", "text": "a lake"}]}
    headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
    link.request("POST", _GENERATIONS, json.dumps(body), headers)
    task: str = json.loads(link.getresponse().read())["id"]
    return task


def medians(server: Server, key: str, task: str, suffix: str, rounds: int) -> list[float]:
    """In microseconds: a stranger's task, and ids that never were, the latter in two halves."""
    chance = random.Random(1)
    kinds: dict[int, list[float]] = {0: [], 1: [], 2: []}
    link = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(rounds):
        for kind in chance.sample((0, 1, 2), 3):
            unknown = task[:-12] + "".join(chance.choices(_ALPHABET, k=12))
            asked = task if kind == 0 else unknown
            kinds[kind].append(ask(link, f"{_GENERATIONS}/{asked}{suffix}", key))
    return [statistics.median(found) * 1e6 for found in kinds.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3000)
    wanted = parser.parse_args()
    core, other = cores()
    os.sched_setaffinity(0, {other})
    rows: list[Sequence[str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = Place("sqlite", f"sqlite:///{folder / 'data' / 'meshapi.db'}")
        with serving(place, folder, core, {}) as server:
            key, task = stranger(folder / "data"), one_task(server)
            for suffix in _READS:
                foreign, never, again = medians(server, key, task, suffix, wanted.rounds)
                told = (f"{foreign:.0f}", f"{never:.0f}", f"{foreign / never:.3f}", f"{never / again:.3f}")
                rows.append((f"GET {{id}}{suffix}", *told))
    heads = ("", "another's us", "unknown us", "ratio", "noise (unknown / unknown)")
    table(f"404s, medians of {wanted.rounds} each", heads, rows)


if __name__ == "__main__":
    main()
