"""Whatever stands in a Range header, it is a range within the file, the whole file, or a refusal."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshapi_server.api import ranges

EXAMPLES = 500
NUMBERS = st.one_of(st.just(""), st.integers(0, 10**20).map(str), st.from_regex(r"\A[-+ 0-9_٣]{0,24}\Z"))
NEAR = st.builds(
    "{}{}{}-{}{}".format,
    st.sampled_from(["bytes", "Bytes", "items", ""]),
    st.sampled_from(["=", " = ", ""]),
    NUMBERS,
    NUMBERS,
    st.sampled_from(["", ",5-9", " ", "\n", "\x00"]),
)
HEADERS = st.one_of(st.none(), st.text(max_size=80), NEAR)


@settings(max_examples=EXAMPLES)
@given(HEADERS, st.integers(0, 1 << 40))
@example("bytes=-0", 10)
@example("bytes=-1", 0)
@example("bytes=0-", 0)
def test_any_header_is_a_range_within_the_file_or_none_or_outside(header: str | None, size: int) -> None:
    try:
        found = ranges.single(header, size)
    except ranges.Unsatisfiable:
        assert header
        return
    if found is not None:
        first, last = found
        assert 0 <= first <= last < size


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(1, 1 << 40))
def test_a_range_that_is_one_is_understood_by_the_words_of_the_rfc(first: int, last: int, size: int) -> None:
    try:
        found = ranges.single(f"bytes={first}-{last}", size)
    except ranges.Unsatisfiable:
        assert first <= last
        assert first >= size
        return
    assert found == ((first, min(last, size - 1)) if first <= last else None)


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 1 << 40), st.integers(1, 1 << 40))
def test_a_suffix_is_the_end_of_the_file_and_never_more_than_all_of_it(length: int, size: int) -> None:
    try:
        found = ranges.single(f"bytes=-{length}", size)
    except ranges.Unsatisfiable:
        assert length == 0
        return
    assert found == (max(0, size - length), size - 1)
