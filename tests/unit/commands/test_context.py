from heron.commands.context import render

ANSWER = {
    "shape": "line",
    "reason": "at the end of a line",
    "indexed": False,
    "snippets": [
        {
            **{"source": "definitions", "path": "shop/tax.py", "uri": "file:///tax.py", "lines": [3, 9], "tokens": 17},
            **{"text": "def add_tax()", "score": 0.0857, "ranks": {"definitions": 1, "graph": 2}},
        }
    ],
    "prompt": {"prefix": "x = ", "suffix": "\n# shop/tax.py:\n"},
    "tokens": {"prefix": 3, "suffix": 8},
}


def test_snippets_with_their_reasons_then_the_prompt() -> None:
    assert render(ANSWER).split("\n") == [
        "line: at the end of a line; the workspace was not looked through yet",
        "1 snippets of other files:",
        "  0.0857    17 tokens  definitions  shop/tax.py:4  (definitions 1, graph 2)",
        "--- prefix, about 3 tokens",
        "x = ",
        "--- suffix, about 8 tokens",
        "",
        "# shop/tax.py:",
        "",
    ]
