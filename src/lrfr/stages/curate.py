"""curate: the faces that may enter the benchmark; the others are excluded with a reason, never dropped."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import copies, paths
from lrfr.config import Params, read_params
from lrfr.copies import COMPARED, Row, finding
from lrfr.core import curation, gold, names, pair_verdicts
from lrfr.core.gold import Gold
from lrfr.core.names import Name
from lrfr.core.pair_verdicts import COPY, DIFFERENT, Pair, PairVerdict
from lrfr.core.verdicts import Outcome, Verdict, render, resolve
from lrfr.curation import Curate
from lrfr.errors import BenchmarkError, ParameterError
from lrfr.faces import (
    FACE_SCHEMA,
    FINDING_SCHEMA,
    TRUTH_SCHEMA,
    numbered,
    read_faces,
    read_table,
    with_rows,
    write_table,
)
from lrfr.files import write_json, write_text
from lrfr.images import Images, write_selected
from lrfr.manifests import (
    check_detected,
    check_named,
    check_paired,
    read_gold,
    read_manifests,
    read_names,
    read_pair_verdicts,
)
from lrfr.quality.agreement import agreement
from lrfr.quality.labeller_accuracy import accuracy_on_gold
from lrfr.sources.labellers import simulate, true_verdicts

USES = {"train": curation.TRAIN} | dict.fromkeys(("probe", "gallery", "distractor"), curation.TESTED)
REST = {"native": curation.BENCHMARK, "auxiliary": curation.AUXILIARY, "unrecognizable": curation.UNRECOGNIZABLE}
IS_AUXILIARY = pc.field("use") == curation.AUXILIARY
IS_UNRECOGNIZABLE = pc.field("use") == curation.UNRECOGNIZABLE


def run() -> None:
    """Sets aside what is corrupt, too large, a copy, a leak, no face, unrecognizable or unverified.

    A face that is published to be tested stays, whatever is found against it: other people's results are on it too.
    A name that people gave takes the place of the source's. Without auxiliary faces their table stays empty.
    The unrecognizable faces that a run may learn from are those of a source of them, without copies; where there is no
    such source, the native faces that verification excluded as unrecognizable.

    Raises:
        BenchmarkError: no native face is left.
        ParameterError: labellers are to be simulated where nobody knows the truth.
        VerdictError: a manifest has a line that cannot be right.
    """
    params = read_params()
    chosen = params.read("curate", Curate)
    native, auxiliary, unrecognizable = (
        with_rows(read_faces(path))
        for path in (paths.DETECTED_NATIVE, paths.DETECTED_AUXILIARY, paths.DETECTED_UNRECOGNIZABLE)
    )
    known = {*native["face_id"].to_pylist(), *auxiliary["face_id"].to_pylist()}
    human, stated_gold = read_manifests(paths.VERDICTS), read_gold()
    check_detected(human, stated_gold, known)
    named, identities = _names(native)
    native = _renamed(native, identities)
    collections = {
        paths.DETECTED_NATIVE: _with_use(native, "native"),
        paths.DETECTED_AUXILIARY: _with_use(auxiliary, "auxiliary"),
        paths.DETECTED_UNRECOGNIZABLE: _with_use(unrecognizable, "unrecognizable"),
    }
    detected = pa.concat_tables(collections.values())
    findings = _size_findings(detected, chosen.max_side)
    imported = _imported(params)
    judged = _judged_pairs({*known, *unrecognizable["face_id"].to_pylist()}, imported)
    compared = {path: _kept(faces, findings) for path, faces in collections.items()} | imported
    findings += _copies(compared, chosen.near_copies, _decided(judged))
    left = _kept(detected, findings)
    portraits = left.filter(IS_AUXILIARY)
    findings += _verdict_findings(portraits, resolve(human), keep_unverified=True)
    findings += _lone_images(_kept(portraits, findings))

    left = left.filter(~IS_AUXILIARY & ~IS_UNRECOGNIZABLE)
    truth = _truth(left)
    simulated = _simulate(truth, chosen, params.seed)
    machine = [verdict for lines in simulated.values() for verdict in lines]
    outcomes = resolve(machine) | resolve(human)
    findings += _verdict_findings(left, outcomes, keep_unverified=chosen.unverified == "keep")
    findings += _disputed_names(_kept(left, findings), identities)
    metrics = _summary(detected.filter(~IS_UNRECOGNIZABLE), findings) | _by_people(named, identities, judged)
    metrics["adjudicated"] = sum(outcomes[face].adjudicated for face in left["face_id"].to_pylist() if face in outcomes)

    write_selected(_kept(native, findings), paths.DETECTED_NATIVE, paths.CURATED_NATIVE)
    write_selected(_kept(auxiliary, findings), paths.DETECTED_AUXILIARY, paths.CURATED_AUXILIARY)
    nobody, source = _unrecognizable(unrecognizable, native, findings)
    write_selected(nobody, source, paths.CURATED_UNRECOGNIZABLE)
    write_selected(_excluded(detected, findings), list(collections), paths.EXCLUDED)
    write_table(pa.Table.from_pylist(findings, FINDING_SCHEMA), paths.FINDINGS, FINDING_SCHEMA)
    _write_simulated(simulated)
    write_json(paths.CURATION_METRICS, metrics)
    certain = {face: Gold(verdict) for face, verdict in (truth or {}).items()} | gold.settled(human) | stated_gold
    write_json(paths.LABELLER_METRICS, _labellers(human + machine, certain, detected))


def _with_use(faces: pa.Table, collection: str) -> pa.Table:
    """The faces with what each is for, and a test set that none of them is imported in."""
    rest = REST[collection]
    use = [USES.get(split, rest) if collection == "native" else rest for split in faces["split"].to_pylist()]
    faces = faces.append_column("use", pa.array(use, pa.int8()))
    return faces.append_column("test_set", pa.nulls(len(faces), pa.string()))


def _imported(params: Params) -> dict[Path, pa.Table]:
    """The faces that imported test sets test on, to be compared with, by the table that has their images."""
    tables = {}
    for name in sorted(params.evaluation_sets):
        faces = with_rows(read_faces(paths.test_set(name)))
        faces = faces.filter((pc.field("split") != "train") | pc.field("split").is_null())
        faces = faces.append_column("use", pa.array(np.full(len(faces), curation.TESTED), pa.int8()))
        tables[paths.test_set(name)] = faces.append_column("test_set", pa.array([name] * len(faces), pa.string()))
    return tables


def _copies(tables: Mapping[Path, pa.Table], near_copies: float, judged: Mapping[Pair, bool]) -> list[Row]:
    """The copies among the faces of tables, and those that cannot be read."""
    images = [Images(path, faces["row"].to_numpy()) for path, faces in tables.items()]
    faces = pa.concat_tables([faces.select(COMPARED) for faces in tables.values()])
    return copies.find(faces, images, near_copies, judged)


def _judged_pairs(known: set[str], imported: Mapping[Path, pa.Table]) -> dict[Pair, str | None]:
    """What people came to on pairs of detected or imported faces."""
    verdicts: list[PairVerdict] = read_pair_verdicts()
    if verdicts:
        check_paired(verdicts, known.union(*(faces["face_id"].to_pylist() for faces in imported.values())))
    return pair_verdicts.resolve(verdicts)


def _decided(judged: Mapping[Pair, str | None]) -> dict[Pair, bool]:
    """Whether a pair shows one picture, where people are sure."""
    return {pair: said == COPY for pair, said in judged.items() if said in (COPY, DIFFERENT)}


def _names(native: pa.Table) -> tuple[list[Name], dict[str, str | None]]:
    """What people named, and the identity of each face that they named; a published partition has its names."""
    lines = read_names()
    check_named(lines, set(native.filter(pc.field("split").is_null())["face_id"].to_pylist()) if lines else ())
    return lines, names.resolve(lines)


def _renamed(faces: pa.Table, identities: Mapping[str, str | None]) -> pa.Table:
    """The faces under the names that people gave them."""
    if not identities:
        return faces
    rows = zip(faces["face_id"].to_pylist(), faces["identity"].to_pylist(), strict=True)
    column = pa.array([identities.get(face_id) or identity for face_id, identity in rows], pa.string())
    return faces.set_column(faces.schema.get_field_index("identity"), "identity", column)


def _disputed_names(faces: pa.Table, identities: Mapping[str, str | None]) -> list[Row]:
    """The faces that labellers gave several names: whoever they are, some model would learn or be tested wrongly."""
    disputed = [face_id for face_id, identity in identities.items() if identity is None]
    rows = faces.filter(_is_one_of(disputed)).select(["face_id", "use"]).to_pylist()
    return [finding(row, "disputed_name") for row in rows]


def _by_people(
    named: list[Name], identities: Mapping[str, str | None], judged: Mapping[Pair, str | None]
) -> dict[str, Any]:
    """What people named and judged of pairs, said and counted; nothing where nobody did."""
    counts: dict[str, Any] = {}
    if named:
        given = [identity for identity in identities.values() if identity is not None]
        disputed = len(identities) - len(given)
        counts["named"] = {"faces": len(given), "identities": len(set(given)), "disputed": disputed}
        print(f"people named {len(given)} faces of {len(set(given))} identities; on {disputed} names they disagree")
        if disputed:
            print("faces with a disputed name are excluded; next: lrfr review --labeller NAME --adjudicate")
    if judged:
        said = Counter(said or "disputed" for said in judged.values())
        counts["judged_pairs"] = dict(sorted(said.items()))
        print("pairs judged by people: " + ", ".join(f"{word} {count}" for word, count in sorted(said.items())))
    return counts


def _size_findings(faces: pa.Table, max_side: int) -> list[Row]:
    """What rules faces out by their sizes, test faces included; auxiliary and unrecognizable ones are of any size."""
    width, height = faces["width"].to_numpy(), faces["height"].to_numpy()
    limited = curation.size_reasons(width, height, max_side)
    reasons = np.where(
        faces["use"].to_numpy() >= curation.AUXILIARY, curation.size_reasons(width, height, None), limited
    )
    found = np.flatnonzero(reasons)
    rows = faces.select(["face_id", "use"]).take(found).to_pylist()
    return [finding(row, reason) for row, reason in zip(rows, reasons[found], strict=True)]


def _verdict_findings(faces: pa.Table, outcomes: dict[str, Outcome], keep_unverified: bool) -> list[Row]:
    """What verdicts, or the lack of them, say against faces; of those that are published nobody need verify any."""
    rows = {row["face_id"]: row for row in faces.select(["face_id", "use"]).to_pylist()}
    tested = [face for face, row in rows.items() if row["use"] == curation.TESTED]
    reasons = curation.verdict_reasons(tested, outcomes, keep_unverified=True)
    others = [face for face, row in rows.items() if row["use"] != curation.TESTED]
    reasons |= curation.verdict_reasons(others, outcomes, keep_unverified)
    return [finding(rows[face], reason) for face, reason in reasons.items()]


def _lone_images(portraits: pa.Table) -> list[Row]:
    """Auxiliary faces that are the only one left of their identity, or have none: nothing can be learnt from them."""
    _, person = numbered(portraits["identity"])
    lone = (person < 0) | (np.bincount(person + 1)[person + 1] < 2)
    return [finding(row, "too_few_images") for row in portraits.filter(lone).select(["face_id", "use"]).to_pylist()]


def _truth(faces: pa.Table) -> dict[str, str] | None:
    """The verdict that is right for each face; None where the source of their photos does not know it."""
    truth = read_table(paths.TRUTH, TRUTH_SCHEMA).filter(pc.field("photo_id").isin(faces["photo_id"].unique()))
    return true_verdicts(faces, truth) if truth.num_rows else None


def _simulate(truth: dict[str, str] | None, options: Curate, seed: int) -> dict[str, list[Verdict]]:
    """The manifests of the simulated labellers; none when none are asked for."""
    if not options.simulated_labellers:
        return {}
    if truth is None:
        what = "labellers can be simulated only where the source knows the truth; this source does not"
        remedy = "set simulated_labellers: {}; people verify the faces in annotations/verdicts, or set unverified: keep"
        raise ParameterError(what, where="params.yaml: curate.simulated_labellers", remedy=remedy)
    return simulate(truth, options.simulated_labellers, seed)


def _labellers(verdicts: list[Verdict], known: dict[str, Gold], faces: pa.Table) -> dict[str, Any]:
    """How far labellers agree, overall and by the faces' height, and how often they say what is known to be right."""
    height = dict(zip(faces["face_id"].to_pylist(), faces["height"].to_pylist(), strict=True))
    return {"agreement": agreement(verdicts, height), "on_gold": accuracy_on_gold(verdicts, known)}


