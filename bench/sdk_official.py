"""The published meshapi 0.1.x as one candidate of `sdk.py`: run by that package's own interpreter.

Reads lines `CALLS AT_ONCE` and answers each with JSON: seconds and CPU of that many `retrieve`s.
"""

import asyncio
import json
import sys
import time

from meshapi import AsyncMeshAPI


async def main(base_url: str, key: str, task_id: str) -> None:
    """Answer until the input ends; the connections stay open in between, as those of the others do."""
    async with AsyncMeshAPI(base_url=base_url, token=key) as client:
        for line in sys.stdin:
            calls, at_once = map(int, line.split())

            async def worker(share: int = calls // at_once) -> None:
                for _ in range(share):
                    await client.videos.retrieve(task_id)

            cpu, started = time.process_time(), time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(at_once)))
            took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
            print(json.dumps(took), flush=True)


asyncio.run(main(*sys.argv[1:]))
