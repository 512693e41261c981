"""What the data consists of: counts, heights, sources, test sets, and whom the faces show."""

from collections import Counter

import numpy as np
import pyarrow as pa

from lrfr.card.blocks import Answer, Figure, Section, Table
from lrfr.card.facts import Facts, TestSet
from lrfr.report.dataset import benchmark_rows, height_figure, partition_rows

PARTITION = ["Data", "All", "Training set", "Probe", "Gallery match", "Gallery distractor"]
COLLECTIONS = ("benchmark", "auxiliary")
DEMOGRAPHICS = ("Male", "Young")  # attributes that say whom a face shows, as CelebA names them
BIN = 3  # px; of heights in words


def composition(facts: Facts) -> Section:
    """The section of that name in a datasheet."""
    benchmark = facts.benchmark
    return Section(
        "Composition",
        [
            Answer("What is in it?", [_said(facts)]),
            Table(
                "This benchmark among others: TinyFace's Table 1 (CSRI, ACCV 2018), as printed, and this one.",
                ["Benchmark", "Mean height, px", "Identities", "Images"],
                [list(row) for row in benchmark_rows(benchmark)],
                frozenset({1, 2, 3}),
                own=frozenset({len(benchmark_rows(benchmark)) - 1}),
            ),
            Table(
                "The partition, as in TinyFace's Table 2.",
                PARTITION,
                [[label, *numbers] for label, numbers in partition_rows(benchmark)],
                frozenset(range(1, len(PARTITION))),
                own=frozenset({0, 1}),
            ),
            _heights(benchmark["height"].to_numpy()),
            _sources(facts),
            _test_sets(facts.test_sets),
            Answer("Whom do the faces show?", [facts.card.demographics]),
            *_demographics(facts),
        ],
    )


def attribute(faces: pa.Table, name: str) -> list[str | None]:
    """One attribute of each face; None where it has none of that name."""
    return [dict(known or []).get(name) for known in faces["attributes"].to_pylist()]


def _said(facts: Facts) -> str:
    photos, came = (facts.detection[kind]["native"] for kind in ("photos", "already_cut"))
    ways = [f"found in {photos:,} photos"] if photos else []
    ways += ["which came already cut"] if came or not photos else []
    return (
        f"{len(facts.benchmark):,} tiny faces, {' or '.join(ways)}, and {len(facts.auxiliary):,} faces of other people "
        "in high resolution to train on. A row is one face with its image, its identity where somebody could name it, "
        "its box and landmarks where they are known, and what it is for. Distractors are faces that nobody could name."
    )


def _heights(heights: np.ndarray) -> Figure:
    """Fig. 4 of CSRI, and the same in steps of 3 px."""
    edges = np.arange(heights.min() // BIN * BIN, heights.max() + BIN + 1, BIN)
    counts, _ = np.histogram(heights, edges)
    rows = [[f"{low}–{low + BIN - 1}", f"{count:,}"] for low, count in zip(edges[:-1], counts, strict=True) if count]
    caption = (
        f"The heights of all faces of the benchmark, as in TinyFace's Fig. 4: {heights.min()} to {heights.max()} px, "
        f"mean {heights.mean():.1f} px. TinyFace's are 6 to 32 px, mean 20 px."
    )
    return Figure(height_figure(heights), Table(caption, ["Height, px", "Faces"], rows, frozenset({1})))


def _sources(facts: Facts) -> Table:
    """Where the faces come from and under which licence, as far as their sources say."""
    rows = []
    for collection, faces in zip(COLLECTIONS, (facts.benchmark, facts.auxiliary), strict=True):
        licences = [licence or "see Distribution" for licence in attribute(faces, "licence")]
        people = list(zip(faces["source"].to_pylist(), licences, faces["identity"].to_pylist(), strict=True))
        for (source, licence), count in sorted(Counter(person[:2] for person in people).items()):
            named = {identity for *place, identity in people if place == [source, licence]} - {None}
            rows.append([source, collection, f"{count:,}", f"{len(named):,}", licence])
    titles = ["Source", "Part", "Faces", "Identities", "Licence"]
    return Table("Sources, with the licence that each states of its faces.", titles, rows, frozenset({2, 3}))


def _test_sets(test_sets: dict[str, TestSet]) -> Table:
    rows = []
    for name, found in test_sets.items():
        named = set(found.faces["identity"].to_pylist()) - {None}
        missing = sum(reason is not None for reason in attribute(found.faces, "missing"))
        licences = sorted({licence for licence in attribute(found.faces, "licence") if licence})
        counts = [len(found.faces), len(named), found.pairs, found.enrolled, missing, len(found.excluded)]
        rows.append([name, found.source, *(f"{count:,}" for count in counts), ", ".join(licences) or "not stated"])
    titles = ["Test set", "Source", "Faces", "Identities", "Pairs", "Enrolled templates", "Unreadable, kept as misses"]
    caption = "Test sets beside the benchmark, imported as they were published. None of their faces is trained on."
    return Table(caption, [*titles, "Excluded", "Licence"], rows, frozenset(range(2, 8)))


def _demographics(facts: Facts) -> list[Table]:
    """How many faces the source says what of; nothing where it says nothing."""
    rows = []
    for collection, faces in zip(COLLECTIONS, (facts.benchmark, facts.auxiliary), strict=True):
        for name in DEMOGRAPHICS:
            counts = Counter(value or "not known" for value in attribute(faces, name))
            if set(counts) != {"not known"}:
                rows += [[collection, name, value, f"{count:,}"] for value, count in sorted(counts.items())]
    caption = "What the sources say of whom the faces show, in their own words."
    return [Table(caption, ["Part", "Attribute", "Value", "Faces"], rows, frozenset({3}))] if rows else []
