import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.syntax.embedded import find_embedded, find_script, read_parts

VUE = '<template>\n  <a>日</a>\n</template>\n<script lang="ts">\nconst é = 1;\n</script>\n<style>\n.a {}\n</style>\n'
PIECES = st.sampled_from(
    ["```", "~~~", "```py\n", "\n", "x", "é", "日", "\r\n", "<script>", "</script>", "<style lang='s", "'>", " "]
)

EMBEDDED = [
    ("markdown", "a\n```py\nx = 1│\n```\n", "python"),
    ("markdown", "a│\n```py\nx = 1\n```\n", "markdown"),
    ("markdown", "~~~rust\n```\nfn│", "rust"),
    ("markdown", "```py\na\n```\nb│\n```go\n```\n", "markdown"),
    ("markdown", "```nosuch\na│\n```\n", "markdown"),
    ("markdown", "  ````js\n```\na│\n  ````\n", "javascript"),
    ("html", "<script>a│</script>", "javascript"),
    ("html", '<script type="application/json">{│}</script>', "json"),
    ("html", "<SCRIPT type='text/javascript'>a│", "javascript"),
    ("html", "<style>a│", "css"),
    ("html", "<script src='a'></script>│", "html"),
    ("vue", '<script setup lang="ts">\n│</script>', "typescript"),
    ("svelte", "<script>\n</script>\n<p>│</p>", "svelte"),
    ("python", '"""\n```js\na│\n```\n"""', "python"),
]


@pytest.mark.parametrize(("outer", "marked", "inner"), EMBEDDED, ids=range(len(EMBEDDED)))
def test_the_language_at_a_place(outer: str, marked: str, inner: str) -> None:
    document = Document("file:///a", 1, outer, marked.replace("│", ""))
    assert find_embedded(document, document.position(marked.index("│"))).language == inner


def test_places_stay_where_they_are() -> None:
    document = Document("file:///a.vue", 1, "vue", VUE)
    script = find_script(document)
    assert (script.language, len(script.text), script.line_starts) == ("typescript", len(VUE), document.line_starts)
    assert script.text.strip() == "const é = 1;"
    assert script.text.index("é") == VUE.index("é")
    assert find_embedded(document, document.position(VUE.index("é"))) is script


def test_documents_without_a_script_are_as_they_are() -> None:
    for name, text in (("vue", "<p/>"), ("markdown", "```py\nx\n```\n"), ("python", VUE)):
        document = Document("file:///a", 1, name, text)
        assert find_script(document) is document


@given(st.lists(PIECES, max_size=20).map("".join), st.sampled_from(["html", "vue", "markdown"]))
def test_any_text_keeps_its_lines(text: str, name: str) -> None:
    document = Document("file:///a", 1, name, text)
    for part in read_parts(document):
        assert 0 <= part.start <= part.end <= len(text)
        inner = find_embedded(document, document.position(part.start))
        assert inner.line_starts == document.line_starts
