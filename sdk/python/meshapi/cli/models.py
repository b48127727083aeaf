"""``meshapi models``: the catalogue."""

from typing import Annotated

import typer

from . import connection, output
from .failure import reported
from .generate import AsJSON


def models(
    provider: Annotated[str | None, typer.Option(help="Only those of this provider.")] = None,
    as_json: AsJSON = False,
) -> None:
    """List the models that can make videos."""
    with reported(), connection.client() as client:
        found = client.models.list(type="video", provider=provider)
    if as_json:
        output.document(found)
    else:
        output.models(found)
