"""Puts the command together: what is built in, and what other distributions contribute."""

from typing import Annotated

import typer

from meshapi._version import __version__

from . import contributions, failure
from .generate import generate
from .models import models
from .quote import quote
from .tasks import cancel, delete, download, get, list_, timeline, wait
from .webhooks import webhooks

_HELP = (
    "One API for every video model.\n\n"
    "Settings: MESHAPI_API_KEY, MESHAPI_BASE_URL; without both, the server started here by `meshapi serve`. "
    "Exit status: 0 done, 1 error, 2 usage, 3 the task failed, 4 the wait ran out, 130 interrupted."
)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status. No stack trace leaves it."""
    app = build(arguments)
    try:
        app(args=arguments, prog_name="meshapi")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # noqa: BLE001 - the rim of the process; MESHAPI_LOG=debug shows the trace
        return failure.unexpected(error)
    return 0


def build(arguments: list[str]) -> typer.Typer:
    """The application; of the contributed commands only the one that is asked for is loaded."""
    app = typer.Typer(
        name="meshapi",
        help=_HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for name, command in (
        ("generate", generate),
        ("quote", quote),
        ("get", get),
        ("list", list_),
        ("wait", wait),
        ("timeline", timeline),
        ("cancel", cancel),
        ("delete", delete),
        ("download", download),
        ("models", models),
    ):
        app.command(name)(command)
    app.add_typer(webhooks, name="webhooks")
    contributions.mount(app, arguments)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"meshapi {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
