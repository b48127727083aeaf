"""What goes to standard output: one JSON document, or lines for people."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .failure import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from meshapi import DownloadResult, Model, Quote, Timeline, VideoTaskResponse


def document(value: BaseModel | Sequence[BaseModel], **more: Any) -> None:
    """Print one JSON document; ``more`` is laid over an object."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        plain: Any = {**value.model_dump(mode="json"), **more}
    else:
        plain = [each.model_dump(mode="json") for each in value]
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))


def line(*words: str | None) -> None:
    """Words with two blanks between them; what is unknown is left out."""
    typer.echo("  ".join(one_line(word) for word in words if word).rstrip())


def checked_output(path: Path | None) -> Path | None:
    """The path, refused before anything is paid for when a file could not be written there."""
    if path is None:
        return None
    if path.is_dir():
        raise typer.BadParameter(f"{str(path)!r} is a directory; name a file", param_hint="--output")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no directory {str(path.parent)!r}", param_hint="--output")
    return path


def task(value: VideoTaskResponse) -> None:
    """A task in a few lines; what is unknown is left out."""
    rows: list[tuple[str, object]] = [("id", value.id), ("status", value.status), ("model", value.model)]
    if value.progress is not None and not value.is_terminal:
        rows.append(("progress", f"{value.progress:.0%}"))
    rows += [
        ("queue", None if value.queue_position is None else f"{value.queue_position} ahead"),
        ("created", moment(value.created_at)),
        ("ended", moment(value.completed_at)),
        ("duration", None if value.duration is None else f"{value.duration} s"),
        ("resolution", value.resolution),
        ("ratio", value.ratio),
        ("seed", value.seed),
        ("cost", None if value.cost_usd is None else f"{value.cost_usd} USD"),
        ("charged", value.charged),
        ("video", value.video_url),
        ("last frame", value.last_frame_url),
    ]
    if value.error:
        rows.append(("error", f"{value.error.code}: {value.error.message}"))
    for name, content in rows:
        if content is not None:
            typer.echo(f"{name + ':':<12}{one_line(str(content))}")


def tasks(values: Sequence[VideoTaskResponse]) -> None:
    """Tasks, one a line."""
    for value in values:
        done = f"{value.progress:.0%}" if value.progress is not None else ""
        task_id, status, model = (one_line(each) for each in (value.id, value.status, value.model or ""))
        typer.echo(
            f"{task_id}  {status:<9}  {done:>4}  {moment(value.created_at) or '':<16}  {model}".rstrip()
        )


def models(values: Sequence[Model]) -> None:
    """Models, one a line: the id and what it is."""
    width = max((len(value.id) for value in values), default=0)
    for value in values:
        typer.echo(f"{one_line(value.id):<{width}}  {one_line(value.name or '')}".rstrip())


def quote(value: Quote) -> None:
    """What a video would cost: a table of its lines, and the sum."""
    if value.lines:
        rows = [
            (
                line.item,
                line.quantity or "",
                line.unit or "",
                line.unit_price_usd or "?",
                line.cost_usd or "?",
            )
            for line in value.lines
        ]
        _table(("item", "quantity", "unit", "USD each", "USD"), rows, right={"quantity", "USD each", "USD"})
    cost = "unknown" if value.cost_usd is None else f"{one_line(value.cost_usd)} USD"
    typer.echo(f"{one_line(value.model or 'the model')}: {cost}")


def timeline(value: Timeline) -> None:
    """What happened to a task: a table, one attempt a line, times since the first."""
    begun = min((entry.started_at for entry in value if entry.started_at is not None), default=0.0)
    rows = []
    for entry in value:
        started = None if entry.started_at is None else entry.started_at - begun
        told = " ".join(filter(None, (entry.result, entry.message)))
        rows.append(
            (
                _seconds(started),
                entry.kind if entry.polls is None else f"{entry.kind} x{entry.polls}",
                "" if entry.attempt is None else str(entry.attempt),
                "" if entry.ended_at is None and started is not None else _seconds(entry.seconds),
                " ".join(filter(None, (entry.upstream, entry.model))),
                told or ("goes on" if entry.ended_at is None else ""),
            )
        )
    _table(("at", "step", "try", "took", "where", "result"), rows, right={"at", "try", "took"})


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: set[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, justify="right" if name in right else "left")
    for row in rows:
        # Text takes the server's words for words, never for markup.
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console(highlight=False).print(table)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f} s"


def saved(result: DownloadResult) -> None:
    """A file that was written."""
    checked = ", checksum verified" if result.verified else ""
    typer.echo(f"Saved {result.path} ({result.size / 1e6:.1f} MB{checked})")


def moment(seconds: int | None) -> str | None:
    """Unix seconds as local time."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
