"""A fake paid upstream: a real HTTP server that takes orders, remembers every one on disk, and misbehaves.

    async with FakeUpstream(log, dialects=every_dialect()) as fake:
        fake.script.next("bad_gateway_after")
        ...
    assert submits_per_token(log) == {...}

Or as a process of its own: ``python -m tests.upstreams.fake --log accepted.jsonl --ready ready.json``.
"""

from .dialect import Dialect, Refusal
from .log import Entry, read_log, submits_per_task, submits_per_token
from .process import FakeProcess
from .sale import Order, Sale, Stage
from .script import Control, Script
from .server import FakeUpstream

__all__ = [
    "Control",
    "Dialect",
    "Entry",
    "FakeProcess",
    "FakeUpstream",
    "Order",
    "Refusal",
    "Sale",
    "Script",
    "Stage",
    "read_log",
    "submits_per_task",
    "submits_per_token",
]
