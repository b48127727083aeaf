"""Run Python blocks one after the other in one namespace: `python -P run_blocks.py BLOCKS.json`.

Needs nothing but the interpreter, so that it also runs in an environment of another package. `await` may
stand at the top of a block. A traceback names the page and the line.
"""

import ast
import asyncio
import inspect
import json
import sys
from pathlib import Path
from typing import Any

MARK = "\x1e"


def main() -> None:
    """Run all, and print a mark after each."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block in json.loads(Path(sys.argv[1]).read_text("utf-8")):
            source = "\n" * (block["line"] - 1) + block["text"]
            code = compile(source, block["page"], "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            done = eval(code, names)
            if inspect.iscoroutine(done):
                runner.run(done)
            print(MARK, flush=True)


main()
