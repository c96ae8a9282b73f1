"""Single filters where a golden case would hide which one acted."""

import pytest

from heron.editor.document import Document
from heron.editor.postprocess.block_end import MAX_LINES, cut_block_end
from heron.editor.postprocess.bracket_balance import close_in_line, cut_unclosed_lines, cut_unopened_closers
from heron.editor.postprocess.duplicates import drop_duplicate
from heron.editor.postprocess.fences import unwrap_fence
from heron.editor.postprocess.first_line import place_first_line
from heron.editor.postprocess.indentation import fit_indentation
from heron.editor.postprocess.left_open import close_left_open, cut_left_alone
from heron.editor.postprocess.levels import cut_wrong_level
from heron.editor.postprocess.line_shape import cut_after_line
from heron.editor.postprocess.loops import cut_loops
from heron.editor.postprocess.reparse import cut_to_parse
from heron.editor.postprocess.rest_of_line import cut_rest_of_line
from heron.editor.postprocess.special_tokens import cut_special_tokens, cut_unfinished_token
from heron.editor.postprocess.string_end import closes_string, cut_string_end
from heron.editor.postprocess.suffix_lines import cut_alike_lines, cut_repeated_below, cut_suffix_lines
from heron.editor.postprocess.trivial import drop_trivial
from heron.editor.postprocess.white_space import trim_white_space
from heron.editor.syntax.gap import Gap, Shape
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import parse


def gap(marked: str = "│", language: str = "python", shape: Shape = "block") -> Gap:
    document = Document("file:///a", 1, language, marked.replace("│", ""))
    position = document.position(marked.index("│"))
    return Gap(document, position, find_language(language), parse(document), shape)


@pytest.mark.parametrize(
    "token",
    [
        *("<|endoftext|>", "<|fim_pad|>", "<|im_end|>", "<|file_sep|>", "<|repo_name|>", "<|file_separator|>"),
        *("<fim_prefix>", "<fim_suffix>", "<file_sep>", "<reponame>", "<jupyter_start>", "<PRE>", "▁<EOT>"),
        *("<｜fim▁hole｜>", "<｜end▁of▁sentence｜>", "[SUFFIX]", "<end_of_turn>", "<eos>", "</s>"),
    ],
)
def test_token_ends_the_text(token: str) -> None:
    assert cut_special_tokens(f"a = 1{token}b", gap()) == "a = 1"


@pytest.mark.parametrize(
    "text", ["a <| b |> c", "List<eosType>", "x[PREFIX_LENGTH]", "a < b", "<s>a</s>", "<filename.txt>"]
)
def test_code_is_no_token(text: str) -> None:
    assert cut_special_tokens(text, gap()) == text


@pytest.mark.parametrize("text", ["a = 1<|", "a = 1<|fim_mid", "a = 1<|fim_middle|", "a = 1<fim_", "a = 1</s>"])
def test_token_begun_is_cut(text: str) -> None:
    assert cut_unfinished_token(text, gap()) == "a = 1"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("```python\na = 1\n```\nDone.", "a = 1"),
        ("Sure! Here it is:\n```\na = 1\n```", "a = 1"),
        ("a = 1\n```\n", "a = 1"),
        ("a = 1\nb = 2", "a = 1\nb = 2"),
        ("I cannot complete this.", ""),
        ("The_value = 1.", "The_value = 1."),
        ("This = compute(1, 2)", "This = compute(1, 2)"),
        ("```python", ""),
    ],
)
def test_fences_and_prose(text: str, kept: str) -> None:
    assert unwrap_fence(text, gap()) == kept


def test_fences_belong_to_markdown_and_comments() -> None:
    for place in (gap(language="markdown"), gap('"""│"""'), gap("# │")):
        assert unwrap_fence("```\na\n```", place) == "```\na\n```"


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("def f():│", "return 1", "\n    return 1"),
        ("def f():│", " return 1", " return 1"),
        ("def f():│", "\n\n\n    return 1", "\n    return 1"),
        ("def f():│", "", ""),
        ("  │", "\n\n  a", "  a"),
        ("a│", "\n\nb", "\n\nb"),
    ],
)
def test_first_line(marked: str, text: str, kept: str) -> None:
    assert place_first_line(text, gap(marked)) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("def f():\n    │", "    return 1", "return 1"),
        ("def f():\n│", "return 1", "    return 1"),
        ("def f():\n    if a:\n    │", "    b()", "    b()"),
        ("def f():\n    a()\n    │", "        b()", "b()"),
        ("a = [\n    │", "        1,", "1,"),
        ("def f():\n\t│", "a()\n    b()", "a()\n\tb()"),
        ("def f():\n  │", "a()\n\tb()", "a()\n  b()"),
        ("def f():\n\n│", "g()", "g()"),
        ('"""\n    │\n"""', "    a", "a"),
    ],
)
def test_indentation(marked: str, text: str, kept: str) -> None:
    assert fit_indentation(text, gap(marked)) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("a│", " = 1\nb = 2", " = 1"),
        ("a│", "\nb = 2\nc = 3", "\nb = 2"),
        ("a│", "\n\nb = 2", ""),
        ("  a│", "\nb = 2", ""),
        ("a(│)", "\nb\n", ""),
        ("│", "\n\na\nb", "\n\na"),
    ],
)
def test_line_shape(marked: str, text: str, kept: str) -> None:
    assert cut_after_line(text, gap(marked, shape="line")) == kept


