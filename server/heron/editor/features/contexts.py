"""Contexts of completions: the trees of the documents, what is shown of other files, and how much is asked with."""

import time
from dataclasses import replace

from heron.editor.context.assemble import Beyond
from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.context.choose import Allowance
from heron.editor.context.estimate import estimate_tokens
from heron.editor.context.surroundings import Surroundings
from heron.editor.context.view import Spot
from heron.editor.document import Document
from heron.editor.features.ask import Ask
from heron.editor.features.warmth import Warmth
from heron.editor.syntax.embedded import find_embedded
from heron.editor.syntax.tree import Tree, parse
from heron.settings import CompletionSettings

IMPORT_SHARE = 6
"""Imports above the window take at most one part in so many of the prefix."""
LONG_S, RETRY_S = 0.1, 30.0
"""A parse that fails after so long is tried again no sooner than that."""
PATIENCE_MS = 250.0
"""A prompt that takes longer to read is not waited for, if a shorter one takes half of that at most."""
SHORT_PREFIX_TOKENS, SHORT_SUFFIX_TOKENS = 224, 48


class Contexts:
    """Builds contexts; keeps the tree of each document for the next version of it."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._trees: dict[str, dict[str, Tree]] = {}
        """Of each document one for each language in it."""
        self._hopeless: dict[str, float] = {}
        """Documents that took too long to parse, with the time of the next try."""

    async def look_and_build(self, ask: Ask) -> Context:
        """The context, after other files were looked at for as long as that may take."""
        await self._surroundings.find(self._spot(ask), _allowance(ask.settings))
        return self.build(ask)

    def build(self, ask: Ask) -> Context:
        """The context with what is known by now of other files."""
        settings = ask.settings
        spot = self._spot(ask)
        imports = min(settings.context_tokens, settings.prefix_tokens // IMPORT_SHARE)
        budget = Budget(settings.prefix_tokens, settings.suffix_tokens, estimate_tokens, imports)
        beyond = self._surroundings.ready(spot, _allowance(settings))
        return build_context(ask.document, ask.position, spot.tree, budget, beyond.text)

    def shorten(self, ask: Ask, context: Context, warmth: Warmth) -> Context:
        """The context, or a shorter one at a place so cold that reading all of it would take long."""
        wait_ms = warmth.wait_ms(context)
        if wait_ms <= PATIENCE_MS or ask.invoked or not ask.settings.warm:
            return context
        short = replace(
            ask.settings,
            prefix_tokens=min(ask.settings.prefix_tokens, SHORT_PREFIX_TOKENS),
            suffix_tokens=min(ask.settings.suffix_tokens, SHORT_SUFFIX_TOKENS),
            context_tokens=0,
        )
        shorter = self.build(replace(ask, settings=short))
        return shorter if warmth.wait_ms(shorter) <= wait_ms / 2 else context

    async def explain(self, ask: Ask) -> tuple[Context, Beyond]:
        """What a completion would be asked with, and what it would be shown of other files and why."""
        beyond = await self._surroundings.explain(self._spot(ask), _allowance(ask.settings))
        return self.build(ask), beyond

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._trees.pop(uri, None)
        self._hopeless.pop(uri, None)
        self._surroundings.forget(uri)

    def close(self) -> None:
        self._surroundings.close()

    def _spot(self, ask: Ask) -> Spot:
        """The cursor in the language it is in: that of a script or fence, where the document embeds some."""
        document = find_embedded(ask.document, ask.position)
        return Spot(document, ask.position, self._parse(document))

    def _parse(self, document: Document) -> Tree | None:
        """The document's tree, made from the one of the version before."""
        trees = self._trees.setdefault(document.uri, {})
        tree = trees.get(document.language)
        if tree is None or tree.document is not document:
            tree = self._parse_anew(document, tree)
        if tree is not None:
            trees[document.language] = tree
        return tree

    def _parse_anew(self, document: Document, previous: Tree | None) -> Tree | None:
        """None without a try for a document that took too long a moment ago: each key would wait for it again."""
        start = time.monotonic()
        if self._hopeless.get(document.uri, start) > start:
            return None
        tree = parse(document, previous)
        if tree is None and time.monotonic() - start > LONG_S:
            self._hopeless[document.uri] = start + RETRY_S
        return tree


def _allowance(settings: CompletionSettings) -> Allowance:
    return Allowance(settings.context_tokens, estimate_tokens)
