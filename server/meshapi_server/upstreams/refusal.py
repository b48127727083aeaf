"""Why a request does not fit a model's card: every reason at once, in the words the caller will read."""

from msgspec import Struct

Location = tuple[str | int, ...]


class Detail(Struct, frozen=True):
    """One reason: a machine-readable type, the place in the request, a message that says what would do."""

    type: str
    loc: Location
    msg: str


class OutsideCard(Exception):  # noqa: N818 - an answer to the caller, not a fault
    """The request asks for something the model cannot do. ``details`` holds every reason, at least one."""

    def __init__(self, details: tuple[Detail, ...]) -> None:
        super().__init__("; ".join(detail.msg for detail in details))
        self.details = details
