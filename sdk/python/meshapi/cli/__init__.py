"""The ``meshapi`` command. It needs the extra: ``pip install 'meshapi[cli]'``."""

import sys


def main() -> None:
    """Run the command line; say what to install when the extra is missing."""
    try:
        import rich
        import typer
    except ModuleNotFoundError as missing:
        sys.exit(f"The meshapi command needs {missing.name}; install it with: pip install 'meshapi[cli]'")
    del rich, typer

    from .application import run

    sys.exit(run(sys.argv[1:]))
