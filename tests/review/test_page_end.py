"""The page's last words, in a real browser: what was judged, what was named, and where it is."""

from playwright.sync_api import expect

SOON = 320  # ms: a sheet cannot be saved before it was looked at


def finish(page, address, names=()):
    """Names the first faces and saves every sheet as it is."""
    page.set_default_timeout(8000)
    page.goto(address)
    expect(page.locator("#title")).not_to_have_text("Loading")
    for place, name in enumerate(names):
        page.keyboard.press("i")
        expect(page.locator("#name")).to_be_visible()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator(".caption").nth(place)).to_have_text(name)
    while not page.locator("#end").is_visible():
        saved = page.inner_text("#title")
        page.wait_for_timeout(SOON)
        page.keyboard.press("Enter")
        expect(page.locator("#title")).not_to_have_text(saved)


def test_the_end_tells_of_verdicts_and_names_and_asks_nothing_more(address_of, chromium):
    page = chromium.new_page()
    finish(page, address_of("anna"), names=["Mia"])
    said = page.inner_text("#end-summary")
    assert "90 faces: face 90" in said and "annotations/verdicts/anna.csv" in said
    assert "1 have a name, in annotations/names/anna.csv" in said
    assert not page.is_visible("#question"), "there is nothing left to mark"
    page.keyboard.press("b")
    expect(page.locator("#question")).to_be_visible()
    page.close()


def test_the_end_tells_of_no_names_where_none_were_given(address_of, chromium, near_pair):
    page = chromium.new_page()
    finish(page, address_of("anna", copies=True))
    assert page.inner_text("#end-summary") == "1 pairs: one picture 1. They are in annotations/pairs/anna.csv."
    page.close()


def test_on_a_narrow_screen_pairs_fill_the_width(address_of, chromium, near_pair):
    """Two pictures are compared best when they are as large as there is room for."""
    page = chromium.new_page(viewport={"width": 390, "height": 700})
    page.set_default_timeout(8000)
    page.goto(address_of("anna", copies=True))
    expect(page.locator("#title")).not_to_have_text("Loading")
    box = page.locator(".tile").first.bounding_box()
    assert box["width"] > 300 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
