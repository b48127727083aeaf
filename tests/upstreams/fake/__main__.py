"""``python -m tests.upstreams.fake``: the fake as a process, until it is told to end."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

import uvloop
from tests.upstreams.dialects import every_dialect

from .server import FakeUpstream


async def _serve(log: Path, port: int, key: str | None, ready: Path | None) -> None:
    ended = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, ended.set)
    async with FakeUpstream(log, port=port, key=key, dialects=every_dialect()) as fake:
        bases = {name: fake.base_url(name) for name in fake.dialects}
        known = json.dumps({"url": fake.url, "base_urls": bases})
        if ready is not None:
            part = ready.with_suffix(".part")
            part.write_text(known)
            part.rename(ready)
        print(known, flush=True)
        await ended.wait()


def main() -> None:
    options = argparse.ArgumentParser(description="A fake paid upstream.")
    options.add_argument("--log", type=Path, required=True, help="file of accepted orders, appended to")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--key", help="the key that callers must send; without it everybody is let in")
    options.add_argument("--ready", type=Path, help="file that is written when it listens")
    given = options.parse_args()
    uvloop.run(_serve(given.log, given.port, given.key, given.ready))


if __name__ == "__main__":
    main()
