"""The pages of the documentation, their fenced blocks, and the programs that the blocks make.

A block says by its info string what it is, and every kind has a runner (`test_docs.py`):

* `python`: the blocks of a page follow each other in one process and share their names.
* `python 0.1`: the same, with the published package 0.1.x in its own environment.
* `go`: a block that begins with `package main` is a program. The others of a page follow each other in one
  function that has `ctx` and `client`, each inside the scope of the one before.
* `sh`: the blocks of a page follow each other in one `bash -euo pipefail`.
* `text`: what the block right before it prints; `...` stands for anything.
* `serves=NAME` behind `python`, `go` or `sh`: a program of its own that runs until it is stopped, while the
  scene of that name (`scenes.py`) plays.

Anything else, and code by indentation, is a problem that `problems` tells and a test refuses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
READMES = (ROOT / "sdk" / "python" / "README.md", ROOT / "sdk" / "go" / "README.md")
# Decision notes argue, and the page of models is written from their cards: no instructions to follow.
LEFT_OUT = {DOCS / "decisions", DOCS / "reference" / "models.md"}
PAGES = (
    *(page for page in sorted(DOCS.rglob("*.md")) if not LEFT_OUT & {page, *page.parents}),
    *READMES,
)
LANGUAGES = ("python", "go", "sh")
SCENES = ("api", "callback")
MARK = "\x1e"  # printed after each block, so that a page's output can be told apart

# What a reader puts in by hand, and the variable in which a test has it.
PLACEHOLDERS = {
    '"https://api.meshapi.ai"': "MESHAPI_BASE_URL",
    '"http://127.0.0.1:8080"': "MESHAPI_BASE_URL",
    '"rsk_..."': "MESHAPI_API_KEY",
    '"task_..."': "TASK_ID",
    '"whsec_..."': "MESHAPI_WEBHOOK_SECRET",
}


@dataclass(frozen=True)
class Block:
    """One fenced block; ``line`` is that of its first line, ``prints`` what the page says it prints."""

    page: Path
    line: int
    info: str
    text: str
    prints: str | None = None

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    @property
    def scene(self) -> str | None:
        _, equals, name = self.info.partition("serves=")
        return name if equals else None

    @property
    def is_old(self) -> bool:
        return self.info == "python 0.1"

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Program:
    """Blocks that run together, in the order of the page."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def language(self) -> str:
        return self.blocks[0].language

    @property
    def scene(self) -> str | None:
        return self.blocks[0].scene

    @property
    def is_old(self) -> bool:
        return self.blocks[0].is_old


def fences(page: Path, text: str | None = None) -> tuple[list[Block], list[str]]:
    """The blocks of a page, and what is wrong with it."""
    blocks: list[Block] = []
    problems: list[str] = []
    source = page.read_text("utf-8") if text is None else text
    for token in MarkdownIt().parse(source):
        if token.map is None or token.type not in {"fence", "code_block"}:
            continue
        block = Block(page, token.map[0] + 2, token.info.strip(), token.content)
        if token.type == "code_block":
            problems.append(f"{block.where}: code by indentation has no runner; fence it")
        elif block.info == "text":
            if not blocks or blocks[-1].prints is not None:
                problems.append(
                    f"{block.where}: a text block is what the block before it prints; there is none"
                )
            else:
                blocks[-1] = replace(blocks[-1], prints=block.text)
        elif complaint := _complaint(block):
            problems.append(f"{block.where}: {complaint}")
        else:
            blocks.append(block)
    return blocks, problems


def _complaint(block: Block) -> str | None:
    known = {*LANGUAGES, "python 0.1", *(f"{each} serves={scene}" for each in LANGUAGES for scene in SCENES)}
    if block.info == "" and block.page in READMES:
        return None if _is_prose(block) else "code without a language has no runner"
    if block.info not in known:
        return f"a block marked {block.info!r} has no runner; there are {', '.join(sorted(known))}, text"
    return None if block.text.strip() else "an empty block proves nothing"


def _is_prose(block: Block) -> bool:
    """The unmarked fences of the SDKs' READMEs: what to install, what to type, a tree of names."""
    return not re.search(r"^\s*(import|from|func|package|def|curl)\b|:=|client\.", block.text, re.MULTILINE)


