"""What the data-quality page says of those who verified the faces."""

import html
import re
from datetime import UTC, datetime

from lrfr.core.gold import Gold
from lrfr.core.verdicts import Verdict
from lrfr.quality.agreement import agreement
from lrfr.quality.labeller_accuracy import accuracy_on_gold
from lrfr.quality.page import render

CHECKED = {"success": True, "parts": [], "tables": {}}
LINES = [
    Verdict(f"f{n}", verdict, name, datetime(2024, 5, 1, n // 60, n % 60, tzinfo=UTC), "", name, n + 2)
    for n in range(120)
    for name, verdict in (("anna", "face"), ("<b>oris", "not_face" if n > 80 else "face"))
]


def text(page: str) -> str:
    """The words of the section on verification."""
    section = page.partition('<section id="verification">')[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())


def test_it_says_who_agrees_with_whom_and_who_drifts():
    gold = {f"f{n}": Gold("face") for n in range(120)}
    height = dict.fromkeys(gold, 14) | {"f0": 40}
    page = render(CHECKED, {"agreement": agreement(LINES, height), "on_gold": accuracy_on_gold(LINES, gold)})
    assert "120 faces were judged by at least two of 2 labellers: <b>oris (120), anna (120)." in text(page)
    pair = "They agree on 67.5 % of 120 faces; Cohen's κ 0.00, by height (px) 12–16: 0.00, 32 and more: –."
    assert pair in text(page)
    assert "12–16 119 67.2 % -0.20 119 32 and more 1 100.0 % – 1 all 120 67.5 %" in text(page)
    assert re.search(r"<b>oris 67.5 %.*✗ drifts anna 100.0 %.*✓ no", text(page))
    assert "<b>" not in page


def test_with_nothing_to_measure_it_says_so():
    page = render(CHECKED, {"agreement": None, "on_gold": {}})
    assert "No face was judged by two labellers" in text(page)
    assert "annotations/gold.csv" in text(page)