def test_block_ends_at_the_limit_of_lines() -> None:
    lines = [f"a{number} = {number}" for number in range(30)]
    assert len(cut_block_end("\n".join(lines), gap()).split("\n")) == MAX_LINES


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("if a:\n    │", "b()\nc()", "b()"),
        ("if a:│", "\n    b()\n\n    c()\nd()", "\n    b()\n\n    c()"),
        ("│", "import a\n\nb()", "import a"),
        ("def f():\n    │", "a()\n\n\n    b()", "a()"),
        ("def f():\n    │", 'a = """\nb\n"""\n    c()', 'a = """\nb\n"""\n    c()'),
        ("def f():\n    │", "if a:\n        b()\n\n    return c\nd()", "if a:\n        b()\n\n    return c"),
        ("def f():│", "\n    if a:\n        b()\n\n    return c", "\n    if a:\n        b()\n\n    return c"),
        ("def f():\n    │\n    return d", "if a:\n        b()\n\n    c()", "if a:\n        b()"),
        ("class A:\n    │", "def f(self):\n        b()\n\n    def g(self):", "def f(self):\n        b()"),
    ],
)
def test_block_end_by_indentation(marked: str, text: str, kept: str) -> None:
    assert cut_block_end(text, gap(marked)) == kept


@pytest.mark.parametrize(
    ("below", "text", "kept"),
    [
        ("    return c", "return 1\n    c = 2\n    d()\ne()", "return 1\n    c = 2\n    d()"),
        ("        return c\n    return 2", "return 1\n    for c in a:", "return 1\n    for c in a:"),
        ("    return a", "return 1\n    c = 2", "return 1"),
        ("    return c", "c = 1\n    d()", "c = 1"),
    ],
)
def test_block_goes_on_outside_while_code_below_lacks_names(below: str, text: str, kept: str) -> None:
    assert cut_block_end(text, gap(f"def f(a):\n    if a:\n        │\n{below}\n")) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("f(│)", "a)", "a"),
        ("f(│", "a))", "a)"),
        ("f(g[│", "0])", "0])"),
        ("f(g[│", "0)", "0"),
        ("│", "a\n}\nb", "a"),
        ("f(│)", "g(')')", "g(')')"),
    ],
)
def test_unopened_closers(marked: str, text: str, kept: str) -> None:
    assert cut_unopened_closers(text, gap(marked, "javascript")) == kept


def test_a_closer_far_below_counts() -> None:
    below = "  case 1:\n    go();\n" * 300
    assert cut_unopened_closers("}", gap(f"class A {{\n  │\n{below}  }}\n}}\n", "java")) == ""


def test_lines_with_open_brackets_are_cut_if_others_stay() -> None:
    assert cut_unclosed_lines("a()\nb(\n  c", gap()) == "a()"
    assert cut_unclosed_lines("b(\n  c", gap()) == "b(\n  c"
    assert cut_unclosed_lines("if (a) {\nb()", gap("│\n}\n", "javascript")) == "if (a) {\nb()"


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("f(│)", "g(a", "g(a)"),
        ("f(│)", "g(a, 'b", "g(a, 'b')"),
        ("f(│)", "a  # b", "a"),
        ("f│)", "(a", "(a"),
        ("f(│ b])", "[a,", "[a,"),
    ],
)
def test_closing_in_line(marked: str, text: str, kept: str) -> None:
    assert close_in_line(text, gap(marked, shape="line")) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("f(│, b)", "a, b)", "a"),
        ("f(│,  b)", "a ,b)", "a "),
        ("f(│)", "g()", "g()"),
        ("f│)", "(a)", "(a"),
        ("x = │ + tax", "price + tax", "price"),
        ("x = │ + tax", "price + taxes", "price + taxes"),
        ("f(│).strip()", "a).strip()[0]", "a"),
    ],
)
def test_rest_of_line(marked: str, text: str, kept: str) -> None:
    assert cut_rest_of_line(text, gap(marked, shape="line")).rstrip() == kept.rstrip()


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("'│'", "a' + b", "a"),
        ("'│", "a' + b", "a' + b"),
        ('"""│', 'a"""', 'a"""'),
        ('"""│\n"""', 'a"""', "a"),
        ('"""│\n"""\n\n"""b"""', 'a"""', "a"),
        ('"""│\n\n"""b"""', 'a"""', 'a"""'),
    ],
)
def test_string_end(marked: str, text: str, kept: str) -> None:
    assert cut_string_end(text, gap(marked, shape="line")) == kept


