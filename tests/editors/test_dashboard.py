"""The dashboard in a real browser, over the scripted engine: what it shows, and what its buttons do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import httpx
import pytest

from editors.vscode import CHROMIUM, SHOTS
from heron.host.engine.scripted import Reply, Script, ScriptedEngine
from heron.host.fleet import Fleet
from heron.wire import ModelInfo
from protocol.http_host import two_models
from protocol.tcp_host import serving

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
Scheme = Literal["light", "dark"]


@asynccontextmanager
async def dashboard(home: Path, engine: ScriptedEngine | Fleet, scheme: Scheme = "light") -> AsyncIterator[tuple]:
    """The page, a client of the same host, and what the browser complained of."""
    from playwright.async_api import async_playwright

    async with serving(home, engine) as endpoint, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 900})
        page, complaints = await context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        headers = {"Authorization": f"Bearer {endpoint.address.token}", "X-Heron-Client": "vim"}
        base = endpoint.address.base_url
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30, trust_env=False) as client:
            await client.post("/v1/completions", json={"prompt": "x"})
            await page.goto(f"{base}/#{endpoint.address.token}")
            await page.get_by_text("scripted: ready").wait_for()
            yield page, client, complaints
        await browser.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_shows_who_asked_and_complains_of_nothing(home: Path, scheme: Scheme) -> None:
    async with dashboard(home, ScriptedEngine("an answer"), scheme) as (page, _, complaints):
        await page.locator("#clients").get_by_text("vim").wait_for()
        assert await page.locator("#plot-first").get_attribute("aria-label") != ""
        assert "#" not in page.url, "the token is not left in the address"
        SHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SHOTS / f"dashboard-{scheme}.png", full_page=True)
    assert not complaints


async def test_a_request_is_stopped_with_the_keyboard(home: Path) -> None:
    engine = ScriptedEngine(Script((), otherwise=Reply("a long answer")))
    async with dashboard(home, engine) as (page, client, _):
        engine.hold()
        asking = asyncio.create_task(client.post("/v1/completions", json={"prompt": "x"}))
        stop = page.get_by_role("button", name="Stop the completion of vim")
        await stop.focus()
        await page.keyboard.press("Enter")
        assert (await asking).status_code == 409
        await page.get_by_text("No request is running.").wait_for()
        await page.locator("#failures").get_by_text("stopped on the host's dashboard").wait_for()


async def test_each_model_has_its_numbers_and_is_loaded_and_unloaded(home: Path) -> None:
    large = ScriptedEngine("another", model=ModelInfo("large", 4096))
    fleet = two_models({"scripted": ScriptedEngine("an answer"), "large": large})
    async with dashboard(home, fleet) as (page, client, complaints):
        await page.get_by_role("row", name="large not loaded").wait_for()
        await client.post("/v1/completions", json={"prompt": "x", "model": "large"})
        await page.locator("#legend", has_text="scriptedlarge").wait_for()
        label = await page.locator("#plot-first").get_attribute("aria-label")
        assert "scripted last" in label
        assert "large last" in label
        await page.get_by_role("button", name="Unload large").press("Enter")
        await page.get_by_role("button", name="Load large", exact=True).press("Enter")
        await page.get_by_role("button", name="Unload large").wait_for()
        await page.get_by_role("button", name="Unload scripted").click()
        await page.get_by_text("Unloaded on demand").wait_for()
        await page.get_by_role("button", name="Load scripted", exact=True).click()
        await page.get_by_role("button", name="Unload scripted").wait_for()
        await page.screenshot(path=SHOTS / "dashboard-models.png", full_page=True)
    assert not complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_of_the_api_is_read_by_keyboard(home: Path, scheme: Scheme) -> None:
    async with dashboard(home, ScriptedEngine("an answer"), scheme) as (page, _, complaints):
        await page.get_by_role("link", name="The API").press("Enter")
        await page.get_by_role("link", name="POST /v1/chat/completions").press("Enter")
        route = page.get_by_role("article").filter(has=page.get_by_role("heading", name="POST /v1/chat/completions"))
        await route.locator("summary").press("Enter")
        await route.get_by_text("The model is not ready.").wait_for()
        await route.get_by_role("link", name="ChatBody").press("Enter")
        assert page.url.endswith("#type-ChatBody")
        await page.screenshot(path=SHOTS / f"docs-{scheme}.png")
    assert not complaints


async def test_a_wrong_token_is_told(home: Path) -> None:
    async with dashboard(home, ScriptedEngine("an answer")) as (page, _, _):
        await page.evaluate("sessionStorage.setItem('token', 'wrong')")
        await page.get_by_role("alert").get_by_text("Run heron dashboard again").wait_for()
