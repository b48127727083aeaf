"""Commands of other distributions, found by the entry-point group ``meshapi.commands``, loaded when called.

An entry point is a ``typer.Typer`` (a group such as ``keys``) or a plain function (a command such as
``serve``).
"""

import os
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import typer

GROUP = "meshapi.commands"
# What is worth naming even where the distribution that brings it is not installed.
_EXPECTED = {
    "serve": ("Run the Mesh API server.", "meshapi-server"),
    "keys": ("Create, list and revoke API keys of a server.", "meshapi-server"),
    "usage": ("Show what a server spent.", "meshapi-server"),
    "files": ("Look after the files of results.", "meshapi-server"),
    "reconcile": ("Compare an upstream's invoice with a server's ledger.", "meshapi-server"),
}
_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def mount(app: typer.Typer, arguments: list[str]) -> None:
    """Add the contributed commands: the called one for real, the others as lines of the help."""
    taken = {command.name for command in app.registered_commands}
    found = {point.name: point for point in entry_points(group=GROUP) if point.name not in taken}
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    completing = "_MESHAPI_COMPLETE" in os.environ
    for name in sorted({*found, *_EXPECTED} - taken):
        if name not in found:
            help_text, distribution = _EXPECTED[name]
            told = f"meshapi {name} comes with the server; install it with: pip install {distribution}"
            _promise(app, name, f"{help_text.rstrip('.')} (pip install {distribution}).", told)
        elif name == called or completing:
            _load(app, found[name])
        else:
            _promise(app, name, _help_of(found[name]), "")


def _load(app: typer.Typer, point: EntryPoint) -> None:
    try:
        command = point.load()
    except Exception as error:  # noqa: BLE001 - whatever a foreign module raises must not end in a trace
        _promise(app, point.name, _help_of(point), f"meshapi {point.name} cannot be loaded: {error}")
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=point.name)
    elif callable(command):
        app.command(point.name)(command)
    else:
        told = f"meshapi {point.name} cannot be loaded: {point.value} is neither a typer.Typer nor a function"
        _promise(app, point.name, _help_of(point), told)


def _promise(app: typer.Typer, name: str, help_text: str, told: str) -> None:
    app.command(name, help=help_text, context_settings=_ANYTHING)(_telling(told))


def _telling(told: str) -> Callable[[], None]:
    def tell() -> None:
        typer.echo(told, err=True)
        raise typer.Exit(1)

    return tell


def _help_of(point: EntryPoint) -> str:
    distribution = point.dist.name if point.dist else point.module
    return _EXPECTED.get(point.name, (f"Provided by {distribution}.", ""))[0]
