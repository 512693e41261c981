"""The page in a real browser: by keys alone, by mouse, in two windows, without a server, and for those who listen."""

import re
import signal
import socket

import pytest
from playwright.sync_api import expect

from lrfr import paths
from lrfr.core.names import KIND as NAMES
from lrfr.core.pair_verdicts import KIND as PAIRS
from lrfr.core.verdicts import Verdict, parse
from lrfr.review.manifest import append

SOON = 320  # ms: a sheet cannot be saved before it was looked at
PATIENCE = 60_000  # ms: a busy machine is no failure

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def visit(chromium):
    """Opens addresses in windows of one browser, and holds that nothing goes wrong or leaves this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    asked, wrong = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)

    def open_page(address):
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#title")).not_to_have_text("Loading")
        page.wait_for_timeout(SOON)
        return page

    yield open_page
    context.close()
    assert not wrong
    assert asked and all(url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")) for url in asked)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def confirm(page):
    """Enter, and the sheet is saved and the next one there."""
    number = page.inner_text("#title").split()[1]
    press(page, "Enter")
    shows(page, "saved", f"Sheet {number} saved")
    page.wait_for_timeout(SOON)


def shows(page, place, text):
    expect(page.locator(f"#{place}")).to_have_text(re.compile(text))


def said(name="anna"):
    path = paths.VERDICTS / f"{name}.csv"
    if not path.exists():
        return {}
    return {verdict.face_id: (verdict.verdict, verdict.note) for verdict in parse(path.read_text(), name, path)}


def wrong(name="anna"):
    return {face: verdict for face, verdict in said(name).items() if verdict != ("face", "")}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_a_labeller_needs_no_mouse(address_of, visit):
    page = visit(address_of("anna"))
    columns = page.locator("[role=row]").first.locator(".tile").count()
    press(page, "ArrowRight", "x", "j", "r", "l", "s", "End", "w", "ArrowLeft", "n")
    page.keyboard.type("blurred, twice")
    press(page, "Enter")
    assert not said(), "nothing is written before the sheet is saved"
    assert page.inner_text("#saved") == "This sheet is not saved yet"
    page.wait_for_timeout(SOON)
    confirm(page)
    marks = {
        "f01": ("not_face", ""),
        f"f{columns + 1:02d}": ("unrecognizable", ""),
        f"f{columns + 2:02d}": ("unsure", ""),
        "f39": ("unsure", "wrong identity"),
        "f38": ("face", "blurred, twice"),
    }
    assert wrong() == marks
    assert len(said()) == 40
    assert page.inner_text("#title") == "Sheet 2 of 3"
    assert page.inner_text("#saved") == "Sheet 1 saved: 40 faces, 4 marked"
    assert "Sheet 1 saved: 40 faces, 4 marked. Now sheet 2 of 3." in page.inner_text("#status")

    press(page, "x", "z")  # a mark, taken back
    confirm(page)
    confirm(page)
    assert page.is_visible("#end")
    assert len(said()) == 90
    assert wrong() == marks
    assert page.evaluate("document.activeElement.id") == "end"


def test_a_saved_sheet_can_be_taken_back_and_an_earlier_one_changed(address_of, visit):
    page = visit(address_of("anna"))
    press(page, "x")
    confirm(page)
    lines = (paths.VERDICTS / "anna.csv").read_text()
    press(page, "z")
    shows(page, "title", "Sheet 1 of 3")
    assert (paths.VERDICTS / "anna.csv").read_text().startswith(lines)
    assert set(said().values()) == {("unsure", "withdrawn")}
    assert page.locator(".tile").first.get_attribute("data-mark") == "not_face", "the marks are still there"
    page.wait_for_timeout(SOON)
    press(page, "f", "l", "r")
    confirm(page)
    assert wrong() == {"f01": ("unrecognizable", "")}

    press(page, "b")
    shows(page, "title", "Sheet 1 of 3")
    assert page.inner_text("#saved") == "This sheet is saved"
    page.wait_for_timeout(SOON)
    press(page, "End", "s")
    confirm(page)
    assert wrong() == {"f01": ("unrecognizable", ""), "f39": ("unsure", "")}


def test_a_mouse_does_as_well(address_of, visit):
    page = visit(address_of("anna", "identity"))
    page.locator(".tile").nth(2).click()
    page.locator(".tile").nth(5).click()
    page.locator(".tile").nth(5).click()
    marked = page.locator(".tile[data-mark=not_face]")
    assert marked.count() == 1
    page.get_by_role("button", name="photo").click()
    expect(page.locator("#photo img")).to_have_js_property("naturalWidth", 640)
    page.get_by_role("button", name="save sheet").click()
    shows(page, "title", "Sheet 2")
    assert sorted(verdict for verdict, _ in said().values()).count("not_face") == 1


def test_a_held_or_hasty_enter_saves_no_sheet_that_nobody_saw(address_of, visit):
    page = visit(address_of("anna"))
    press(page, "Enter", "Enter", "Enter")
    shows(page, "saved", "Sheet 1 saved")
    press(page, "Enter")
    page.wait_for_timeout(SOON)
    assert len(said()) == 40


def test_without_a_server_nothing_is_called_saved_and_the_next_run_takes_over(review, visit):
    port = str(free_port())  # windows speak with each other at one address alone; 8377 may be another test's
    process, address = review("anna", "--port", port)
    page = visit(address)
    process.send_signal(signal.SIGKILL)
    process.wait()
    press(page, "x", "Enter")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "Not saved yet: the server does not answer" in page.inner_text("#trouble")
    assert page.inner_text("#saved") == "Saving …"
    _, again = review("anna", "--port", port)
    visit(again)  # as the new run's browser window does
    shows(page, "saved", "Sheet 1 saved: 40 faces, 1 marked")
    assert page.is_hidden("#trouble")
    assert wrong() == {"f00": ("not_face", "")}


def test_a_second_window_meets_what_the_first_has_said(address_of, visit):
    address = address_of("anna")
    first, second = visit(address), visit(address)
    press(first, "l", "x")
    confirm(first)
    press(second, "Enter")
    second.wait_for_selector("#trouble:not([hidden])")
    assert "judged in another window" in second.inner_text("#trouble")
    assert wrong() == {"f01": ("not_face", "")}
    second.wait_for_timeout(SOON)
    confirm(second)
    assert wrong() == {"f01": ("not_face", "")}


def test_an_adjudicator_sees_who_said_what_and_decides_each(address_of, visit):
    for name, verdict in (("anna", "face"), ("boris", "not_face")):
        moment = parse("face_id,verdict,labeller,at,note\nx,face,x,2024-05-01,\n", "x", "")[0].at
        lines = [Verdict(face, verdict, name, moment, "", name, 0) for face in ("f03", "f04")]
        append(paths.VERDICTS / f"{name}.csv", lines)
    page = visit(address_of("eva", adjudicate=True))
    assert page.locator(".tile").first.inner_text().splitlines()[-2:] == ["anna: face", "boris: not a face"]
    assert page.locator(".tile").first.get_attribute("aria-label").endswith("boris said not a face, not decided")
    press(page, "f", "Enter")
    assert page.locator(".tile").first.get_attribute("aria-label").endswith("boris said not a face, marked face")
    assert "Each face needs a decision" in page.inner_text("#trouble")
    assert not said("_adjudicated")
    press(page, "x")
    confirm(page)
    assert said("_adjudicated") == {"f03": ("face", ""), "f04": ("not_face", "")}
    assert page.is_visible("#end")


def test_who_does_not_see_hears(address_of, visit):
    page = visit(address_of("anna"))
    press(page, "ArrowRight", "x")
    grid = page.get_by_role("grid", name="Sheet 1 of 3").aria_snapshot()
    assert 'gridcell "face 1 of 40, 10 × 12 px, detector 0.60, not marked"' in grid
    assert 'gridcell "face 2 of 40, 10 × 13 px, detector 0.60, identity person01, marked not a face" [selected]' in grid
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("face 2 of 40")
    assert page.locator(".tile[tabindex='0']").count() == 1, "one stop for Tab"
    snapshot = page.locator("body").aria_snapshot()
    for name in ("Enter save sheet", "X not a face", "R unrecognizable", "S unsure", "Z undo", "? keys"):
        assert f'button "{name}"' in snapshot
    for role in ('progressbar "Faces with a verdict"', 'toolbar "Actions"', "status: not a face", "main:", "banner:"):
        assert role in snapshot
    press(page, "z")  # what has no mark is not called marked
    shows(page, "status", "^Mark taken back: face 2 of 40, .*, not marked$")
    shows(page, "focus", "not marked$")
    press(page, "n")
    page.keyboard.type("blurred")
    press(page, "Enter")
    shows(page, "focus", "not marked, note: blurred$")
    press(page, "?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    press(page, "Escape", "Home")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("face 1 of 40")


def test_at_twice_the_size_all_can_be_reached(address_of, visit):
    page = visit(address_of("anna"))
    page.set_viewport_size({"width": 640, "height": 400})  # what 200 % leaves of 1280 x 800
    page.wait_for_timeout(SOON)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "End")
    box = page.locator(".tile").last.bounding_box()
    assert box["y"] >= 0 and box["y"] + 92 <= 400


def names(name="anna"):
    path = paths.NAMES / f"{name}.csv"
    return {line.face_id: line.identity for line in NAMES.parse(path.read_text(), name, path)} if path.exists() else {}


def type_name(page, name):
    press(page, "i")
    page.fill("#name-text", name)
    press(page, "Enter")


def test_a_key_that_comes_with_the_end_of_a_dialog_is_for_the_next_face(address_of, visit):
    page = visit(address_of("anna"))
    type_name(page, "Mary Somerville")
    press(page, "i")
    page.fill("#name-text", "Ada Lovelace")
    page.evaluate("""() => {
        const form = document.querySelector("#name form");
        form.requestSubmit(form.querySelector("[value=keep]"));
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true}));
    }""")
    confirm(page)
    assert names() == {"f00": "Mary Somerville", "f01": "Ada Lovelace", "f02": "Mary Somerville"}


def test_a_name_is_typed_once_and_then_given_by_a_key(address_of, visit):
    page = visit(address_of("anna"))
    type_name(page, "Mary Somerville")
    type_name(page, "Ada  Lovelace")
    press(page, "1", "2", "a", "x", "z", "1", "n")
    page.keyboard.type("side view")
    press(page, "Enter")
    shows(page, "names", "1 Mary Somerville2 Ada Lovelace")
    assert page.locator(".tile").first.inner_text() == "Mary Somerville"
    assert "named Mary Somerville, not marked" in page.locator(".tile").first.get_attribute("aria-label")
    assert not names(), "nothing is written before the sheet is saved"
    confirm(page)
    mary, ada = "Mary Somerville", "Ada Lovelace"
    assert names() == {"f00": mary, "f01": ada, "f02": mary, "f03": ada, "f04": ada, "f05": mary}
    assert wrong() == {"f06": ("face", "side view")}

    press(page, "z")  # the whole sheet, names and all
    shows(page, "title", "Sheet 1 of 3")
    assert set(names().values()) == {""}
    page.wait_for_timeout(SOON)
    press(page, "Home", "x")  # what is no face is nobody's
    type_name(page, "")
    confirm(page)
    assert {face: name for face, name in names().items() if name} == {
        "f02": mary, "f03": ada, "f04": ada, "f05": mary, "f01": ada,
    }  # fmt: skip
    page = visit(address_of("anna"))
    press(page, "2")
    assert page.locator(".tile").first.inner_text() in (mary, ada), "the next run knows the names that were given last"


def test_names_can_be_given_by_mouse(address_of, visit):
    page = visit(address_of("anna"))
    page.get_by_role("button", name="I name").click()
    assert page.get_by_role("dialog", name="Name").is_visible()
    page.fill("#name-text", "Mary")
    page.get_by_role("button", name="Keep").last.click()
    page.get_by_role("button", name="1 Mary").click()
    assert page.locator(".tile.named").count() == 2
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("face 3 of 40")


def test_pairs_stand_side_by_side_and_are_told_apart(address_of, visit, near_pair):
    page = visit(address_of("anna", copies=True))
    shows(page, "title", "Sheet 1 of 1")
    tile = page.locator(".tile").first
    assert tile.locator("img").count() == 2
    assert "left 10 × 13 px identity person01" in tile.get_attribute("aria-label")
    assert "the left one is excluded as a copy" in tile.get_attribute("aria-label")
    press(page, "i", "x")  # a pair has no name
    assert tile.get_attribute("data-mark") == "different"
    confirm(page)
    (line,) = PAIRS.parse((paths.PAIR_VERDICTS / "anna.csv").read_text(), "anna", "")
    assert (line.about, line.says) == (("f00", "f01"), "different")
    assert page.is_visible("#end") and "Every pair has a verdict" in page.inner_text("#end")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_help_opens_at_its_top(address_of, visit, width):
    page = visit(address_of("anna"))
    page.set_viewport_size({"width": width, "height": 700})
    press(page, "?")
    assert page.evaluate("document.getElementById('help').scrollTop") == 0
    title = page.locator("#help-title").bounding_box()
    assert 0 <= title["y"] <= 700 and title["x"] + title["width"] <= width
    press(page, "Escape")
    assert page.evaluate("document.activeElement.className") == "tile"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
