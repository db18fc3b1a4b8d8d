"""What several test files share."""

import os
import random

import pytest

import course

os.environ.setdefault("CONVBP_SEED", str(random.randrange(2**32)))  # what samples are drawn by


@pytest.fixture(scope="session")
def browser_executable() -> str:
    """Path of the browser for the tests that need a real one; without one they are skipped, and fail in CI."""
    path = course.system_browser() or _playwright_browser()
    if path is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no Chromium, Chrome or Edge; `python3 course.py test` fetches one, CONVBP_BROWSER names one")
    return path


@pytest.fixture(scope="module")
def browser(browser_executable):
    """A browser of its own for each file of tests."""
    from playwright.sync_api import expect, sync_playwright

    from browser import PATIENCE

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=browser_executable) as browser:
        yield browser


def _playwright_browser() -> str | None:
    """The Chromium that ``playwright install chromium`` has put on this machine, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None
