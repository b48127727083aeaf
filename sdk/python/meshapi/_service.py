"""What a client has learnt about the server; shared by its ``with_options`` copies."""

from dataclasses import dataclass

from ._exchange import Answer

IDEMPOTENCY_HEADER = "x-mesh-idempotency"
REPLAYED_HEADER = "idempotent-replayed"


@dataclass(slots=True)
class Service:
    """Facts that only answers can show.

    ``honours_keys`` starts false and can only become true: a create is repeated on evidence, never on hope
    (docs/decisions/0003-retrying-a-create.md). The others start true and become false when the server shows
    that it lacks the feature, so that it is not asked for again at every call.
    """

    honours_keys: bool = False
    has_events: bool = True
    has_long_poll: bool = True
    has_content: bool = True

    def observe(self, answer: Answer) -> None:
        """Learn from any answer whether idempotency keys are honoured."""
        if self.honours_keys:
            return
        headers = answer.headers
        told = headers.get(IDEMPOTENCY_HEADER, "")
        if told.strip().lower() == "supported" or REPLAYED_HEADER in headers:
            self.honours_keys = True
