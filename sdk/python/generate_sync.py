"""Generates the synchronous client and its tests from the asynchronous ones.

python sdk/python/generate_sync.py            # write
python sdk/python/generate_sync.py --check    # fail when what is there differs from what would be written
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

HERE = Path(__file__).parent
PAIRS = (
    (HERE / "meshapi" / "_async", HERE / "meshapi" / "_sync"),
    (HERE / "tests" / "_async", HERE / "tests" / "_sync"),
)
# Written by hand on both sides: what differs by more than `await`.
BY_HAND = frozenset({"__init__.py", "connect.py", "pause.py"})
NAMES = {
    "AsyncClient": "Client",
    "AsyncClientWebhooks": "ClientWebhooks",
    "AsyncDriver": "Driver",
    "AsyncHttpxTransport": "HttpxTransport",
    "AsyncIterator": "Iterator",
    "AsyncMeshAPI": "MeshAPI",
    "AsyncModels": "Models",
    "AsyncOpenResponse": "OpenResponse",
    "AsyncRawModels": "RawModels",
    "AsyncRawUsage": "RawUsage",
    "AsyncRawVideos": "RawVideos",
    "AsyncTransport": "Transport",
    "AsyncUsage": "Usage",
    "AsyncVideos": "Videos",
    "AsyncWebhookDeliveries": "WebhookDeliveries",
    "AsyncWebhookEndpoints": "WebhookEndpoints",
    "AsyncWiring": "Wiring",
    "_async": "_sync",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_raw": "iter_raw",
    "anext": "next",
    "aread": "read",
    "async_client": "client",
    "asynchronous": "synchronous",
}
BANNER = "# Generated from {source} by generate_sync.py; edit that file, not this one.\n"
# Idioms that the asynchronous source cannot use: `with a, b` of both kinds, `list(x)` of an async iterator.
TESTS_BANNER = "# ruff: noqa: C416, SIM117\n"


def main() -> int:
    """Write the generated files, or compare them with what is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    check = parser.parse_args().check
    differing = [path for source, target in PAIRS for path in _generate(source, target, check=check)]
    for path in differing:
        print(f"{path.relative_to(HERE)} {'differs from its source' if check else 'written'}")  # noqa: T201
    return 1 if check and differing else 0


def _generate(source: Path, target: Path, *, check: bool) -> list[Path]:
    """The files of ``target`` that differ; they are written unless ``check``."""
    wanted = {
        path.name: _synchronous(path) for path in sorted(source.glob("*.py")) if path.name not in BY_HAND
    }
    present = {path.name for path in target.glob("*.py")} - BY_HAND
    differing = []
    for name in sorted(present | wanted.keys()):
        path = target / name
        if name in wanted and path.exists() and path.read_text("utf-8") == wanted[name]:
            continue
        differing.append(path)
        if check:
            continue
        if name in wanted:
            target.mkdir(exist_ok=True)
            path.write_text(wanted[name], "utf-8")
        else:
            path.unlink()
    return differing


def _synchronous(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        origin, result = Path(folder, "from", path.name), Path(folder, "to", path.name)
        origin.parent.mkdir()
        origin.write_text(path.read_text("utf-8"), "utf-8")
        rule = unasync.Rule(fromdir="/from/", todir="/to/", additional_replacements=NAMES)
        unasync.unasync_files([str(origin)], [rule])
        text = _prose(result.read_text("utf-8"))
    banner = BANNER.format(source=f"{path.parent.name}/{path.name}")
    if path.parent.parent.name == "tests":
        banner += TESTS_BANNER
    return _formatted(banner + text, path)


def _prose(text: str) -> str:
    """Names within comments and docstrings, which the token rules do not reach."""
    pattern = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
    return pattern.sub(lambda match: NAMES[match[0]], text)


def _formatted(text: str, path: Path) -> str:
    # Shorter names change line breaks and the order of imports; not every file needs all of the banner.
    for command in (
        ["check", "--fixable", "I,RUF100", "--fix", "--exit-zero", "--quiet"],
        ["format", "--quiet"],
    ):
        done = subprocess.run(  # noqa: S603 - our own formatter on our own text
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE,
        )
        text = done.stdout
    return text


if __name__ == "__main__":
    raise SystemExit(main())
