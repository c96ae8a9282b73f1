"""Grammars: what may come next, against brute force on a small vocabulary, and what is refused."""

import contextlib
import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import InvalidRequest
from heron.host.engine.grammar import GrammarCompiler, Matcher
from heron.host.engine.grammar_source import MAX_GRAMMAR_CHARS
from heron.wire import Grammar
from unit.host.engine.merged_tokenizer import END, MARK, UNUSED, VOCAB_SIZE, make_merged_tokenizer

TOKENIZER = make_merged_tokenizer()
PADDED = VOCAB_SIZE + 21
COMPILER = GrammarCompiler(TOKENIZER, PADDED)
WORDS = st.frozensets(st.text("abc", max_size=6), min_size=1, max_size=5)


def one_of(words: frozenset[str]) -> Grammar:
    return Grammar("regex", "|".join(sorted(words)))


def allowed_by(words: frozenset[str], text: str) -> set[int]:
    """The tokens after which some word can still be reached, by looking at each."""
    found = {END} if text in words else set()
    for token_id in range(VOCAB_SIZE):
        piece = TOKENIZER.token_bytes(token_id).decode("latin-1")
        if piece and any(word.startswith(text + piece) for word in words):
            found.add(token_id)
    return found


def is_forced(possible: set[int]) -> bool:
    return END not in possible and len({TOKENIZER.token_bytes(token_id)[0] for token_id in possible}) == 1


@settings(max_examples=150, deadline=None)
@given(words=WORDS, choose=st.randoms(use_true_random=False))
def test_the_mask_is_what_brute_force_finds(words: frozenset[str], choose: object) -> None:
    matcher, text = COMPILER.compile(one_of(words), jump=False), ""
    while not matcher.done:
        allowed = set(np.flatnonzero(matcher.allowed()).tolist())
        possible = allowed_by(words, text)
        # Where the next letter is forced, only the token that the tokenizer would write is allowed.
        assert allowed == possible or (is_forced(possible) and allowed and allowed < possible)
        token_id = choose.choice(sorted(allowed))  # type: ignore[attr-defined]
        if token_id == END:
            break
        matcher.accept(token_id)
        text += TOKENIZER.token_bytes(token_id).decode()
    assert text in words


@settings(max_examples=100, deadline=None)
@given(words=WORDS, choose=st.randoms(use_true_random=False))
def test_forced_tokens_are_the_only_text_there_is(words: frozenset[str], choose: object) -> None:
    matcher, text = COMPILER.compile(one_of(words)), ""
    while not matcher.done:
        if (forced := matcher.take_forced()) is not None:
            piece = TOKENIZER.token_bytes(forced).decode()
            assert all(word.startswith(text + piece) for word in words if word.startswith(text))
            token_id = forced
        else:
            token_id = choose.choice(np.flatnonzero(matcher.allowed()).tolist())  # type: ignore[attr-defined]
            if token_id == END:
                break
        matcher.accept(token_id)
        text += TOKENIZER.token_bytes(token_id).decode()
    assert text in words


@settings(max_examples=50, deadline=None)
@given(words=WORDS, guess=st.text("abc", max_size=8))
def test_as_much_of_a_guess_is_valid_as_some_word_begins_with(words: frozenset[str], guess: str) -> None:
    token_ids = tuple(TOKENIZER.encode(guess))
    starts = [TOKENIZER.decode(token_ids[:count]) for count in range(len(token_ids) + 1)]
    possible = [count for count, start in enumerate(starts) if any(word.startswith(start) for word in words)]
    assert COMPILER.compile(one_of(words), jump=False).count_valid(token_ids) == max(possible, default=0)


def write(matcher: Matcher, text: str) -> None:
    for token_id in TOKENIZER.encode(text):
        assert matcher.allowed()[token_id], TOKENIZER.token_bytes(token_id)
        matcher.accept(token_id)


def can_end(matcher: Matcher) -> bool:
    return matcher.done or bool(matcher.allowed()[END])


TAGS = {"structures": [{"begin": "<a>", "schema": {"type": "integer"}, "end": "</a>"}], "triggers": ["<a"]}


@pytest.mark.parametrize(
    ("grammar", "text"),
    [
        (Grammar("json_object"), '{"ab": [1, null, {"c": "é"}]}'),
        (Grammar("json_schema", '{"enum": ["ab", 3]}'), "3"),
        (Grammar("regex", "(ab)+c?"), "ababc"),
        (Grammar("lark", 'start: "ab" NUMBER\nNUMBER: /[0-9]{2}/'), "ab42"),
        (Grammar("structural_tag", json.dumps(TAGS)), "so < <a>12</a> and <a>3</a>."),
    ],
)
def test_each_kind_of_grammar(grammar: Grammar, text: str) -> None:
    matcher = COMPILER.compile(grammar, jump=False)
    write(matcher, text)
    assert can_end(matcher)


