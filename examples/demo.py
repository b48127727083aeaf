"""Serve, generate a video through the SDK, watch it, save it: what `make demo` runs.

The server is started on a free port with its data in `.demo/`, and stopped at the end. Nothing here is
special to the demo: it is the `meshapi` command and the published surface of the SDK.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from meshapi import MeshAPI, MeshAPIError, VideoContentItem, VideoGenerationParams, VideoTaskResponse

console = Console()
START_SECONDS = 30.0
MESHAPI = str(Path(sys.executable).with_name("meshapi"))


@contextmanager
def server(data: Path) -> Iterator[tuple[str, str]]:
    """A server on a free port; yields its base URL and the development key."""
    data.mkdir(parents=True, exist_ok=True)
    found = data / "development.json"
    before = found.stat().st_mtime_ns if found.exists() else None
    log = data / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [MESHAPI, "serve", "--port", "0", "--data", str(data)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not found.exists() or found.stat().st_mtime_ns == before:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"The server did not start:\n{log.read_text()}")
                time.sleep(0.05)
            known = json.loads(found.read_text())
            yield known["base_url"], known["api_key"]
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def generate(client: MeshAPI, prompt: str) -> VideoTaskResponse:
    """Make the task and show its progress until it has ended."""
    created = client.videos.generate(
        VideoGenerationParams(
            model="mesh/diorama-1",
            content=[VideoContentItem(type="text", text=prompt)],
            duration=5,
            resolution="720p",
            ratio="16:9",
        )
    )
    console.print(f"Task ID: {created.id}")
    if not console.is_terminal:
        return follow_in_lines(client, created)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    task: VideoTaskResponse = created
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("pending", total=1.0)
        for task in client.videos.watch(created.id, max_wait=600):
            progress.update(bar, completed=task.progress or 0.0, description=str(task.status))
    return task


def follow_in_lines(client: MeshAPI, created: VideoTaskResponse) -> VideoTaskResponse:
    """The same without a terminal: a line at every change of status and at every tenth of the way."""
    task, shown = created, ""
    for task in client.videos.watch(created.id, max_wait=600):
        line = f"{task.status} {int((task.progress or 0) * 10) * 10} %"
        if line != shown:
            console.print(line)
            shown = line
    return task


def main() -> None:
    """Run the demo; the exit status is 0 only when the video was saved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompt", default="A serene mountain lake at sunrise")
    parser.add_argument("--out", type=Path, default=Path("demo.mp4"))
    parser.add_argument("--data", type=Path, default=Path(".demo"))
    wanted = parser.parse_args()
    began = time.monotonic()
    console.print(f"[bold]{wanted.prompt}[/bold]", highlight=False)
    with server(wanted.data) as (base_url, key), MeshAPI(base_url=base_url, token=key) as client:
        console.print(f"Server: {base_url}")
        try:
            task = generate(client, wanted.prompt)
            if task.status != "succeeded":
                sys.exit(f"The task {task.status}: {task.error.message if task.error else 'no reason given'}")
            client.videos.download(task, wanted.out)
        except MeshAPIError as error:
            sys.exit(f"{type(error).__name__}: {error}")
    size = wanted.out.stat().st_size / 1e6
    console.print(f"Saved {wanted.out} ({size:.1f} MB) in {time.monotonic() - began:.1f} s. Open it!")


if __name__ == "__main__":
    main()
