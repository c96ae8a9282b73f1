"""What a client can do with code actions, read from its capabilities. LSP 3.18, "CodeActionClientCapabilities"."""

from dataclasses import dataclass

from lsprotocol import types


@dataclass(frozen=True, slots=True)
class ActionSupport:
    """`literals`: actions with kinds, not bare commands. `lazy`: edits may come at `codeAction/resolve`, by `data`."""

    literals: bool = False
    lazy: bool = False
    disabled: bool = False
    preferred: bool = False
    tags: bool = False


def action_support(capabilities: types.ClientCapabilities) -> ActionSupport:
    """Read the capabilities; what the client does not mention it does not have."""
    given = capabilities.text_document and capabilities.text_document.code_action
    if not given:
        return ActionSupport()
    resolves = given.resolve_support is not None and "edit" in given.resolve_support.properties
    tags = given.tag_support.value_set if given.tag_support else ()
    return ActionSupport(
        given.code_action_literal_support is not None,
        bool(given.data_support) and resolves,
        bool(given.disabled_support),
        bool(given.is_preferred_support),
        types.CodeActionTag.LlmGenerated in tags,
    )
