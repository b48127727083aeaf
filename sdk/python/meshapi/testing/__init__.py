"""Test an application that makes videos: without network, without money, without waiting.

A ``MockServer`` is a service in memory with a clock of its own; an application is given ``server.client()``
or ``server.async_client()``, which are the real clients over it::

    from meshapi.testing import MockServer, drops, moderated, rate_limited, succeeds

    server = MockServer()
    server.script(succeeds(after=30, video=b"..."), moderated())  # what the next tasks do
    server.fault(rate_limited(retry_after=5), drops(accepted=True), on="generate")  # what requests meet
    done = server.client().videos.generate_and_wait(model="mesh/diorama-1", content=[])
    assert (server.paid, server.clock.elapsed) == (1, 35.0)

A ``Cassette`` records the traffic with a real server once and replays it offline ever after. A ``callback``
is what a server would send to a ``callback_url``, signed.

Nothing here is loaded by ``import meshapi``.
"""

from .callback import callback
from .cassette import Cassette, CassetteError
from .clock import FakeClock
from .faults import Fault, answers, drops, rate_limited, refuses, times_out, unavailable
from .scripts import Moment, TaskScript, expires, fails, goes_through, moderated, stuck, succeeds
from .server import MockRequest, MockServer
from .tasks import MockTask

__all__ = [
    "Cassette",
    "CassetteError",
    "FakeClock",
    "Fault",
    "MockRequest",
    "MockServer",
    "MockTask",
    "Moment",
    "TaskScript",
    "answers",
    "callback",
    "drops",
    "expires",
    "fails",
    "goes_through",
    "moderated",
    "rate_limited",
    "refuses",
    "stuck",
    "succeeds",
    "times_out",
    "unavailable",
]
