"""An S3-compatible server as a child process: it checks signatures, takes parts, sends ranges, signs links.

It is nanio, a small server that keeps buckets as folders; no MinIO, and not Amazon's. The suite runs against
any other by ``MESHAPI_TEST_S3_URL`` (``s3://bucket/prefix``, with the ``AWS_*`` variables that it needs).
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "access-key", "secret-key-of-the-tests"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class S3:
    """A place for objects: the URL for the setting, and the variables that go with it."""

    url: str
    variables: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """A running server with an empty bucket, or the one that the environment names."""
    named = os.environ.get("MESHAPI_TEST_S3_URL")
    if named:
        yield S3(named, {name: value for name, value in os.environ.items() if name.startswith("AWS_")})
        return
    (folder / "videos").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder), "--no-access-log"]
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("nanio")), "serve", *options],
        env={**os.environ, "NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield S3("s3://videos/results", _variables(port), process)
    finally:
        process.terminate()
        process.wait(30)


def _variables(port: int) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
    }


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, "the S3 server ended"
        assert time.monotonic() < deadline, "the S3 server does not answer"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.05)
        else:
            return
