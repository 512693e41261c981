"""The page in a real browser: a picture that is chosen, the camera, a narrow screen, and what goes wrong."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.serve.releases import group, photo, write_photo

PATIENCE = 60_000  # ms: a busy machine is no failure

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def trying(release, enrolled):
    """Starts `lrfr try`; gives the process, which the last test ends, and the page's address."""
    command = [Path(sys.executable).parent / "lrfr", "try", "--model", release, "--gallery", enrolled, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        while not (found := re.search(r"http://\S+", lines[-1] if lines else "")):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        yield process, found[0]
        process.kill()


@pytest.fixture
def visit(chromium, trying):
    """Opens the page in a window of some size, and holds that nothing goes wrong or leaves this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    asked, wrong = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)

    def open_page(width=1280):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(trying[1])
        expect(page.locator("#known")).to_have_text("3 people, 3 photos", timeout=PATIENCE)
        return page

    yield open_page
    context.close()
    assert not wrong
    assert asked and all(url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")) for url in asked)


def shows(page, names):
    expect(page.locator(".face .who")).to_have_text(names, timeout=PATIENCE)
    expect(page.locator("#boxes span")).to_have_text(names)


def test_a_picture_is_chosen(visit, tmp_path):
    page = visit()
    page.locator("#file").set_input_files(write_photo(tmp_path / "group.jpg", group([0, 50, 2])))
    shows(page, ["anna", "don't know", "carl"])
    expect(page.locator("#found")).to_have_text("3 faces")
    expect(page.locator("#threshold")).to_have_text(re.compile("among 3 people, 2 % of strangers"))
    expect(page.locator(".face").first.locator(".nearest li")).to_have_count(3)
    expect(page.locator(".face").first.locator(".nearest li.match b")).to_have_text("anna")
    for image in page.locator(".face img").all():
        assert image.evaluate("image => image.complete && image.naturalWidth > 10")
    picture, box = (page.locator(where).first.bounding_box() for where in ("#picture", "#boxes button"))
    left = (box["x"] - picture["x"]) / picture["width"]
    assert 0.05 < left < 0.15 and 0.1 < box["width"] / picture["width"] < 0.2  # the first head of three
    page.locator("#boxes button").nth(1).click()
    expect(page.locator(".face").nth(1)).to_have_class(re.compile("chosen"))


def test_another_rate_asks_again(visit, tmp_path):
    page = visit()
    page.locator("#file").set_input_files(write_photo(tmp_path / "one.jpg", photo(0, 3)))
    shows(page, ["anna"])
    expect(page.locator("#fpir option")).to_have_text(["2 %", "5 %", "10 %", "20 %"])
    page.locator("#fpir").select_option("0.2")
    expect(page.locator("#threshold")).to_have_text(re.compile("20 % of strangers"))


def test_a_picture_of_nobody_and_what_is_no_picture(visit, tmp_path):
    page = visit()
    page.locator("#file").set_input_files(write_photo(tmp_path / "blank.jpg", np.full((80, 80, 3), 90, np.uint8)))
    expect(page.locator("#found")).to_have_text("No face was found", timeout=PATIENCE)
    (tmp_path / "x.jpg").write_bytes(b"nonsense")
    page.locator("#file").set_input_files(tmp_path / "x.jpg")
    expect(page.locator("#trouble")).to_contain_text("no known format")
    page.locator("#file").set_input_files(write_photo(tmp_path / "one.jpg", photo(0, 3)))
    shows(page, ["anna"])
    expect(page.locator("#trouble")).to_be_hidden()


def test_the_camera_is_asked_until_it_is_stopped(visit, tmp_path):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "identify" in request.url else None)
    page.locator("#camera").click()
    expect(page.locator("#found")).to_have_text("No face was found", timeout=PATIENCE)  # it shows a pattern
    expect(page.locator("#video")).to_be_visible()
    page.wait_for_event("request", lambda request: "identify" in request.url)
    page.locator("#camera").click()
    expect(page.locator("#camera")).to_have_text("Use the camera")
    page.locator("#file").set_input_files(write_photo(tmp_path / "one.jpg", photo(0, 3)))
    shows(page, ["anna"])
    expect(page.locator("#video")).to_be_hidden()
    assert len(asked) >= 3


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_leaves_the_screen(visit, tmp_path, width):
    page = visit(width)
    page.locator("#file").set_input_files(write_photo(tmp_path / "group.jpg", group([0, 50, 2])))
    shows(page, ["anna", "don't know", "carl"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_server_that_ended_is_told(visit, trying, tmp_path):
    page = visit()
    trying[0].kill()
    trying[0].wait()
    page.locator("#file").set_input_files(write_photo(tmp_path / "one.jpg", photo(0, 3)))
    expect(page.locator("#trouble")).to_contain_text("is it still running?", timeout=PATIENCE)
