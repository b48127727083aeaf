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

    from meshapi import DownloadResult, Model, VideoTaskResponse


def document(value: BaseModel | Sequence[BaseModel], **more: Any) -> None:
    """Print one JSON document; ``more`` is laid over an object."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        plain: Any = {**value.model_dump(mode="json"), **more}
    else:
        plain = [each.model_dump(mode="json") for each in value]
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))


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


def saved(result: DownloadResult) -> None:
    """A file that was written."""
    checked = ", checksum verified" if result.verified else ""
    typer.echo(f"Saved {result.path} ({result.size / 1e6:.1f} MB{checked})")


def moment(seconds: int | None) -> str | None:
    """Unix seconds as local time."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