def test_next_lines_are_not_repeated() -> None:
    place = gap("def f():\n    │\n\n    return a;\n")
    assert cut_suffix_lines("a = 1\n    return a", place) == "a = 1"
    assert cut_suffix_lines("return a", place) == ""
    assert cut_suffix_lines("a = 1\n        return a", place) == "a = 1\n        return a"


def test_next_line_that_says_little_needs_a_second() -> None:
    place = gap("│\n#\n# license\n")
    assert cut_suffix_lines("a = 1\n#\n# other", place) == "a = 1\n#\n# other"
    assert cut_suffix_lines("a = 1\n#\n# license", place) == "a = 1"


def test_rows_of_a_table_are_alike_but_kept() -> None:
    place = gap("│\nrow(2, 'second value')\nrow(3, 'third value')\n")
    assert cut_alike_lines("row(0, 'second value')\nrow(1, 'third value')", place) == (
        "row(0, 'second value')\nrow(1, 'third value')"
    )
    assert cut_alike_lines("a\nrow(2, 'second  value')\nrow(3, 'third value!')", place) == "a"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a()\na()\na()", "a()"),
        ("a()\na()", "a()\na()"),
        ("}\n}\n}", "}\n}\n}"),
        ("'✍',\n'✍',\n'✍',", "'✍',"),
        ("first = 1\nsecond = 2 * first\n" * 2, "first = 1\nsecond = 2 * first"),
        ("0, 0, 0, 0, 0, 0, 0, 0", "0, 0, 0, 0, 0, 0, 0, 0"),
        ("--------------------", "--------------------"),
        ("no no no no no no no ", "no "),
        ("abcdefghij abcdefghij abcdefghij ", "abcdefghij "),
    ],
)
def test_loops(text: str, kept: str) -> None:
    assert cut_loops(text, gap()) == kept


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("def f():\n    │\n    return 1\n", "a = 1\n        b = 2", "a = 1"),
        ("def f():\n    │\n    return 1\n", "if a:\n        b()\n      c()", "if a:\n        b()"),
        ("def f():\n    │\n    return 1\n", "a(\n            1,\n    )\n    b()", "a(\n            1,\n    )\n    b()"),
        ("def f():\n    if x:\n        │\n", "a()\n    b()\nc()", "a()\n    b()\nc()"),
        ("def f():\n    │\n    return 1\n", "a()\n    if b:", "a()"),
        ("def f():\n    │\n    return 1\n", "a()\n    if b:\n        # why", "a()"),
        ("def f():\n    │\n    return 1\n", "if b:\n        c()\n    # why", "if b:\n        c()\n    # why"),
        ("def f():\n    │\n    return 1\n", "if b:", ""),
        ("def f():\n    │\n        return 1\n", "if b:", "if b:"),
        ("def f():│\n", "\n    return 1", "\n    return 1"),
        ("a = 1\n│\nb = 2\n", "# so\n        c = 3", "# so"),
        ("def f():\n    │\n", "# so\n    c = 3", "# so\n    c = 3"),
        ("def f():\n    # why\n    │\n", "# so\n    c = 3", "# so\n    c = 3"),
    ],
)
def test_lines_stand_where_an_interpreter_takes_them(marked: str, text: str, kept: str) -> None:
    assert cut_wrong_level(text, gap(marked)) == kept


def test_lines_that_break_the_document_are_cut() -> None:
    assert cut_to_parse("a = 1\n    b = = 2", gap("def f():\n    │\n    return 1\n")) == "a = 1"
    assert cut_to_parse("a = = 1", gap("def f():\n    │\n    return 1\n")) == ""