def _write_simulated(manifests: dict[str, list[Verdict]]) -> None:
    """Writes this run's simulated manifests in place of an earlier run's; people's manifests lie elsewhere."""
    paths.SIMULATED_VERDICTS.mkdir(parents=True, exist_ok=True)
    for stale in paths.SIMULATED_VERDICTS.glob("*.csv"):
        stale.unlink()
    for name, lines in manifests.items():
        write_text(paths.SIMULATED_VERDICTS / f"{name}.csv", render(lines))


def _unrecognizable(collection: pa.Table, native: pa.Table, findings: list[Row]) -> tuple[pa.Table, Path]:
    """The faces that nobody recognises, and the table that has their images."""
    if collection.num_rows:
        kept = _kept(collection, findings)
        print(f"unrecognizable: {kept.num_rows} of {collection.num_rows} faces kept")
        return kept, paths.DETECTED_UNRECOGNIZABLE
    judged = [row["face_id"] for row in findings if row["excluded"] and row["reason"] == "unrecognizable"]
    return native.filter(_is_one_of(judged)), paths.DETECTED_NATIVE


def _kept(faces: pa.Table, findings: list[Row]) -> pa.Table:
    return faces.filter(~_is_one_of([row["face_id"] for row in findings if row["excluded"]]))


def _is_one_of(face_ids: list[str]) -> pc.Expression:
    return pc.field("face_id").isin(pa.array(face_ids, pa.string()))


