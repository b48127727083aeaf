# Generated from _async/driver.py by generate_sync.py; edit that file, not this one.
"""Performs what the decisions ask for, over a transport."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from meshapi._exchange import Answer, Close, Deliver, Exchange, Open, Outcome, Read, Send, Sleep
from meshapi._log import logger

from .transport import OpenResponse, Wiring


class Driver:
    """Drives generators."""

    def __init__(self, wiring: Wiring) -> None:
        self._transport = wiring.transport
        self._pause = wiring.pause

    def run(self, steps: Exchange) -> Answer:
        """Perform an exchange; return its answer or raise its error."""
        outcome: Outcome = None
        while True:
            try:
                command = steps.send(outcome)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if isinstance(command, Send):
                outcome = self._transport.send(command.request)
            else:
                self._sleep(command)
                outcome = None

    def stream(self, steps: Generator[Any, Outcome, None]) -> Generator[Any, None]:
        """Perform a streaming decision; yield what it delivers."""
        response: OpenResponse | None = None
        outcome: Outcome = None
        try:
            while True:
                try:
                    command = steps.send(outcome)
                except StopIteration:
                    return
                outcome = None
                if isinstance(command, Deliver):
                    yield command.value
                elif isinstance(command, Read) and response is not None:
                    outcome = response.read()
                elif isinstance(command, Send):
                    outcome = self._transport.send(command.request)
                elif isinstance(command, Sleep):
                    self._sleep(command)
                elif isinstance(command, Open):
                    response, outcome = self._transport.open(command.request)
                elif isinstance(command, Close) and response is not None:
                    response.close()
                    response = None
        finally:
            steps.close()
            if response is not None:
                response.close()

    def _sleep(self, command: Sleep) -> None:
        logger.debug("waiting %.2f s", command.seconds)
        self._pause(command.seconds)
