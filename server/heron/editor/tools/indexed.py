"""The index, for tools that cannot do without."""

from heron.editor.context.index.index import Index
from heron.editor.tools.tool import Scene
from heron.errors import IntegrationError


def need_index(scene: Scene) -> Index:
    """The workspace's index. Raises IntegrationError where there is none."""
    if scene.index is None:
        raise IntegrationError("The workspace has no index.", hint="Use grep.")
    return scene.index