def _excluded(faces: pa.Table, findings: list[Row]) -> pa.Table:
    """The faces that are ruled out, with the reason, and what they copy, among their attributes."""
    reasons = {row["face_id"]: row for row in findings if row["excluded"]}
    aside = faces.filter(_is_one_of(list(reasons)))
    attributes = []
    for face, known in zip(aside["face_id"].to_pylist(), aside["attributes"].to_pylist(), strict=True):
        row = reasons[face]
        original = [("copy_of", row["copy_of"])] if "copy_of" in row else []
        attributes.append([*(known or []), ("reason", row["reason"]), *original])
    column = pa.array(attributes, FACE_SCHEMA.field("attributes").type)
    return aside.set_column(aside.schema.get_field_index("attributes"), "attributes", column)


def _summary(faces: pa.Table, findings: list[Row]) -> dict[str, Any]:
    """How many faces came and stayed, why the others went, and what was found against test faces, which stayed.

    Raises:
        BenchmarkError: no native face stays.
    """
    about = set(faces["face_id"].to_pylist())
    findings = [row for row in findings if row["face_id"] in about]
    gone = Counter(row["reason"] for row in findings if row["excluded"])
    stayed = Counter(row["reason"] for row in findings if not row["excluded"])
    native, auxiliary = faces.filter(~IS_AUXILIARY), faces.filter(IS_AUXILIARY)
    if not _kept(native, findings).num_rows:
        what = f"no native face is left of {native.num_rows}; excluded: {_listed(native, findings)}"
        remedy = "check the curate section of params.yaml and the verdicts; data/detected holds the faces"
        raise BenchmarkError(what, where="curate", remedy=remedy)
    for collection, some in (("native", native), ("auxiliary", auxiliary)):
        stay = _kept(some, findings).num_rows
        print(f"{collection}: {stay:,} of {len(some):,} faces kept; excluded: {_listed(some, findings)}")
    if not _kept(auxiliary, findings).num_rows:
        print(f"no auxiliary (HR) face is left of {auxiliary.num_rows}: nothing can be trained on HR faces")
    found = [row for row in findings if "copy_of" in row]
    return {
        "detected": faces.num_rows,
        "kept": faces.num_rows - gone.total(),
        "excluded": {reason: gone[reason] for reason in curation.REASONS if gone[reason]},
        "found_in_test": {reason: stayed[reason] for reason in curation.REASONS if stayed[reason]},
        "copies": {
            "kind": dict(Counter(row["kind"] for row in found)),
            "across": dict(Counter(row["across"] for row in found)),
        },
    }


def _listed(faces: pa.Table, findings: list[Row]) -> str:
    """Why faces of a collection are excluded, and how many of them, in words."""
    of_these = set(faces["face_id"].to_pylist())
    gone = Counter(row["reason"] for row in findings if row["excluded"] and row["face_id"] in of_these)
    return ", ".join(f"{reason} {gone[reason]:,}" for reason in curation.REASONS if gone[reason]) or "none"
