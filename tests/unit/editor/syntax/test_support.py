from heron.editor.context.index.resolve import guess_files, rules
from heron.editor.syntax.languages import grammars_folder
from heron.editor.syntax.support import RESOLVED, render_support


def test_the_table_in_the_documentation_is_up_to_date() -> None:
    assert (grammars_folder() / "README.md").read_text(encoding="utf-8").endswith("\n\n" + render_support())


def test_languages_whose_imports_lead_to_files() -> None:
    assert set(rules()) == RESOLVED


def test_any_import_is_guessed_at_without_an_error() -> None:
    for language in (*rules(), "cobol", ""):
        for module in (
            "",
            ".",
            "..a",
            "a.b",
            "./a",
            "../../../../a",
            "a::b",
            "crate",
            "self",
            "super::super",
            "/",
            "x" * 999,
        ):
            for name in ("", "*", "b"):
                assert all(guess.path for guess in guess_files(language, "/w/src/a.x", module, name))
