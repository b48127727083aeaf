"""50 downloads of one 200 MB video at once, from a folder and from an S3-compatible server: time and memory.

``python bench/files.py [--size MB] [--at-once N]``. The limit is a plain file server of the standard library
(``http.server``) in front of the same file, read by the same callers.
"""

import argparse
import hashlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from server.tests.files.large_upstream import MODEL, large_upstream
from server.tests.files.s3_server import s3_server
from server.tests.files.test_downloads import break_off, memory
from server.tests.serving import serving

MEGABYTE = 1_000_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """The limit: files and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/large.mp4"
    server.shutdown()
    thread.join()
    server.server_close()


def download(url: str) -> tuple[int, bytes]:
    """How many bytes came, and their digest."""
    digest, size = hashlib.sha256(), 0
    with httpx2.stream("GET", url, trust_env=False, timeout=600) as answer:
        for block in answer.iter_raw():
            digest.update(block)
            size += len(block)
    return size, digest.digest()


def all_at_once(url: str, at_once: int) -> tuple[float, set[bytes]]:
    """Seconds that so many downloads at once take, and the digests that came."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as callers:
        found = list(callers.map(download, [url] * at_once))
    return time.perf_counter() - begun, {digest for _, digest in found}


def resumed(url: str, size: int) -> bytes:
    """The digest of a download that breaks off five times."""
    came = b""
    while len(came) < size:
        came += break_off(url, size // 5, {"range": f"bytes={len(came)}-"})
    return hashlib.sha256(came).digest()


def measure(name: str, variables: dict[str, str], folder: Path, size: int, at_once: int) -> None:
    """One storage: a line of figures."""
    home = folder / name
    home.mkdir()
    with large_upstream(home, size) as engine:
        settings = {"MESHAPI_PRIVATE_SOURCES": "true", "MESHAPI_LOG_LEVEL": "error"}
        with serving(home / "data", **settings, **variables, **engine.variables) as server:
            caller = server.caller()
            task = caller.ended(caller.create(MODEL), seconds=60)
            link, digest = task["content"]["video_url"], bytes.fromhex(task["video"]["sha256"])
            download(link)
            Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak is counted from here
            before = memory(server.pid, "VmRSS")
            seconds, digests = all_at_once(link, at_once)
            peak = memory(server.pid, "VmHWM")
            whole = digests == {digest} and resumed(link, size) == digest
        rate = at_once * size / MEGABYTE / seconds
        print(
            f"{name:6} {at_once} x {size / MEGABYTE:.0f} MB: {seconds:6.1f} s, {rate:6.0f} MB/s,"
            f" memory {before / MEGABYTE:.0f} -> {peak / MEGABYTE:.0f} MB at its peak,"
            f" every digest and that of a resumed download {'right' if whole else 'WRONG'}",
            flush=True,
        )
        if name == "local":
            with plain_server(home) as url:
                seconds, _ = all_at_once(url, at_once)
            rate = at_once * size / MEGABYTE / seconds
            print(
                f"limit  {at_once} x {size / MEGABYTE:.0f} MB: {seconds:6.1f} s, {rate:6.0f} MB/s", flush=True
            )


def main() -> None:
    """Measure both storages."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=200, help="megabytes")
    options.add_argument("--at-once", type=int, default=50)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="meshapi-bench-") as scratch:
        folder = Path(scratch)
        size = chosen.size * MEGABYTE
        measure("local", {}, folder, size, chosen.at_once)
        (folder / "bucket").mkdir()
        with s3_server(folder / "bucket") as s3:
            variables = {**s3.variables, "MESHAPI_STORAGE_URL": s3.url}
            measure("s3", variables, folder, size, chosen.at_once)


if __name__ == "__main__":
    main()
