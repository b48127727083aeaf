"""Fixtures of the SDKs' acceptance tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from go_programs import GoPrograms
from hosted import HostedService
from official import Official, installed
from pages import PAGES, go_programs_of

import seeds

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def hosted() -> Iterator[HostedService]:
    """A server that answers in the hosted service's forms."""
    with HostedService() as service:
        yield service


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> GoPrograms:
    """Every Go program of these tests, built in one run of the compiler against the SDK of this tree."""
    programs = GoPrograms(tmp_path_factory.mktemp("go"))
    for page in PAGES:
        programs.add_all(go_programs_of(page))
    programs.add_all(seeds.go_programs())
    for source in sorted(PROGRAMS.glob("*/main.go")):
        programs.add(source.parent.name, source.read_text("utf-8"))
    programs.build()
    return programs


@pytest.fixture(scope="session")
def official() -> Official:
    """The published package 0.1.x; fails, and says why, where it cannot be installed."""
    return installed()
