"""How many keys, clicks and seconds `lrfr review` costs, driven in a headless Chromium by somebody who knows the truth.

    python benchmarks/review.py     # in the project's root, after `dvc repro detect` on generated people

The verdicts go to a temporary copy of the project. Seconds of a person are not measured but reckoned, by the
keystroke-level model (Card, Moran and Newell, CACM 23(7), 1980), from the keys and clicks that were counted.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from lrfr import paths
from lrfr.core.boxes import match
from lrfr.core.detection import TRUTH_OVERLAP
from lrfr.core.verdicts import parse
from lrfr.faces import TRUTH_SCHEMA, read_faces, read_table

# s: press a key, point with a mouse, press its button, make up one's mind (for each sheet and each wrong face)
KEY, POINT, CLICK, PREPARE = 0.28, 1.1, 0.2, 1.2
LOOK = 0.3  # s, one fixation: what a face that is plainly one takes
GOAL = 5000  # faces an hour
KEYS = {"not_face": "x", "unrecognizable": "r"}
LOOKED_AT = 310  # ms: the page takes no earlier Enter, lest a sheet is saved that nobody saw

# In the page: the milliseconds from Enter, or a click on its button, until the next sheet has been painted
STOPWATCH = """() => {
  window.pageTimes = [];
  let began = null;
  const start = () => { began = performance.now(); };
  addEventListener("keydown", (event) => { if (event.key === "Enter") start(); }, true);
  document.querySelector("#keys button").addEventListener("click", start, true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    if (began !== null) window.pageTimes.push(performance.now() - began);
    began = null;
  }))).observe(document.getElementById("title"), { childList: true });
}"""


@dataclass
class Cost:
    """What the sheets of one run came to; ``page`` is the median time of a sheet's change, s."""

    faces: int
    sheets: int
    wrong: int
    keys: int
    clicks: int
    page: float

    @property
    def overhead(self) -> float:
        """Reckoned seconds a face besides looking at it."""
        hands = self.keys * KEY + self.clicks * (POINT + CLICK)
        return (hands + (self.sheets + self.wrong) * PREPARE + self.sheets * self.page) / self.faces

    def row(self, how: str, order: str) -> str:
        """A line of the table."""
        thousand = 1000 / self.faces
        looking = 3600 / GOAL - self.overhead
        cells = [
            how, order, f"{self.faces:,}", f"{self.wrong / self.faces:.1%}", f"{self.keys * thousand:.0f}",
            f"{self.clicks * thousand:.0f}", f"{self.page * 1000:.0f} ms", f"{self.overhead:.2f} s",
            f"{looking:.2f} s", f"{3600 / (self.overhead + LOOK):,.0f}",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


def truth() -> dict[str, str]:
    """What the renderer knows of each detected face: face, not_face or unrecognizable."""
    by_photo: dict[str, list[dict]] = {}
    for row in read_table(paths.TRUTH, TRUTH_SCHEMA).to_pylist():
        by_photo.setdefault(row["photo_id"], []).append(row)
    if not by_photo:
        sys.exit("the truth of this source is not known; run it on generated people")
    detected: dict[str, list[dict]] = {}
    for row in read_faces(paths.DETECTED_NATIVE, ["face_id", "photo_id", "box"]).to_pylist():
        detected.setdefault(row["photo_id"], []).append(row)
    verdicts = {}
    for photo, faces in detected.items():
        verdicts |= {face["face_id"]: "not_face" for face in faces}
        true = by_photo.get(photo, [])
        for face, known in match([face["box"] for face in faces], [row["box"] for row in true], TRUTH_OVERLAP):
            verdicts[faces[face]["face_id"]] = "face" if true[known]["recognizable"] else "unrecognizable"
    return verdicts


def arrows(start: int, end: int, columns: int, faces: int) -> list[str]:
    """The fewest keys that lead from one face to another."""
    ways = []
    for first, place in ([], start), (["Home"], 0), (["End"], faces - 1):
        for rows in range(-faces // columns, faces // columns + 1):
            rest = end - place - rows * columns
            vertical = ["ArrowDown" if rows > 0 else "ArrowUp"] * abs(rows)
            ways.append([*first, *vertical, *(["ArrowRight" if rest > 0 else "ArrowLeft"] * abs(rest))])
    within = [way for way in ways if stays(way, start, columns, faces)]
    return min(within, key=len)


def stays(way: list[str], place: int, columns: int, faces: int) -> bool:
    """Whether no key of a way leads off the sheet, where the page would ignore it."""
    steps = {"ArrowDown": columns, "ArrowUp": -columns, "ArrowRight": 1, "ArrowLeft": -1}
    for key in way:
        place = 0 if key == "Home" else faces - 1 if key == "End" else place + steps[key]
        if not 0 <= place < faces:
            return False
    return True


def by_keys(page: Page, wrong: dict[int, str], faces: int, count: Counter) -> None:
    """Marks the wrong faces of a sheet, always the nearest next, and saves it."""
    columns, place = page.locator("[role=row]").first.locator(".tile").count(), 0
    while wrong:
        ways = {end: arrows(place, end, columns, faces) for end in wrong}
        place = min(ways, key=lambda end: len(ways[end]))
        for key in [*ways[place], KEYS[wrong.pop(place)]]:
            page.keyboard.press(key)
            count["keys"] += 1
    page.keyboard.press("Enter")
    count["keys"] += 1


def by_mouse(page: Page, wrong: dict[int, str], faces: int, count: Counter) -> None:
    """Clicks the wrong faces, says with a key which are unrecognizable, and saves with Enter."""
    for place, verdict in wrong.items():
        page.locator(".tile").nth(place).click()
        count["clicks"] += 1
        if verdict != "not_face":
            page.keyboard.press(KEYS[verdict])
            count["keys"] += 1
    page.keyboard.press("Enter")
    count["keys"] += 1


def label(page: Page, address: str, known: dict[str, str], hand: Callable[..., None]) -> Cost:
    """Goes through every sheet."""
    sheets: dict[int, list[str]] = {}

    def keep(response: Response) -> None:
        if "/api/sheets/" in response.url:
            answer = response.json()
            sheets[answer["sheet"]] = [face["face_id"] for face in answer["faces"]]

    page.on("response", keep)
    page.goto(address)
    expect(page.locator("#title")).to_have_text(re.compile("Sheet 1 of"))
    page.evaluate(STOPWATCH)
    total, count, seen = int(page.inner_text("#title").split()[-1]), Counter(), []
    for number in range(total):
        page.wait_for_timeout(LOOKED_AT)
        faces = sheets[number]
        wrong = {place: known[face] for place, face in enumerate(faces) if known[face] != "face"}
        seen += faces
        count["wrong"] += len(wrong)
        hand(page, wrong, len(faces), count)
        after = "Done" if number == total - 1 else f"Sheet {number + 2} of"
        expect(page.locator("#title")).to_have_text(re.compile(after))
    times = page.evaluate("() => window.pageTimes")
    return Cost(len(seen), total, count["wrong"], count["keys"], count["clicks"], float(np.median(times)) / 1000)


def run(browser: Browser, known: dict[str, str], how: str, order: str) -> Cost:
    """Labels everything in a copy of the project, and checks that the manifest says the truth."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copy(paths.PARAMS, copy)
        for table in (paths.DETECTED_NATIVE, paths.PHOTOS):
            (copy / table).parent.mkdir(parents=True)
            (copy / table).symlink_to(table.resolve())
        command = [Path(sys.executable).parent / "lrfr", "review", "--labeller", how, "--order", order, "--no-browser"]
        server = subprocess.Popen(command, cwd=copy, stdout=subprocess.PIPE, text=True)
        try:
            while not (address := re.search(r"http://\S+", server.stdout.readline())):
                pass
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            cost = label(page, address[0], known, {"keys": by_keys, "mouse": by_mouse}[how])
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
        manifest = copy / paths.VERDICTS / f"{how}.csv"
        said = {verdict.face_id: verdict.verdict for verdict in parse(manifest.read_text(), how, manifest)}
        assert said == {face: known[face] for face in said} and len(said) == cost.faces
        return cost


def main() -> None:
    """Prints the table."""
    known = truth()
    place = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    print("| by | order | faces | wrong | keys | clicks | next sheet | handling | left to look | faces an hour |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        for how, order in (("keys", "doubtful"), ("mouse", "doubtful"), ("keys", "photo"), ("keys", "identity")):
            print(run(browser, known, how, order).row(how, order), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
