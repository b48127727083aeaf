"""Why a request does not fit a model's card: every reason at once, in the words the caller will read."""

from meshapi_server.tasks.errors import Detail

__all__ = ["Detail", "OutsideCard"]


class OutsideCard(Exception):
    """The request asks for something the model cannot do. ``details`` holds every reason, at least one."""

    def __init__(self, details: tuple[Detail, ...]) -> None:
        super().__init__("; ".join(detail.msg for detail in details))
        self.details = details
