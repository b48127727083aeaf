"""One upstream's protocol over the same shop: how orders are read and how everything is put into words."""

import abc
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from .sale import Sale, Stage

if TYPE_CHECKING:
    from .shop import Shop

Refusal = Literal[
    "rate_limited",
    "overloaded",
    "invalid",
    "moderated_input",
    "unauthorised",
    "no_funds",
    "model_gone",
    "error",
    "missing",
]


class Dialect(abc.ABC):
    """Subclasses give routes, whose handlers call ``shop.sell`` and ``shop.look``, and the words.

    ``base_path`` is what stands before every route; the upstream's base URL is the fake's URL and that.
    ``late`` are the plots ``invalid`` and ``moderated_input`` where the protocol accepts first and says no
    only when it is looked at: such a sale fails, and its ``plot`` tells why.
    """

    name: str
    base_path: str
    late: frozenset[str] = frozenset()

    @abc.abstractmethod
    def routes(self, shop: "Shop") -> Iterable[web.RouteDef]:
        """The protocol's routes, below ``base_path``."""

    @abc.abstractmethod
    def created(self, sale: Sale, shop: "Shop") -> web.Response:
        """The answer to a submission that was accepted."""

    @abc.abstractmethod
    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        """A no. ``words`` is to stand in the message."""

    def announcement(self, sale: Sale, stage: Stage, shop: "Shop") -> tuple[bytes, Mapping[str, str]] | None:
        """Body and headers of the callback for a stage; None when that stage is not announced."""
        return None

    def authorised(self, request: web.Request, key: str) -> bool:
        """Whether the request carries the key."""
        return request.headers.get("authorization") == f"Bearer {key}"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=json.dumps(value).encode(), status=status, content_type="application/json", headers=headers
    )
