"""The chat template of a folder of MLC-LLM's: the model's own where it is there, else MLC-LLM's conversation as one.

A conversation is a form with holes: what stands before and after each role's text (`protocol/conversation_protocol.py`
of MLC-LLM). It cannot say how tools are listed; the model's own template can, and so goes first.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heron.host.models.mlc_format import MlcConfig

_HOLES = {"user": "{user_message}", "assistant": "{assistant_message}", "tool": "{tool_message}"}
_FILES = ("tokenizer_config.json", "chat_template.json")


def read_chat_template(folder: Path, config: MlcConfig) -> str | None:
    """Jinja source of the template; None for a model that takes no conversations."""
    plain = folder / "chat_template.jinja"
    if plain.is_file():
        return plain.read_text(encoding="utf-8", errors="replace")
    for name in _FILES:
        if template := _named_template(folder / name):
            return template
    conversation = config.values.get("conv_template")
    return write_template(conversation) if isinstance(conversation, Mapping) and conversation.get("roles") else None


def write_template(conversation: Mapping[str, Any]) -> str:
    """A conversation of MLC-LLM's as a Jinja template."""
    roles, templates = conversation["roles"], conversation.get("role_templates") or {}
    seps = [str(sep) for sep in conversation.get("seps") or [""]]
    between = str(conversation.get("role_content_sep", ""))
    lines = [_system_lines(conversation), "{% for message in messages %}"]
    for role, hole in _HOLES.items():
        prefix = json.dumps(str(roles.get(role, roles.get("user", ""))) + between)
        if not conversation.get("add_role_after_system_message", True):
            prefix = f"({prefix} if not system or loop.index0 > (messages[0].role == 'system') else '')"
        text = _filled(str(templates.get(role, hole)), hole, "message.content")
        sep = json.dumps(seps[-1] if role == "assistant" else seps[0])
        lines.append(f"{{% if message.role == '{role}' %}}{{{{ {prefix} + {text} + {sep} }}}}{{% endif %}}")
    empty = json.dumps(str(roles.get("assistant", "")) + str(conversation.get("role_empty_sep", "")))
    return "".join([*lines, "{% endfor %}{% if add_generation_prompt %}{{ ", empty, " }}{% endif %}"])


def _system_lines(conversation: Mapping[str, Any]) -> str:
    """The system message, the conversation's own where the chat has none."""
    form = str(conversation.get("system_template", "{system_message}"))
    own = json.dumps(str(conversation.get("system_message", "")))
    chosen = f"messages[0].content if messages[0].role == 'system' else {own}"
    return f"{{% set system = {chosen} %}}{{{{ {_filled(form, '{system_message}', 'system')} if system }}}}"


def _filled(form: str, hole: str, value: str) -> str:
    """A Jinja expression for a form whose hole is filled with a value."""
    before, found, after = form.partition(hole)
    return f"({json.dumps(before)} + {value} + {json.dumps(after)})" if found else json.dumps(form)


def _named_template(path: Path) -> str | None:
    """The template of a JSON file, of several the one called default."""
    try:
        template = json.loads(path.read_text(encoding="utf-8")).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return None
    if isinstance(template, list):
        named = {item.get("name"): item.get("template") for item in template if isinstance(item, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else None
