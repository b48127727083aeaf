"""The render process: one job from standard input, events to standard output, and a quick end.

The process never outlives its purpose. It ends at once, leaving no temporary file, when its input
closes (the parent closed it or died), when it is told to (SIGTERM, SIGINT), when its parent dies (on
Linux the kernel tells), or when it takes more memory than its job may.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from meshapi_renderer.job import (
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_INTERNAL,
    EXIT_INVALID,
    MAX_JOB_BYTES,
    Done,
    Event,
    Failed,
    InvalidInput,
    Job,
    Progress,
    encode_event,
)
from meshapi_renderer.outputs import Outputs

_INPUT: Final = 0
_NICENESS: Final = 5
_HEARTBEAT_SECONDS: Final = 0.15
_MEMORY_CHECK_SECONDS: Final = 0.05
_ADDRESS_SPACE_ROOM: Final = 4 * 10**9
"""Libraries reserve far more addresses than memory; the hard limit only has to stop the absurd."""
_PR_SET_PDEATHSIG: Final = 1


class EventChannel:
    """Writes events as lines. After the last event of a job (done or error) it is silent."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._ended = False

    def send(self, event: Event) -> None:
        """Write one event whole. A reader that has gone away is no error: the input tells of it."""
        line = (encode_event(event) + "\n").encode()
        with self._lock:
            if self._ended:
                return
            self._ended = isinstance(event, Done | Failed)
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except BrokenPipeError:
                self._ended = True


class Pulse:
    """Sends the latest progress at a steady pace, also while nothing finishes."""

    def __init__(self, channel: EventChannel, total: int) -> None:
        self._channel = channel
        self._latest = Progress(0, total)

    def report(self, event: Event) -> None:
        """Note progress for the next beat; pass any other event on at once."""
        if isinstance(event, Progress):
            self._latest = event
        else:
            self._channel.send(event)

    def beat_forever(self) -> NoReturn:
        """Send the latest progress at least four times a second."""
        while True:
            self._channel.send(self._latest)
            time.sleep(_HEARTBEAT_SECONDS)


def main() -> int:
    """Run the job that stands on standard input; return the exit code of the process."""
    channel = EventChannel(_claim_output())
    outputs = Outputs()
    _block_stop_signals()
    _in_background(_stop_on_signal, outputs, os.getppid())
    try:
        job = Job.from_json(_read_job())
        _in_background(_stop_at_end_of_input, outputs)
        _limit_address_space(job)
        _in_background(_stop_on_memory, job.memory_bound_mb, channel, outputs)
        _run(job, outputs, channel)
    except InvalidInput as error:
        outputs.discard()
        channel.send(Failed("invalid_input", str(error)))
        return EXIT_INVALID
    except MemoryError:
        outputs.discard()
        channel.send(Failed("internal_error", "the render ran out of memory and was stopped"))
        return EXIT_INTERNAL
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the parent must be told
        outputs.discard()
        channel.send(Failed("internal_error", _described(error)))
        return EXIT_INTERNAL
    return EXIT_DONE


def _run(job: Job, outputs: Outputs, channel: EventChannel) -> None:
    pulse = Pulse(channel, job.frames)
    _in_background(pulse.beat_forever)
    # NumPy, OpenCV and FFmpeg load here, after the guards are up.
    from meshapi_renderer.render import render

    done = render(job, outputs, pulse.report)
    channel.send(Progress(job.frames, job.frames))
    channel.send(done)


def _claim_output() -> int:
    """Keep standard output for events: anything a library prints goes to standard error instead."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # the API that started us comes first
    return descriptor


def _read_job() -> bytes:
    """Return the first line of standard input, read unbuffered so that its end can be watched."""
    line = b""
    while b"\n" not in line:
        block = os.read(_INPUT, 65536)
        if not block:
            break
        line += block
        if len(line) > MAX_JOB_BYTES:
            raise InvalidInput("job", f"is longer than {MAX_JOB_BYTES} bytes")
    line = line.partition(b"\n")[0]
    if not line.strip():
        raise InvalidInput("job", "is missing: one line of JSON is expected on standard input")
    return line


def _in_background(task: Callable[..., object], *arguments: object) -> None:
    threading.Thread(target=task, args=arguments, daemon=True).start()


def _stop(outputs: Outputs) -> NoReturn:
    """End the process now; threads in the middle of a frame are not waited for."""
    outputs.discard()
    os._exit(EXIT_CANCELLED)


def _block_stop_signals() -> None:
    """Leave stop signals to the thread that waits for them: it acts even while a frame is drawn."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)


def _stop_on_signal(outputs: Outputs, parent: int) -> None:
    if not hasattr(signal, "sigwait"):
        return  # elsewhere the default action of a stop signal applies
    while True:
        received = signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
        # Linux sends the death signal when the parent's *thread* ends, which need not be the parent's end.
        if received != signal.SIGUSR1 or os.getppid() != parent:
            _stop(outputs)


def _stop_at_end_of_input(outputs: Outputs) -> NoReturn:
    while os.read(_INPUT, 65536):
        pass
    _stop(outputs)


def _limit_address_space(job: Job) -> None:
    if sys.platform != "linux":
        return
    import resource

    wanted = job.memory_bound_mb * 10**6 + _ADDRESS_SPACE_ROOM
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _stop_on_memory(bound_mb: int, channel: EventChannel, outputs: Outputs) -> None:
    """End the process with an error when its resident memory passes the bound of its job."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        resident_mb = int(statistics.read_text().split()[1]) * page / 10**6
        if resident_mb > bound_mb:
            outputs.discard()
            message = f"the render took {resident_mb:.0f} MB of memory, more than its bound of {bound_mb} MB"
            channel.send(Failed("internal_error", message))
            os._exit(EXIT_INTERNAL)
        time.sleep(_MEMORY_CHECK_SECONDS)


def _described(error: Exception) -> str:
    """Return what happened and where in one line; a stack trace stays in the process."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent.name in ("meshapi_renderer", "scenes", "elements"):
            place = f" in {file.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return f"the renderer failed{place}: {type(error).__name__}: {error}"
