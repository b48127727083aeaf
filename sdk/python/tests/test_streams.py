"""Event streams and pages, as the contract says they are read."""

import pytest
from sdk_support.vectors import cases

from meshapi._exchange import Deliver
from meshapi._paging import walk
from meshapi._sse import EventParser
from meshapi.types import VideoTaskList


def _parsed(pieces):
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return {
        "events": [{"event": event.event, "data": event.data, "id": event.id} for event in events],
        "retry_milliseconds": parser.retry_milliseconds,
    }


@pytest.mark.parametrize(("given", "want"), cases("sse"))
def test_sse_in_one_piece_and_cut_anywhere(given, want):
    stream = given["text"].encode()
    assert _parsed([stream]) == want
    assert _parsed([stream[index : index + 1] for index in range(len(stream))]) == want
    for cut in {*given["cut_at"], *range(len(stream))}:
        assert _parsed([stream[:cut], stream[cut:]]) == want
        assert _parsed([stream[:cut], b"", stream[cut:]]) == want


@pytest.mark.parametrize(("given", "want"), cases("paging"))
def test_paging(given, want):
    pages = [VideoTaskList.model_validate(page) for page in given["pages"]]
    requests = []

    def fetch(query):
        requests.append([list(pair) for pair in query])
        return pages.pop(0)
        yield  # a generator, like the real one

    ids = []
    for command in walk([tuple(pair) for pair in given["query"]], fetch):
        assert isinstance(command, Deliver)
        ids.append(command.value.id)
        if len(ids) == given.get("take"):
            break
    assert (requests, ids) == (want["requests"], want["ids"])
    assert not pages