def programs_of(page: Path) -> list[Program]:
    """The programs of a page."""
    slug = "-".join(page.relative_to(ROOT).with_suffix("").parts).removesuffix("-README").lower()
    following: dict[str, list[Block]] = {}
    alone: list[Block] = []
    for block in fences(page)[0]:
        if block.info == "":
            continue
        if block.scene or (block.language == "go" and is_whole(block)):
            alone.append(block)
        else:
            following.setdefault(block.info, []).append(block)
    found = [Program(f"{slug}-{info.replace(' ', '-')}", tuple(blocks)) for info, blocks in following.items()]
    return found + [Program(f"{slug}-{block.language}-line-{block.line}", (block,)) for block in alone]


def is_whole(block: Block) -> bool:
    """Whether a Go block is a program by itself."""
    return block.text.startswith("package main\n")


def go_programs_of(page: Path) -> dict[str, str]:
    """The sources of a page's Go programs, by name. The compiler's errors name the page and the line."""
    return {program.name: go_source(program) for program in programs_of(page) if program.language == "go"}


def go_source(program: Program) -> str:
    """One file of package main."""
    first = program.blocks[0]
    if is_whole(first):
        return f"//line {first.page}:{first.line}\n{_adapted_go(first.text)}"
    imports = {'"context"', '"fmt"', 'meshapi "github.com/aifiesta/meshapi-go-sdk"'}
    body: list[str] = []
    for block in program.blocks:
        code, needed = _without_imports(_adapted_go(block.text))
        imports |= needed
        # Each block opens a scope inside the one before: `task, err :=` may stand in every one of them.
        body += ["{", f"//line {block.page}:{block.line}", code, f"fmt.Println({MARK!r:s})".replace("'", '"')]
    body += ["}" * len(program.blocks)]
    lines = [
        *("package main", "import (", *sorted(imports), ")"),
        *("func main() {", "ctx, client := context.Background(), meshapi.New(meshapi.Config{})"),
        *("_, _ = ctx, client", *body, "}"),
    ]
    return "\n".join(lines) + "\n"


_GO_IMPORTS = re.compile(r'^import \(\n((?:.*\n)*?)\)\n|^import (".*")\n', re.MULTILINE)
_GO_STANDARD = {
    name.rpartition("/")[2]: f'"{name}"'
    for name in (
        *(
            "bytes",
            "context",
            "errors",
            "fmt",
            "io",
            "log",
            "os",
            "sort",
            "strings",
            "strconv",
            "sync",
            "time",
        ),
        *("net/http", "net/http/httptest", "encoding/json", "path/filepath"),
    )
}
_GO_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|//.*')


def _without_imports(code: str) -> tuple[str, set[str]]:
    """The statements of a fragment, and what they import, said or not."""
    needed: set[str] = set()
    for match in _GO_IMPORTS.finditer(code):
        needed |= {line.strip() for line in (match[1] or match[2]).splitlines() if line.strip()}
    # As many lines stay, so that the compiler's line is the page's.
    code = _GO_IMPORTS.sub(lambda match: "\n" * match[0].count("\n"), code)
    bare = _GO_QUOTED.sub("", code)
    return code, needed | {
        spec for name, spec in _GO_STANDARD.items() if re.search(rf"(?<![\w.]){name}\.[A-Z]", bare)
    }


def _adapted_go(code: str) -> str:
    for literal, variable in PLACEHOLDERS.items():
        code = code.replace(literal, f'os.Getenv("{variable}")')
    return code


def adapted_python(code: str, environment: dict[str, str]) -> str:
    """The code with what a reader would put in by hand."""
    for literal, variable in PLACEHOLDERS.items():
        code = code.replace(literal, repr(environment[variable]))
    return code


def expected(prints: str) -> re.Pattern[str]:
    """What a text block allows: its lines, with ``...`` for anything."""
    return re.compile(re.escape(prints.strip()).replace(r"\.\.\.", ".*"), re.DOTALL)


def printed_by_block(output: str) -> Iterator[str]:
    """A program's output, block by block."""
    yield from output.split(f"{MARK}\n")[:-1]
