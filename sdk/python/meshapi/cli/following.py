"""Following a task on standard error: a bar on a terminal, a line per change elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from .failure import one_line

if TYPE_CHECKING:
    from meshapi import MeshAPI, VideoTaskResponse

Show = Callable[["VideoTaskResponse"], None]


def follow(client: MeshAPI, task_id: str, max_wait: float) -> VideoTaskResponse:
    """The task when it has ended, shown on the way. ``max_wait`` is seconds; raises WaitTimeoutError."""
    from meshapi import VideoTaskResponse

    last = VideoTaskResponse(id=task_id)
    with _bar() if sys.stderr.isatty() else _lines() as show:
        for last in client.videos.watch(task_id, max_wait=max_wait):
            show(last)
    return last


def describe(task: VideoTaskResponse) -> str:
    """The status, with how many tasks are ahead in the queue."""
    ahead = task.queue_position
    if ahead is None:
        return task.status
    return f"{task.status}, {ahead} ahead in the queue" if ahead else f"{task.status}, next in the queue"


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
    )
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("pending", total=1.0)

        def show(task: VideoTaskResponse) -> None:
            done = 1.0 if task.status == "succeeded" else task.progress or 0.0
            progress.update(bar, completed=done, description=one_line(describe(task)))

        yield show


@contextmanager
def _lines() -> Iterator[Show]:
    told: str | None = None

    def show(task: VideoTaskResponse) -> None:
        nonlocal told
        line = one_line(describe(task))
        if line != told:
            typer.echo(f"{one_line(task.id)}: {line}", err=True)
        told = line

    yield show
