"""How a command fails: one clear line on standard error, and an exit status that scripts can tell apart."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

ERROR = 1
TASK_FAILED = 3
WAIT_TIMEOUT = 4
INTERRUPTED = 130


@contextmanager
def reported(resume: str | None = None, interrupted: str = "Interrupted.") -> Iterator[None]:
    """Turn errors into a line and an exit status.

    ``resume`` is the command that goes on with a wait, ``interrupted`` what to say after Ctrl-C.
    """
    from meshapi.errors import MeshAPIError, TaskFailedError, WaitTimeoutError

    try:
        yield
    except TaskFailedError as error:
        raise _stop(str(error), TASK_FAILED) from None
    except WaitTimeoutError as error:
        hint = f"; go on with: {resume}" if resume else ""
        raise _stop(f"{error}{hint}", WAIT_TIMEOUT) from None
    except MeshAPIError as error:
        request = f" (request {error.request_id})" if error.request_id else ""
        raise _stop(f"{error}{request}{_hint(error)}", ERROR) from None
    except OSError as error:
        raise _stop(str(error), ERROR) from None
    except ValueError as error:  # a parameter that the SDK's types refuse
        raise _stop(str(error), ERROR) from None
    except KeyboardInterrupt:
        if resume:
            interrupted = f"Interrupted. The task goes on; wait for it with: {resume}"
        typer.echo(f"\n{interrupted}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def unexpected(error: Exception) -> int:
    """Report a defect of this program in one line; the trace goes to the log, where one is asked for."""
    typer.echo(f"meshapi: internal error: {type(error).__name__}: {one_line(str(error))}", err=True)
    logging.getLogger("meshapi").debug("internal error", exc_info=error)
    return ERROR


def warn(message: str) -> None:
    """A remark on standard error."""
    typer.echo(f"meshapi: {one_line(message)}", err=True)


def one_line(text: str) -> str:
    """The text without line breaks and without anything a terminal would obey."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _stop(message: str, status: int) -> typer.Exit:
    sys.stdout.flush()
    warn(message)
    return typer.Exit(status)


def _hint(error: Exception) -> str:
    from meshapi.errors import APIConnectionError, APITimeoutError

    local = any(host in str(error) for host in ("//127.0.0.1", "//localhost", "//[::1]"))
    if local and isinstance(error, APIConnectionError) and not isinstance(error, APITimeoutError):
        return "; is `meshapi serve` running?"
    return ""
