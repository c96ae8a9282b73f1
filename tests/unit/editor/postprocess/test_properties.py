"""What holds for any document, any cursor and anything a model may write."""

import re
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.postprocess.pipeline import finish, is_complete
from heron.editor.syntax.gap import unify_line_ends
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.lexical import read_text
from heron.editor.syntax.tree import parse

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy

LANGUAGES = [language.ids[0] for language in load_languages().values()] + ["plain"]
PIECES = [
    *"()[]{}:;,.\"'`#/*=<> \t\n\\|-",
    *("    ", "  ", "\n    ", "\n  ", "\n\n", "\r\n", "\n}", "\n)", "\nend", "do", "then", "else", "end"),
    *('"""', "//", "/*", "*/", "--[[", "]]", "<!--", "🦉", "e\u0301", "\u2028", "\ud800", "\0"),
    *("def f():", "if x:", "return x", "function g() {", "foo(", "bar", "x = 1", "y", "world", "123", "f(x)"),
    *("a = b\n", "\n    c(d)\n", "\nfoo(\n    x,\n)", "print(x)\n    ", "let z = {\n  q: 1\n}\n", "if (a) {\n  b()\n}"),
]
TOKENS = [
    "<|fim_pad|>",
    "<|endoftext|>",
    "<fim_middle>",
    "<\uff5cend\u2581\uff5c>",
    "<PRE>",
    "<file_sep>",
    "```",
    "```py\n",
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
answers = st.lists(st.sampled_from([*PIECES, *TOKENS]), max_size=40).map("".join)
MARKER = re.compile(r"<\|\w+\|>|<fim_\w+>|<PRE>|<file_sep>|<｜[^｜]*｜>")


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    text = draw(texts)
    document = Document("untitled:1", 1, draw(st.sampled_from(LANGUAGES)), text)
    position = document.position(draw(st.integers(0, len(text))))
    return build_context(document, position, parse(document), Budget(200, 40, lambda text: len(text) // 3))


@unhurried
@given(contexts(), answers)
def test_offer_is_something_without_tokens(context: Context, answer: str) -> None:
    offer = finish(answer, context)
    is_complete(answer, context)
    if offer is not None:
        assert context.shape != "none"
        assert offer.strip()
        assert not MARKER.search(offer)
        assert offer == offer.rstrip()


@unhurried
@given(contexts(), answers)
def test_nothing_is_closed_that_was_not_opened(context: Context, answer: str) -> None:
    offer = finish(answer, context) or ""
    assume(context.gap.inside == "code" or context.gap.quote)
    unmatched = read_text(offer, context.gap.language, context.gap.quote).unmatched
    assert context.gap.closable.startswith("".join(closer.char for closer in unmatched))


@unhurried
@given(contexts(), answers)
def test_finishing_twice_changes_nothing(context: Context, answer: str) -> None:
    assume(not context.gap.line_suffix.strip())  # of several equal closers only the last is the document's
    offer = finish(answer, context)
    assert offer is None or finish(offer, context) == offer


@unhurried
@given(contexts(), answers)
def test_one_line_stays_one_line(context: Context, answer: str) -> None:
    """But for a line that opens a bracket: it goes on until that is closed."""
    offer = finish(answer, context)
    first = offer.lstrip().split("\n")[0] if offer else ""
    if offer is not None and context.shape == "line" and not read_text(first, context.gap.language).open:
        assert len(offer.lstrip().splitlines()) == 1 or "\u2028" in offer
        assert offer.count("\n") <= (not context.gap.line_suffix.strip())


@unhurried
@given(contexts(), answers)
def test_line_ends_are_the_documents(context: Context, answer: str) -> None:
    offer = finish(answer, context) or ""
    assert offer.count("\n") == offer.count(context.gap.newline)


words = st.from_regex(r"[a-z]{1,6}(\.[a-z]{1,6}|\([a-z]{0,3}\)|\[[0-9]\])?", fullmatch=True)
rests = st.sampled_from([")", "))", "]", ", bar)", ") + baz()", " + tax", ").strip()", "])", ");", " {", "):", "};"])


@unhurried
@given(
    words, rests, st.sampled_from(["", "\n", "\n    more()\n", "  "]), st.sampled_from(["javascript", "python", "go"])
)
def test_rest_of_the_line_is_not_written_again(middle: str, rest: str, more: str, language: str) -> None:
    before = "call(first([{" if "}" in rest else "call(first(["
    document = Document("untitled:1", 1, language, before + rest)
    position = document.position(len(before))
    context = build_context(document, position, parse(document), Budget(200, 40, len))
    assume(context.shape == "line")
    assert finish(middle + rest + more, context) == middle


@unhurried
@given(contexts(), answers, st.integers(1, 7))
def test_what_ends_a_stream_ends_the_offer(context: Context, answer: str, step: int) -> None:
    streamed = ""
    while len(streamed) < len(answer) and not is_complete(streamed, context):
        streamed = answer[: len(streamed) + step]
    assert finish(streamed, context) == finish(answer, context)


@unhurried
@given(contexts(), answers)
def test_no_more_brackets_are_alone_than_before(context: Context, answer: str) -> None:
    offer, gap = finish(answer, context) or "", context.gap
    assume(gap.inside == "code" or gap.quote)

    def alone(text: str) -> int:
        reading = read_text(gap.preceding + unify_line_ends(text) + gap.following, gap.language)
        return len(reading.open) + len(reading.unmatched) + bool(reading.quote)

    assert alone(offer) <= alone("")


@unhurried
@given(contexts(), answers)
def test_a_block_breaks_nothing_that_parsed(context: Context, answer: str) -> None:
    offer, gap = finish(answer, context), context.gap
    if offer is None or gap.tree is None or gap.tree.has_error or gap.shape != "block":
        return
    text = gap.document.text[: gap.offset] + unify_line_ends(offer) + gap.document.text[gap.offset :]
    filled = parse(replace(gap.document, text=text))
    assert filled is not None
    assert not filled.has_error


comments = st.sampled_from(["/** one\n * two", "/* one *", "/* one *\n *", "a = 1 /* one "])
belows = st.sampled_from(
    ["\n : False\n", " three */\nb = 2\n", "\nb = 2\n/* four */\n", "\n : False\n/* four */\nc = 3\n"]
)
closings = st.lists(st.sampled_from(["*/", "/", "*", " ", "\n", "x", "y = 1", "/*"]), max_size=6).map("".join)


@unhurried
@given(comments, belows, closings, st.sampled_from(["javascript", "typescript"]))
def test_a_comment_is_not_closed_where_what_is_below_is_none(
    above: str, below: str, answer: str, language: str
) -> None:
    document = Document("untitled:1", 1, language, above + below)
    tree = parse(document)
    context = build_context(document, document.position(len(above)), tree, Budget(200, 40, len))
    offer = finish(answer, context) or ""
    filled = parse(Document("untitled:1", 2, language, above + offer + below))
    assert tree is not None
    assert filled is not None
    assert tree.has_error or not filled.has_error
