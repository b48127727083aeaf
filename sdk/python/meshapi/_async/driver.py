"""Performs what the decisions ask for, over a transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from meshapi._exchange import Answer, Close, Deliver, Exchange, Open, Outcome, Read, Send, Sleep
from meshapi._log import logger

from .transport import AsyncOpenResponse, AsyncWiring


class AsyncDriver:
    """Drives generators."""

    def __init__(self, wiring: AsyncWiring) -> None:
        self._transport = wiring.transport
        self._pause = wiring.pause

    async def run(self, steps: Exchange) -> Answer:
        """Perform an exchange; return its answer or raise its error."""
        outcome: Outcome = None
        while True:
            try:
                command = steps.send(outcome)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            if isinstance(command, Send):
                outcome = await self._transport.send(command.request)
            else:
                await self._sleep(command)
                outcome = None

    async def stream(self, steps: Generator[Any, Outcome, None]) -> AsyncGenerator[Any, None]:
        """Perform a streaming decision; yield what it delivers."""
        response: AsyncOpenResponse | None = None
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
                    outcome = await response.read()
                elif isinstance(command, Send):
                    outcome = await self._transport.send(command.request)
                elif isinstance(command, Sleep):
                    await self._sleep(command)
                elif isinstance(command, Open):
                    response, outcome = await self._transport.open(command.request)
                elif isinstance(command, Close) and response is not None:
                    await response.close()
                    response = None
        finally:
            steps.close()
            if response is not None:
                await response.close()

    async def _sleep(self, command: Sleep) -> None:
        logger.debug("waiting %.2f s", command.seconds)
        await self._pause(command.seconds)
