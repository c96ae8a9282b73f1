import importlib

import pytest

from heron.editor.syntax.languages import find_language, grammars_folder, load_languages, read_query

NAMES = list(load_languages())


@pytest.mark.parametrize(
    ("language_id", "uri", "name"),
    [
        ("python", "", "python"),
        ("javascriptreact", "", "javascript"),
        ("typescriptreact", "file:///a.ts", "tsx"),
        ("unheard-of", "file:///home/me/a.RS", "rust"),
        ("plaintext", "file:///home/me/Gemfile", "ruby"),
        ("", "untitled:Untitled-1", None),
        ("cobol", "file:///a.cob", None),
    ],
)
def test_language_by_identifier_else_by_file_name(language_id: str, uri: str, name: str | None) -> None:
    found = find_language(language_id, uri)
    assert (found.name if found else None) == name


def test_all_promised_languages_are_there() -> None:
    promised = (
        "python javascript typescript tsx go rust java c cpp csharp ruby php bash lua json yaml toml html vue svelte "
        "css markdown"
    )
    assert " ".join(NAMES) == promised


@pytest.mark.parametrize("name", NAMES)
def test_grammar_wheel_offers_the_function(name: str) -> None:
    module, _, function = load_languages()[name].grammar.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", NAMES)
def test_every_language_has_a_scopes_query(name: str) -> None:
    assert "@" in read_query(load_languages()[name], "scopes")


def test_folders_without_a_language_do_not_exist() -> None:
    folders = {entry.name for entry in grammars_folder().iterdir() if entry.is_dir()}
    assert folders == {language.queries for language in load_languages().values()} | {"ecma"}


def test_a_query_begins_with_what_it_inherits() -> None:
    languages = load_languages()
    shared = (grammars_folder() / "ecma" / "tags.scm").read_text(encoding="utf-8")
    for name, own in (("javascript", "field_definition"), ("tsx", "interface_declaration")):
        query = read_query(languages[name], "tags")
        assert query.startswith(shared)
        assert own not in shared
        assert own in query
    assert not any(read_query(languages["json"], kind) for kind in ("tags", "nosuch"))


def test_identifiers_and_names_belong_to_one_language() -> None:
    for field in ("ids", "extensions", "names"):
        all_values = [value for language in load_languages().values() for value in getattr(language, field)]
        assert len(all_values) == len(set(all_values))
