"""What axe-core finds wrong with a page: names, roles, contrast, what keys and screen readers cannot use."""

from typing import Any

from playwright.async_api import Frame, Locator

from editors.vscode import EXTENSION

_AXE = EXTENSION / "node_modules" / "axe-core" / "axe.min.js"


async def frame_of(element: Locator) -> Frame:
    """The frame that shows an element."""
    frame = await (await element.element_handle()).owner_frame()
    assert frame is not None
    return frame


async def find_faults(element: Locator) -> list[str]:
    """Each fault of the page that shows an element, with the place of the first of its kind.

    The page is transparent; what is behind it, in the side bar, counts for contrast.
    """
    frame = await frame_of(element)
    await frame.evaluate(f"() => {{ {_AXE.read_text(encoding='utf-8')} }}")
    await frame.evaluate("() => { document.body.style.background = 'var(--vscode-sideBar-background)'; }")
    found: dict[str, Any] = await frame.evaluate("() => window.axe.run(document)")
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found["violations"]]
