"""Identifiers: their form, their order, their secrecy."""

import re
import threading
import time

import pytest

from meshapi_server.tasks import ids

CROCKFORD = "[0-9A-HJKMNP-TV-Z]"


@pytest.mark.parametrize(
    ("made", "prefix"), [(ids.task_id(), "task_"), (ids.request_id(), "req_"), (ids.api_key(), "rsk_")]
)
def test_an_id_is_its_prefix_and_26_crockford_characters(made: str, prefix: str) -> None:
    assert re.fullmatch(prefix + CROCKFORD + "{26}", made)


def test_ids_of_one_process_strictly_ascend() -> None:
    made = [ids.task_id() for _ in range(5_000)]
    assert made == sorted(set(made))


def test_ids_made_by_several_threads_at_once_never_repeat_and_ascend_in_each() -> None:
    made: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(ids.ulid() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == sorted(each) for each in made)
    assert len({one for each in made for one in each}) == 8_000


def test_ids_ascend_even_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids.ulid()
    real = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: real - 3_600_000_000_000)
    assert ids.ulid() > before


def test_an_id_begins_with_the_time_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    value = ids.ulid()[:10]
    milliseconds = 0
    for character in value:
        milliseconds = milliseconds * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    assert before - 60_000 < milliseconds < before + 60_000


def test_two_keys_have_nothing_in_common() -> None:
    keys = {ids.api_key() for _ in range(1_000)}
    assert len({key[4:14] for key in keys}) == 1_000
