"""Servers with settings of their own."""

from collections.abc import Iterator

import pytest

from ..serving import Caller, serving


@pytest.fixture
def server_full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a server that renders one video at a time."""
    with serving(tmp_path_factory.mktemp("one") / "data", "--renders", "1") as started:
        yield started.caller()
