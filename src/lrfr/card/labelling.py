"""How the faces were found, verified, cleaned of copies and parted, with the counts that prove it."""

from collections import Counter

import pyarrow.compute as pc

from lrfr.card.blocks import Answer, Section, Table
from lrfr.card.facts import Facts
from lrfr.core import names
from lrfr.core.verdicts import VERDICTS, WITHDRAWN, Verdict, latest
from lrfr.report.dataset import obtained

MEANING = {
    "empty": "an image of no bytes",
    "not_image": "bytes that are no image",
    "corrupt": "a damaged image",
    "too_big": "an image too big to be opened safely",
    "too_small": "a side of less than 4 px",
    "too_large": "a side longer than low resolution allows",
    "leaked": "a copy of a face that is tested on",
    "two_names": "copies under different names, of which one must be wrong",
    "duplicate": "a copy of a face that stays",
    "not_face": "verified: no face",
    "unrecognizable": "verified: a face that nobody could recognise",
    "unverified": "no verdict, or one that labellers disagree on",
    "disputed_name": "a face that labellers gave several names",
    "too_few_images": "the only image left of somebody to train on",
}
ACROSS = {
    "leak": "a face to train on and one to test on",
    "other_identity": "faces with different names",
    "other_split": "faces of different splits",
    "same_identity": "faces of one person in one split",
    "unnamed": "faces that have no names to compare",
}
PROVES = ("also_trains", "trained_picture")  # the columns of the expectations on each imported test set


def cleaning(facts: Facts) -> Section:
    """The section of that name in a datasheet."""
    return Section(
        "Preprocessing, cleaning and labelling",
        [
            Answer("How were the faces made ready?", preprocessing(facts)),
            _excluded(facts),
            Answer("Are there copies or leaks?", [_copied(facts)]),
            *_copies(facts),
            Answer("How were the faces verified?", [*verification(facts), *_named(facts)]),
            *_labellers(facts),
            Answer("How were the identities parted?", [_parted(facts)]),
            _proof(facts),
        ],
    )


def preprocessing(facts: Facts) -> list[str]:
    """What was done to the faces, step by step."""
    side = facts.curate.max_side
    return [
        *obtained(facts.detection),
        f"Faces with a side of more than {side} px are not low resolution and were excluded.",
        "Damaged images, copies, and faces to train on that copy one to test on were excluded, in a table of their "
        "own with the reason; nothing was deleted.",
    ]


def protocol(facts: Facts) -> str:
    """How verdicts were given, and what follows from them."""
    rest = "stays in" if facts.curate.unverified == "keep" else "is excluded"
    return (
        "Each labeller says of a face: face, not a face, unrecognizable or unsure. Verdicts that agree rule; where "
        f"they disagree, an adjudicator's does. A face without a verdict {rest}."
    )


def verification(facts: Facts) -> list[str]:
    """How faces were verified, if anybody did."""
    return [protocol(facts), *analysis(facts)] if _latest(facts) else analysis(facts)


def analysis(facts: Facts) -> list[str]:
    """How many faces were verified, and how far labellers agree."""
    lines = _latest(facts)
    if not lines:
        return ["Nobody verified faces here; they were taken as their source has them."]
    judged, labellers = (set(names) for names in zip(*lines, strict=True))
    people = labellers & {line.labeller for line in facts.people}
    adjudicated, simulated = facts.curation["adjudicated"], labellers - people
    said = [
        f"{len(judged):,} faces were verified{f', {adjudicated:,} adjudicated' if adjudicated else ''}. Labellers: "
        f"{len(labellers):,}, of them people: {len(people):,}{'; the others are simulated' if simulated else ''}."
    ]
    if facts.labellers["agreement"]:
        overall = facts.labellers["agreement"]["overall"]
        kappa = overall["fleiss_kappa"]
        by_chance = "" if kappa is None else f" (Fleiss' kappa {kappa:.2f})"
        share = f"{100 * overall['raw']:.1f} %"
        said.append(f"Of the verdicts on {overall['faces']:,} faces that several judged, {share} agree{by_chance}.")
    return said


def annotators(facts: Facts) -> list[str]:
    """What is known of who verified; nothing where nobody did."""
    if facts.people:
        return ["Not recorded."]
    return ["No people: labellers were simulated."] if facts.simulated else []