def test_what_is_left_of_a_cut_leads_on_to_what_is_below() -> None:
    place = gap("def f(x):\n    │\n        g()\n    return 1\n")
    assert cut_to_parse("if x:\n        return 2\n    else = 3", place) == "if x:"
    assert cut_to_parse("if x:\n        = 3", gap("def f(x):\n    │\n    return 1\n")) == ""


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("while (a) {\n    b();\n    if (c) {", "while (a) {\n    b();\n  }"),
        ("while (a) {\n    if (b) {\n      c();", "while (a) {\n    if (b) {\n      c();\n    }\n  }"),
        ("f(() => {\n    g(`", "f(() => {\n    g(`"),
        ("f(() => {\n    g();", "f(() => {\n    g();\n  })"),
        ("if (a) {", "if (a) {"),
        ("a();\n  b();", "a();\n  b();"),
    ],
)
def test_what_a_broken_off_block_has_open_is_closed(text: str, closed: str) -> None:
    assert close_left_open(text, gap("function f() {\n  │\n}\n", "javascript")) == closed


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [
        ("import {\n  A,\n  │\n} from 'a'\n", "B?: {", "B?:"),
        ("│\n  b: string\n}\n", "a();\ninterface A {", "a();\ninterface A {"),
        ("│\n  b: string\n}\n", "a();\nf(\n  b,", "a();"),
        ("a(│\n  'b', [c])\n", "`one", ""),
        ("f(│", "a)", "a)"),
        ("// no │\n", "smile :(", "smile :("),
    ],
)
def test_no_more_brackets_are_alone_than_before(marked: str, text: str, kept: str) -> None:
    assert cut_left_alone(text, gap(marked, "typescript")) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a = 1\n    if x:\n        return False", "a = 1\n    if x:\n        return False"),
        ("a = 1\n    return False\n    log(x)", "a = 1"),
        ("a = 1\n    return False\n    log(y)", "a = 1\n    return False\n    log(y)"),
        ("a = 1\n    call_it_with(first, second)", "a = 1"),
    ],
)
def test_a_short_line_below_is_written_anew_only_with_its_neighbour(text: str, kept: str) -> None:
    place = gap("def f(x, y):\n    │\n    b = 2\n    call_it_with(first, second)\n    return False\n    log(x)\n")
    assert cut_repeated_below(text, place) == kept


def test_lines_that_break_the_definition_are_cut_in_a_broken_document() -> None:
    marked = "def f():\n    │\n    return 1\n\n\ndef (:\n"
    assert cut_to_parse("a = 1\n    b = = 2", gap(marked)) == "a = 1"


def test_lines_above_are_not_repeated() -> None:
    assert drop_duplicate("print('hello')", gap("print('hello')\n│")) == ""
    assert drop_duplicate("print('other')", gap("print('hello')\n│")) == "print('other')"
    assert drop_duplicate("\nprint('hello')", gap("print('hello')│", shape="line")) == ""
    assert drop_duplicate("i += 1", gap("i += 1\n│")) == "i += 1"


@pytest.mark.parametrize(
    ("marked", "text", "kept"),
    [("f(a│", ")", ")"), ("f(a)│", ")", ""), ("a│", ";", ""), ("a│", "#", ""), ("a = │", "[]", "[]"), ("│", "_", "_")],
)
def test_trivial(marked: str, text: str, kept: str) -> None:
    assert drop_trivial(text, gap(marked, shape="line")) == kept


def test_white_space_at_ends() -> None:
    assert trim_white_space("a  \n\n  b\t\n\n", gap()) == "a\n\n  b"


@pytest.mark.parametrize(
    ("marked", "text", "closes"),
    [
        ("/* a │\nb", "c */", True),
        ("/* a *│\nb", "/", True),
        ("/* a *│\nb", " / c", False),
        ("/* a │\nb", "c\nd", False),
        ("a = │", "*/", False),
        ('a = "b│', 'c"', True),
    ],
)
def test_an_answer_closes_the_string_or_comment_it_is_in(marked: str, text: str, closes: bool) -> None:
    assert closes_string(text, gap(marked, "typescript", "line")) is closes


@pytest.mark.parametrize(
    ("typed", "answer", "kept"), [("one ", "two */ a", "two "), ("one *", "/ a", ""), ("*", "* b", "* b")]
)
def test_a_comment_closed_below_is_not_closed_however_much_of_its_end_is_typed(
    typed: str, answer: str, kept: str
) -> None:
    assert cut_string_end(answer, gap(f"/* {typed}│\nthree */", "java", "line")) == kept