def test_json_is_written_on_one_line_unless_the_schema_says_otherwise() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": False}
    matcher = COMPILER.compile(Grammar("json_schema", json.dumps(schema)))
    forced = []
    while (token_id := matcher.take_forced()) is not None:
        forced.append(token_id)
        matcher.accept(token_id)
    assert TOKENIZER.decode(forced) == '{"a": 1}'
    assert matcher.done
    loose = schema | {"x-guidance": {"whitespace_flexible": True}}
    write(COMPILER.compile(Grammar("json_schema", json.dumps(loose)), jump=False), '{\n"a" :1 }')


def test_a_time_has_not_digits_without_end() -> None:
    matcher = COMPILER.compile(Grammar("json_schema", '{"type": "string", "format": "time"}'), jump=False)
    write(matcher, '"12:00:00.123456Z"')
    assert can_end(matcher)
    matcher = COMPILER.compile(Grammar("json_schema", '{"type": "string", "format": "time"}'), jump=False)
    write(matcher, '"12:00:00.' + "1" * 14)
    assert set(np.flatnonzero(matcher.allowed()).tolist()) == {ord("Z"), ord("z")}


def test_only_text_tokens_are_allowed_and_the_end_where_it_may_end() -> None:
    matcher = COMPILER.compile(Grammar("regex", "(.|\n)*"))
    allowed = matcher.allowed()
    assert len(allowed) == PADDED
    assert not allowed[VOCAB_SIZE:].any()
    assert not allowed[UNUSED]
    assert not allowed[0xFF]  # no UTF-8 text has this byte
    assert allowed[END]
    assert allowed[MARK]


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        (Grammar("json_schema", "{"), "not a JSON schema"),
        (Grammar("json_schema", '{"type": "objekt"}'), "objekt"),
        (Grammar("json_schema", '{"$ref": "#/$defs/none"}'), "none"),
        (Grammar("json_schema", '{"type": "integer", "minimum": 5, "maximum": 3}'), "minimum"),
        (Grammar("json_schema", '{"type": "string", "pattern": "("}'), "unclosed group"),
        (Grammar("json_schema", '{"not": {}}'), "not"),
        (Grammar("regex", "("), "unclosed group"),
        (Grammar("lark", "start: missing"), "missing"),
        (Grammar("lark", ""), "Empty grammar"),
        (Grammar("structural_tag", "[]"), "'structures'"),
        (Grammar("structural_tag", json.dumps(TAGS | {"triggers": ["<b"]})), "no trigger begins '<a>'"),
        (Grammar("structural_tag", json.dumps(TAGS | {"triggers": [""]})), "'triggers'"),
        (Grammar("regex", "a" * (MAX_GRAMMAR_CHARS + 1)), f"at most {MAX_GRAMMAR_CHARS}"),
    ],
)
def test_a_bad_grammar_is_named(grammar: Grammar, message: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(message)) as refused:
        COMPILER.compile(grammar)
    assert refused.value.param == "grammar"
    assert refused.value.message.startswith("grammar: ")
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: Grammar("regex", "((a{0,100}){0,100}){0,100}"),
        lambda: Grammar("regex", "(.*a.{200}b.*){50}"),
        lambda: Grammar(
            "lark", "start: a\n" + "\n".join(f"{c}: {d} {d}" for c, d in zip("abcdefghij", "bcdefghijk", strict=True))
        ),
        lambda: Grammar("json_schema", json.dumps(_nested(200))),
        lambda: Grammar("json_schema", '{"type": "array", "minItems": 1000000000, "items": {"type": "null"}}'),
    ],
)
def test_a_pathological_grammar_is_followed_or_refused_but_never_hangs(make: Callable[[], Grammar]) -> None:
    with contextlib.suppress(InvalidRequest):
        matcher = COMPILER.compile(make())
        for _ in range(20):
            forced = matcher.take_forced()
            token_id = int(np.flatnonzero(matcher.allowed())[0]) if forced is None else forced
            if token_id == END or matcher.done:
                break
            matcher.accept(token_id)


def _nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "null"}
    for _ in range(depth):
        schema = {"anyOf": [{"type": "array", "items": schema}, {"type": "object"}]}
    return schema


def test_matchers_of_one_grammar_do_not_share_their_state() -> None:
    grammar = Grammar("regex", "ab|ba")
    first = COMPILER.compile(grammar, jump=False)
    write(first, "a")
    write(COMPILER.compile(grammar, jump=False), "ba")
    write(first, "b")
    assert first.done


def test_the_latest_grammars_are_kept() -> None:
    compiler = GrammarCompiler(TOKENIZER, VOCAB_SIZE)
    for number in range(70):
        compiler.compile(Grammar("regex", f"a{{{number + 1}}}"))
    assert len(compiler._compiled) == 64
    assert Grammar("regex", "a{70}") in compiler._compiled
    assert Grammar("regex", "a{1}") not in compiler._compiled
