from hypothesis import given
from hypothesis import strategies as st

from heron.editor.context.index.facts import find_lines, pack_names

NAMES = st.from_regex(r"[^\W\d]\w{1,8}", fullmatch=True)
LINES = st.lists(st.integers(0, 50_000), min_size=1, max_size=6)


@given(st.dictionaries(NAMES, LINES, max_size=8), NAMES)
def test_names_are_found_again_and_no_others(names: dict[str, list[int]], other: str) -> None:
    packed = pack_names(names)
    assert {name: find_lines(packed, name) for name in names} == names
    assert find_lines(packed, other) == names.get(other, [])
    assert find_lines(b"", other) == []
