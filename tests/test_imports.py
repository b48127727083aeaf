"""Imports point one way (ARCHITECTURE.md): read from the source of all three distributions."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "meshapi": ROOT / "sdk" / "python" / "meshapi",
    "meshapi_renderer": ROOT / "renderer" / "meshapi_renderer",
    "meshapi_server": ROOT / "server" / "meshapi_server",
}

# What a room of the server may import of the server, besides itself. The longest name that fits counts.
PORTS = {
    "meshapi_server.tasks.clock",
    "meshapi_server.tasks.errors",
    "meshapi_server.tasks.ids",
    "meshapi_server.tasks.life",
    "meshapi_server.tasks.limits",
    "meshapi_server.tasks.ports",
    "meshapi_server.tasks.price",
    "meshapi_server.tasks.spec",
    "meshapi_server.tasks.states",
    "meshapi_server.tasks.task",
}
# An adapter is data and pure functions: nothing that does I/O is within its reach.
ADAPTER = {
    "meshapi_server.upstreams.adapter",
    "meshapi_server.upstreams.http",
    "meshapi_server.upstreams.media",
    "meshapi_server.upstreams.refusals",
}
_NO_ADAPTERS = {"cards", "diffusers", "diorama", "sandbox", "__pycache__"}
ADAPTER_ROOMS = [
    f"meshapi_server.upstreams.{room.name}"
    for room in sorted((PACKAGES["meshapi_server"] / "upstreams").iterdir())
    if room.is_dir() and room.name not in _NO_ADAPTERS
]
ROOMS: dict[str, set[str]] = {
    **dict.fromkeys(ADAPTER_ROOMS, ADAPTER),
    "meshapi_server": set(),
    "meshapi_server.settings": {
        "meshapi_server.upstreams.routing",
        "meshapi_server.destinations",
        "meshapi_server.store.database_url",
    },
    "meshapi_server.datadir": set(),
    "meshapi_server.api": {
        "meshapi_server.tasks",
        "meshapi_server.accounts",
        "meshapi_server.callbacks",
        "meshapi_server.files",
        "meshapi_server.upstreams.rows",  # the wire's model row is made from a card, once
    },
    "meshapi_server.connections": {
        "meshapi_server.api.call",  # whose request it was, and which version it asked for
        "meshapi_server.api.errors",
        "meshapi_server.api.secure_headers",
        "meshapi_server.tasks.ids",
    },
    "meshapi_server.tasks": {"meshapi_server.upstreams.contract"},
    "meshapi_server.accounts": PORTS,
    "meshapi_server.destinations": set(),
    "meshapi_server.files": {*PORTS, "meshapi_server.destinations", "meshapi_server.upstreams.contract"},
    "meshapi_server.store": {
        *PORTS,
        "meshapi_server.accounts.budgets",
        "meshapi_server.accounts.invoices",
        "meshapi_server.accounts.key",
        "meshapi_server.accounts.keys",
        "meshapi_server.accounts.ledger",
        "meshapi_server.accounts.usage",
        "meshapi_server.accounts.windows",
        "meshapi_server.callbacks.ports",
    },
    "meshapi_server.upstreams": PORTS,
    "meshapi_server.upstreams.contract": PORTS,
    "meshapi_server.upstreams.diorama": {"meshapi_server.upstreams.contract"},
    # Its models' cards are made from their folders.
    "meshapi_server.upstreams.diffusers": {
        "meshapi_server.upstreams.contract",
        "meshapi_server.upstreams.card",
        "meshapi_server.upstreams.limits",
        "meshapi_server.upstreams.rules",
    },
    # Runs in another interpreter, which has nothing of the server.
    "meshapi_server.upstreams.diffusers.child": set(),
    "meshapi_server.upstreams.sandbox": {"meshapi_server.upstreams.contract"},
    # The clip is made by a command, with the renderer that serves the built-in model.
    "meshapi_server.upstreams.sandbox.clip": {"meshapi_server.upstreams.diorama"},
    "meshapi_server.callbacks": {*PORTS, "meshapi_server.destinations"},
    "meshapi_server.studio": set(),
    "meshapi_server.database": {
        "meshapi_server.store",
        "meshapi_server.accounts",
        "meshapi_server.callbacks.ports",
        "meshapi_server.files.ports",
        "meshapi_server.settings",
        *PORTS,
    },
    "meshapi_server.app": {"meshapi_server"},
    "meshapi_server.commands": {"meshapi_server"},
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    root = PACKAGES[package]
    for path in sorted(root.rglob("*.py")):
        parts = [package, *path.relative_to(root).with_suffix("").parts]
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(module: str, path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, by its absolute name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                deeper = f"{name}.{alias.name}"
                yield deeper if _is_module(deeper) else name


def _is_module(name: str) -> bool:
    package, _, rest = name.partition(".")
    if package not in PACKAGES:
        return False
    place = PACKAGES[package].joinpath(*rest.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def room_of(module: str) -> str:
    return max((room for room in ROOMS if within(module, room)), key=len)


@functools.cache
def own_edges() -> list[tuple[str, str]]:
    return [
        (module, name)
        for module, path in modules("meshapi_server")
        for name in imported(module, path)
        if within(name, "meshapi_server")
    ]


def test_the_reader_of_imports_sees_what_is_there() -> None:
    edges = own_edges()
    assert ("meshapi_server.tasks.worker", "meshapi_server.upstreams.contract") in edges
    assert ("meshapi_server.api.generations", "meshapi_server.api.create_request") in edges
    assert len(edges) > 150


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = ROOMS[room]
    wrong = [
        f"{module} -> {name}"
        for module, name in own_edges()
        if room_of(module) == room
        and name != "meshapi_server"  # the version
        and not within(name, room)
        and not (
            room == "meshapi_server.upstreams.sandbox.clip"
            and within(name, "meshapi_server.upstreams.sandbox")
        )
        and not any(within(name, each) for each in allowed)
    ]
    assert wrong == []


def test_only_commands_import_the_composition() -> None:
    users = {module for module, name in own_edges() if within(name, "meshapi_server.app")}
    assert {room_of(module) for module in users} <= {"meshapi_server.commands"}


def test_an_upstream_room_never_reaches_into_another() -> None:
    local = ("diffusers", "diorama", "sandbox")
    rooms = [*(f"meshapi_server.upstreams.{each}" for each in local), *ADAPTER_ROOMS]
    for module, name in own_edges():
        if module == "meshapi_server.upstreams.sandbox.clip":
            continue
        for room in rooms:
            others = [other for other in rooms if other != room]
            assert not (within(module, room) and any(within(name, other) for other in others)), (module, name)


@pytest.mark.parametrize(
    ("package", "strangers"),
    [
        ("meshapi", {"meshapi_server", "meshapi_renderer"}),
        ("meshapi_renderer", {"meshapi_server", "meshapi"}),
        ("meshapi_server", {"meshapi"}),
    ],
)
def test_distributions_meet_in_the_contract_and_not_in_code(package: str, strangers: set[str]) -> None:
    wrong = [
        f"{module} -> {name}"
        for module, path in modules(package)
        for name in imported(module, path)
        if name.partition(".")[0] in strangers
    ]
    assert wrong == []


def test_only_the_local_upstreams_use_the_renderer() -> None:
    users = {
        room_of(module)
        for module, path in modules("meshapi_server")
        for name in imported(module, path)
        if within(name, "meshapi_renderer")
    }
    assert users <= {
        "meshapi_server.upstreams.diffusers",
        "meshapi_server.upstreams.diorama",
        "meshapi_server.upstreams.sandbox.clip",
    }


def test_the_task_rooms_know_no_upstream_and_no_http() -> None:
    for module, path in modules("meshapi_server"):
        if not within(module, "meshapi_server.tasks"):
            continue
        foreign = {name.partition(".")[0] for name in imported(module, path)}
        assert not foreign & {"starlette", "uvicorn", "aiohttp", "sqlite3", "asyncpg", "meshapi_renderer"}, (
            module
        )
