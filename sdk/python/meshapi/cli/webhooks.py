"""``meshapi webhooks``: registered URLs, what was posted to them, and what happened since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import connection, output
from .failure import reported
from .generate import AsJSON
from .output import moment

if TYPE_CHECKING:
    from meshapi.types import WebhookDelivery, WebhookEndpoint

webhooks = typer.Typer(
    help="Register URLs that are told of tasks that end; see and repeat deliveries.", no_args_is_help=True
)

EndpointId = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id.")]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        help="video.generation.succeeded or video.generation.failed; may repeat. [default: all]",
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many.")]


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="Where callbacks are posted.")],
    event: Events = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Register a URL. Its secret is shown this once."""
    with reported(), connection.client() as client:
        made = client.webhooks.endpoints.create(url, events=event or None, description=description)
    _endpoint(made, as_json=as_json)


@webhooks.command("list")
def list_(as_json: AsJSON = False) -> None:
    """List registered URLs: never their secrets."""
    with reported(), connection.client() as client:
        found = client.webhooks.endpoints.list()
    if as_json:
        output.document(found)
        return
    for each in found:
        state = "on" if each.enabled else "off"
        output.line(each.id, f"{state:<3}", each.url, ",".join(each.events) or "all", each.description)


@webhooks.command()
def change(
    endpoint_id: EndpointId,
    url: Annotated[str | None, typer.Option(help="Another URL.")] = None,
    event: Events = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is told.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Change what is given of a registered URL."""
    with reported(), connection.client() as client:
        made = client.webhooks.endpoints.update(
            endpoint_id, url=url, events=event or None, description=description, enabled=enabled
        )
    _endpoint(made, as_json=as_json)


@webhooks.command()
def remove(endpoint_id: EndpointId, as_json: AsJSON = False) -> None:
    """Remove a registered URL; what is on its way there is dead."""
    with reported(), connection.client() as client:
        gone = client.webhooks.endpoints.delete(endpoint_id)
    if as_json:
        output.document(gone)
    else:
        output.line(gone.id, "is removed.")


@webhooks.command("test")
def try_out(endpoint_id: EndpointId, as_json: AsJSON = False) -> None:
    """Send a test event to a registered URL."""
    with reported(), connection.client() as client:
        _deliveries([client.webhooks.endpoints.test(endpoint_id)], as_json=as_json)


@webhooks.command()
def rotate(
    endpoint_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="An endpoint; without it, your callback_urls' secret."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a new secret and show it; for a day callbacks are signed with the old one, too."""
    with reported(), connection.client() as client:
        if endpoint_id is not None:
            _endpoint(client.webhooks.endpoints.rotate(endpoint_id), as_json=as_json)
            return
        made = client.webhooks.rotate_secret()
    if as_json:
        output.document(made)
    else:
        output.line(made.secret)


@webhooks.command()
def secret(as_json: AsJSON = False) -> None:
    """Show what signs the callbacks to your tasks' callback_url."""
    with reported(), connection.client() as client:
        found = client.webhooks.secret()
    if as_json:
        output.document(found)
    else:
        output.line(found.secret)


@webhooks.command()
def deliveries(
    status: Annotated[str | None, typer.Option(help="pending, delivered or dead.")] = None,
    endpoint: Annotated[str | None, typer.Option(metavar="ID", help="Only those to this endpoint.")] = None,
    task: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this task.")] = None,
    after: Annotated[str | None, typer.Option(metavar="ID", help="Begin behind this delivery.")] = None,
    limit: Limit = 20,
    as_json: AsJSON = False,
) -> None:
    """List what was posted where, newest first."""
    with reported(), connection.client() as client:
        page = client.webhooks.deliveries.list(
            status=status, endpoint_id=endpoint, task_id=task, after=after, limit=limit
        )
    if as_json:
        output.document(page)
    else:
        _deliveries(page.data, as_json=False)


@webhooks.command()
def redeliver(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")],
    as_json: AsJSON = False,
) -> None:
    """Post a delivery again, at once, with all its retries ahead."""
    with reported(), connection.client() as client:
        _deliveries([client.webhooks.deliveries.redeliver(delivery_id)], as_json=as_json)


@webhooks.command()
def events(
    after: Annotated[str, typer.Option(metavar="ID", help="Begin behind this event.")] = "",
    limit: Limit = 20,
    as_json: AsJSON = False,
) -> None:
    """List what callbacks tell, oldest first: from here a lost one is recovered."""
    with reported(), connection.client() as client:
        found = client.webhooks.events(after=after or None, limit=limit)
    if as_json:
        output.document(found)
        return
    for each in found:
        output.line(each.id, _at(each.created_at), each.type, each.task.id if each.task else None)
    if found.has_more:
        typer.echo(f"more with --after {found.next}", err=True)


def _endpoint(endpoint: WebhookEndpoint, *, as_json: bool) -> None:
    if as_json:
        output.document(endpoint)
        return
    output.line(endpoint.id, "on" if endpoint.enabled else "off", endpoint.url)
    if endpoint.secret:
        output.line(endpoint.secret)
        typer.echo("The secret is shown this once.", err=True)


def _deliveries(found: list[WebhookDelivery], *, as_json: bool) -> None:
    if as_json:
        output.document(found[0])
        return
    for each in found:
        tries = f"x{len(each.attempts)}"
        output.line(
            each.id, f"{each.status:<9}", tries, _at(each.created_at), each.type, each.url, each.error
        )


def _at(seconds: float | None) -> str | None:
    return moment(None if seconds is None else int(seconds))
