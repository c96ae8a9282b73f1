import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.lexical import read_text

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy

LANGUAGES = [*load_languages().values(), None]


def summary(text: str, name: str, quote: str = "") -> tuple[str, str, str, str]:
    reading = read_text(text, load_languages()[name], quote)
    opened = "".join(bracket.char for bracket in reading.open)
    return opened, "".join(bracket.char for bracket in reading.unmatched), reading.ends, reading.quote


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("python", "f(a[0], {", ("({", "", "code", "")),
        ("python", "a)]", ("", ")]", "code", "")),
        ("javascript", "{ /[(]/ }", ("", "", "code", "")),
        ("python", "f('(', \")\"", ("(", "", "code", "")),
        ("python", "x = 'it", ("", "", "string", "'")),
        ("python", "x = 'it\ny = (", ("(", "", "code", "")),
        ("python", '"""one\ntwo (', ("", "", "string", '"""')),
        ("python", r"'\'(' + (", ("(", "", "code", "")),
        ("python", "# it's (", ("", "", "comment", "")),
        ("python", "# it's\n(", ("(", "", "code", "")),
        ("javascript", "/* ( ", ("", "", "comment", "*/")),
        ("javascript", "/* ( */ {", ("{", "", "code", "")),
        ("javascript", "`a\n(${", ("", "", "string", "`")),
        ("rust", "fn f<'a>(c: char) { c == '\"' && (", ("{(", "", "code", "")),
        ("lua", "--[[ ( ]] (", ("(", "", "code", "")),
        ("lua", "-- (", ("", "", "comment", "")),
        ("bash", 'echo $# "${#x}" {', ("{", "", "code", "")),
        ("bash", "case x in a) b;;", ("", "", "code", "")),
        ("html", "<p>it's :(</p>", ("", "", "code", "")),
        ("markdown", "it's (", ("", "", "code", "")),
    ],
)
def test_reading(name: str, text: str, expected: tuple[str, str, str, str]) -> None:
    assert summary(text, name) == expected


def test_reading_begins_inside_a_string() -> None:
    assert summary("abc (", "python", "'") == ("", "", "string", "'")
    assert summary("abc' + (", "python", "'") == ("(", "", "code", "")
    assert summary("abc */ {", "c", "*/") == ("{", "", "code", "")


def test_offsets_of_brackets_and_plain_text() -> None:
    reading = read_text("f('x', [", load_languages()["python"])
    assert [(bracket.char, bracket.offset) for bracket in reading.open] == [("(", 1), ("[", 7)]
    assert reading.plain == ((2, 5),)
    assert reading.is_plain(2)
    assert not reading.is_plain(5)


@unhurried
@given(st.text(alphabet="ab'\"`#/*-[](){}\\\n 🦉"), st.sampled_from(LANGUAGES))
def test_any_text_is_read(text: str, language: object) -> None:
    reading = read_text(text, language)  # type: ignore[arg-type]
    assert all(text[bracket.offset] == bracket.char for bracket in (*reading.open, *reading.unmatched))
    assert all(0 <= start <= end <= len(text) for start, end in reading.plain)
    assert bool(reading.quote) <= (reading.ends != "code")