def _named(facts: Facts) -> list[str]:
    """How many faces people named; nothing where nobody did."""
    identities = list(names.resolve(facts.names).values())
    agreed = [identity for identity in identities if identity is not None]
    disputed = len(identities) - len(agreed)
    told = f"People named {len(agreed):,} faces of {len(set(agreed)):,} identities; their names replace the source's."
    return [f"{told} On {disputed:,} faces they disagree; these are excluded."] if identities else []


def _latest(facts: Facts) -> dict[tuple[str, str], Verdict]:
    lines = latest([*facts.people, *facts.simulated])
    return {place: line for place, line in lines.items() if line.note != WITHDRAWN}


def _labellers(facts: Facts) -> list[Table]:
    """What each labeller said how often; nothing where nobody said anything."""
    people = {line.labeller for line in facts.people}
    said: dict[str, Counter[str]] = {}
    for (_, labeller), line in sorted(_latest(facts).items()):
        said.setdefault(labeller, Counter())[line.verdict] += 1
    rows = [
        [name, "person" if name in people else "simulated", *(f"{counts[verdict]:,}" for verdict in VERDICTS)]
        for name, counts in sorted(said.items())
    ]
    titles = ["Labeller", "Kind", *(verdict.replace("_", " ") for verdict in VERDICTS)]
    caption = "The latest verdict of each labeller on each face; adjudications are not among them."
    return [Table(caption, titles, rows, frozenset(range(2, len(titles))))] if rows else []


def _excluded(facts: Facts) -> Table:
    """Every reason with the faces that it excluded, and the published test faces that it would have excluded."""
    findings = facts.findings
    stayed = Counter(findings.filter(~pc.field("excluded"))["reason"].to_pylist())
    gone = facts.curation["excluded"]
    rows = [
        [reason.replace("_", " "), meaning, f"{gone.get(reason, 0):,}", f"{stayed[reason]:,}"]
        for reason, meaning in MEANING.items()
        if gone.get(reason) or stayed[reason]
    ]
    unused = Counter(facts.unused["reason"].to_pylist())
    rows += [[reason.replace("_", " "), "never became a face", f"{count:,}", "0"] for reason, count in unused.items()]
    rows.append(["all", "", f"{sum(gone.values()) + unused.total():,}", f"{stayed.total():,}"])
    titles = ["Reason", "What it means", "Excluded", "Found, but kept"]
    caption = (
        f"Excluded of {facts.curation['detected']:,} faces, and files that never became one. Published test faces are "
        "kept, whatever is found."
    )
    return Table(caption, titles, rows, frozenset({2, 3}))


def _copied(facts: Facts) -> str:
    copies = facts.findings["kind"].drop_null()
    imported = sum(len(found.faces) for found in facts.test_sets.values())
    return (
        f"All faces were compared with one another and with {imported:,} faces of imported test sets, by perceptual "
        f"hash and then pixel by pixel; copies found: {len(copies):,}."
    )


def _copies(facts: Facts) -> list[Table]:
    found = facts.findings.filter(pc.field("kind").is_valid())
    counts = Counter(zip(found["across"].to_pylist(), found["kind"].to_pylist(), strict=True))
    rows = [
        [said, f"{counts[across, 'exact']:,}", f"{counts[across, 'near']:,}"]
        for across, said in ACROSS.items()
        if counts[across, "exact"] + counts[across, "near"]
    ]
    table = Table("Copies by what they lie between.", ["Between", "Exact", "Near"], rows, frozenset({1, 2}))
    return [table] if rows else []


def _parted(facts: Facts) -> str:
    share = facts.split.train_fraction
    return (
        "A published partition stays as it is. Other identities train or test by a hash of their name and the seed: "
        f"about {100 * share:.0f} % of them train, and none changes side when others join. Half of a test identity's "
        "images are probes, half gallery; faces without a name are distractors. These were checked by counting:"
    )


def _proof(facts: Facts) -> Table:
    """What validation found on identities, in its own words."""
    tables = facts.validation["tables"]
    checks = [("benchmark and auxiliary", check) for check in tables["identities"]["expectations"]]
    checks += [
        (table["title"], check)
        for table in tables.values()
        for check in table["expectations"]
        if check["kwargs"].get("column") in PROVES
    ]
    rows = [[where, check["says"], check["observed"]] for where, check in checks]
    return Table("The proof that nobody who is tested was trained on.", ["Where", "What is true", "Observed"], rows)
