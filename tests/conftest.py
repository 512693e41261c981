"""No test's verdict depends on how busy the machine is, on a proxy, on git where the project is an archive, or on
whether the tests run in the background."""

import os
import shutil
import signal

import pytest
from hypothesis import settings

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # tests talk to servers of their own
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's jobs in the background have it so, and hand it on
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def git() -> str:
    """The command git."""
    found = shutil.which("git")
    if found is None:
        pytest.skip("git is not installed")
    return found


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, whose camera shows a moving pattern."""
    names = ("chromium", "chromium-browser", "google-chrome")
    place = next((found for name in names if (found := shutil.which(name))), None)
    if place is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is in the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=place, args=arguments)
        yield browser
        browser.close()
