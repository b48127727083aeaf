"""The seed documents' code, word for word: `tests/seeds/` holds verbatim copies of the published pages."""

import ast
import re
from pathlib import Path
from types import CodeType

from pages import Block, Program, go_source

SEEDS = Path(__file__).parents[1] / "seeds"
PYTHON = SEEDS / "python.md"
GO = SEEDS / "go.md"


def blocks(page: Path, language: str) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(page, text.count("\n", 0, match.start(1)) + 1, language, match[1])
        for match in fence.finditer(text)
    ]


def python_blocks() -> list[str]:
    """The Python page's code."""
    return [block.text for block in blocks(PYTHON, "python")]


def adapted(block: str, base_url: str, key: str) -> str:
    """Only the base URL and the key are replaced."""
    assert '"https://api.meshapi.ai"' in block or "base_url" not in block
    return block.replace("https://api.meshapi.ai", base_url).replace("rsk_...", key)


def compiled(block: str) -> CodeType:
    """The code of a block; `await` may stand at its top."""
    code: CodeType = compile(block, str(PYTHON), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


def go_programs() -> dict[str, str]:
    """The Go page's code as programs; they take the base URL and the key from the environment."""
    generate, poll, listing, retrieve = blocks(GO, "go")
    parts = {"generate": (generate, poll), "list": (listing,), "retrieve": (retrieve,)}
    return {f"seed-{name}": go_source(Program(f"seed-{name}", each)) for name, each in parts.items()}
