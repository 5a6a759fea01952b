"""A browser and an explorer for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

    from fastmomentum.explorer.serving import Explorer
    from tests.explorer.browsing import Browser


@pytest.fixture(scope="session")
def driver() -> Iterator[WebDriver]:
    from tests.explorer.browsing import started

    made = started()
    yield made
    made.quit()


@pytest.fixture(scope="session")
def explorer() -> Iterator[Explorer]:
    from fastmomentum.explorer.serving import in_background
    from fastmomentum.explorer.source import Source

    server, thread = in_background(Source(), port=0)
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def browser(driver: WebDriver, explorer: Explorer) -> Iterator[Browser]:
    from tests.explorer.browsing import Browser

    driver.get_log("browser")  # what a server that ended left behind
    page = Browser(driver)
    page.open(explorer.url)
    yield page
    loud = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert not loud
