"""An OpenAPI schema as HTML: the routes, what each takes and answers, and the types of their bodies."""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Schema = Mapping[str, Any]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Heron's API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="dashboard.css">
<link rel="stylesheet" href="docs.css">
</head>
<body>
<header>
<h1>Heron's API</h1>
<p>Version {version}. <a href="openapi.json">openapi.json</a> says the same to programs.</p>
</header>
<main>
<nav aria-label="Routes"><ul>{contents}</ul></nav>
<section><h2>Routes</h2>{routes}</section>
<section><h2>WebSockets</h2>{sockets}</section>
<section><h2>Types</h2>{types}</section>
</main>
</body>
</html>
"""
_LIMITS = {"minimum": "from", "maximum": "to", "minItems": "at least", "maxItems": "at most"}
"""Keywords of JSON Schema that are shown, in words."""
_PRESENCE = '<span class="unseen">Presence</span>'
"""The heading of a column that needs one only for those who do not see the table."""


def render_page(schema: Schema, sockets: Mapping[str, str]) -> str:
    """The whole page; `sockets` are the WebSockets, which OpenAPI has no words for, and their descriptions."""
    operations = [
        (method, path, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()
    ]
    types = schema.get("components", {}).get("schemas", {})
    return _PAGE.format(
        version=escape(schema["info"]["version"]),
        contents="".join(_render_link(method, path) for method, path, _ in operations),
        routes="".join(_render_operation(*operation) for operation in operations),
        sockets="".join(f"<article><h3>{escape(path)}</h3>{_prose(text)}</article>" for path, text in sockets.items()),
        types="".join(_render_type(name, types[name]) for name in sorted(types)),
    )


def describe(schema: Schema) -> str:
    """A type in a few words of HTML."""
    match schema:
        case {"$ref": str(reference)}:
            name = escape(reference.rpartition("/")[2])
            return f'<a href="#type-{name}">{name}</a>'
        case {"anyOf": list(choices)} | {"oneOf": list(choices)}:
            return " or ".join(map(describe, choices))
        case {"enum": list(values)}:
            return " or ".join(map(_code, values))
        case {"const": value}:
            return _code(value)
        case {"type": "array", "items": dict(items)} if items:
            return f"array of {describe(items)}{_limits(schema)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {describe(values)}"
        case {"type": list(kinds)}:
            return " or ".join(map(escape, kinds))
        case {"type": str(kind)}:
            return f"{escape(kind)}{_limits(schema)}"
    return "anything"


def _render_link(method: str, path: str) -> str:
    return f'<li><a href="#{_anchor(method, path)}"><b>{method.upper()}</b> {escape(path)}</a></li>'


def _render_operation(method: str, path: str, operation: Schema) -> str:
    parts = [
        f'<article><h3 id="{_anchor(method, path)}"><b>{method.upper()}</b> {escape(path)}</h3>',
        _prose(operation.get("description", "")),
        _render_parameters(operation.get("parameters", [])),
        _render_body(operation.get("requestBody", {}).get("content", {})),
        _render_answers(operation["responses"]),
        "</article>",
    ]
    return "".join(parts)


def _render_parameters(parameters: Iterable[Schema]) -> str:
    return _render_fields("Parameter", [(item["name"], item["schema"], item["required"]) for item in parameters])


def _render_body(content: Schema) -> str:
    kinds = (f"{describe(media.get('schema', {}))} as <code>{escape(kind)}</code>" for kind, media in content.items())
    return f"<p>Body: {', or '.join(kinds)}</p>" if content else ""


def _render_answers(responses: Schema) -> str:
    rows = (
        [status, escape(answer["description"]), ", ".join(f"<code>{escape(kind)}</code>" for kind in _kinds(answer))]
        for status, answer in responses.items()
    )
    return f"<details><summary>Answers</summary>{_table(('Status', 'Means', 'As'), rows)}</details>"


def _kinds(answer: Schema) -> Iterable[str]:
    content: Schema = answer.get("content", {})
    return content


def _render_type(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    fields = [(field, kind, field in required) for field, kind in schema.get("properties", {}).items()]
    anchor = f"type-{escape(name)}"
    prose = _prose(schema.get("description", ""))
    return f'<article><h3 id="{anchor}">{escape(name)}</h3>{prose}{_render_fields("Field", fields)}</article>'


def _render_fields(heading: str, fields: list[tuple[str, Schema, bool]]) -> str:
    rows = ([_code_text(name), describe(schema), _presence(schema, required)] for name, schema, required in fields)
    return _table((heading, "Type", ""), rows) if fields else ""


def _presence(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    return f"{_code(schema['default'])} if left out" if schema.get("default") is not None else ""


def _table(headings: Iterable[str], rows: Iterable[list[str]]) -> str:
    head = "".join(f'<th scope="col">{heading or _PRESENCE}</th>' for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _limits(schema: Schema) -> str:
    words = [f"{word} {schema[key]:g}" for key, word in _LIMITS.items() if key in schema]
    return f", {' '.join(words)}" if words else ""


def _prose(text: str) -> str:
    """Paragraphs of a docstring; what stands between backticks is code."""
    paragraphs = (" ".join(block.split()) for block in text.strip().split("\n\n"))
    return "".join(f"<p>{_mark_code(escape(block))}</p>" for block in paragraphs if block)


def _mark_code(html: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html)


def _code(value: object) -> str:
    return _code_text(json.dumps(value, ensure_ascii=False))


def _code_text(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _anchor(method: str, path: str) -> str:
    return "-".join([method, *re.findall(r"\w+", path)])
