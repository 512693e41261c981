"""curate: the faces that may enter the benchmark; the others are set aside with a reason, never dropped."""

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import Curate, read_params
from lrfr.core import curation
from lrfr.core.boxes import match
from lrfr.core.detection import TRUTH_OVERLAP
from lrfr.core.verdicts import VERDICTS, Verdict, parse, render, resolve, shared
from lrfr.errors import BenchmarkError, ImageError, ParameterError, VerdictError
from lrfr.faces import FACE_SCHEMA, TRUTH_SCHEMA, decode, read_faces, read_table, write_faces
from lrfr.files import write_json, write_text
from lrfr.progress import track
from lrfr.sources.labellers import simulate

Reasons = dict[str, str]  # why a face is set aside, by face_id


def run() -> None:
    """Sets aside what is corrupt, too large, a copy, a leak, no face, unrecognizable or unverified.

    Raises:
        BenchmarkError: no face is left.
        ParameterError: labellers are to be simulated where nobody knows the truth.
        VerdictError: a manifest has a line that cannot be right.
    """
    params = read_params()
    native, auxiliary = read_faces(paths.DETECTED_NATIVE), read_faces(paths.DETECTED_AUXILIARY)
    human = _read_manifests(paths.VERDICTS, {*native["face_id"].to_pylist(), *auxiliary["face_id"].to_pylist()})
    reasons, copy_of = _picture_reasons(native, auxiliary, params.curate.max_side)
    portraits = [face for face in auxiliary["face_id"].to_pylist() if face not in reasons]
    reasons |= curation.verdict_reasons(portraits, resolve(human), keep_unverified=True)
    reasons |= _lone_images(auxiliary, reasons)

    left = native.filter([face not in reasons for face in native["face_id"].to_pylist()])
    simulated = _simulate(left, params.curate, params.seed)
    machine = [verdict for lines in simulated.values() for verdict in lines]
    outcomes = resolve(machine) | resolve(human)
    judged = left["face_id"].to_pylist()
    reasons |= curation.verdict_reasons(judged, outcomes, keep_unverified=params.curate.unverified == "keep")
    metrics = _summary(native, auxiliary, reasons)
    metrics["agreement"] = _agreement(human + machine)
    metrics["adjudicated"] = sum(outcomes[face].adjudicated for face in judged if face in outcomes)

    write_faces(_kept(native, reasons), paths.CURATED_NATIVE)
    write_faces(_kept(auxiliary, reasons), paths.CURATED_AUXILIARY)
    write_faces(_set_aside(pa.concat_tables([native, auxiliary]), reasons, copy_of), paths.SET_ASIDE)
    _write_simulated(simulated)
    write_json(paths.CURATION_METRICS, metrics)


def _picture_reasons(native: pa.Table, auxiliary: pa.Table, max_side: int) -> tuple[Reasons, Reasons]:
    """Why the pictures alone rule faces out, and, for copies, which face they copy."""
    rows = _ordered(auxiliary, "auxiliary") + _ordered(native, "native")
    reasons, seen, hashes, thumbnails = {}, [], [], []
    for row in track(rows, "comparing faces", unit="face"):
        limit = max_side if row["collection"] == "native" else None
        reason = curation.size_reason(row["width"], row["height"], limit)
        try:
            pixels = decode(row["image"]) if reason is None else None
        except ImageError:
            reason, pixels = "corrupt", None
        if pixels is None:
            reasons[row["face_id"]] = reason
            continue
        seen.append(row)
        hashes.append(_perceptual_hash(pixels))
        size = (curation.THUMBNAIL, curation.THUMBNAIL)
        thumbnails.append(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    copy_of = {}
    for copy, first in curation.find_copies(np.array(hashes, np.uint64), np.array(thumbnails)).items():
        leaked = seen[copy]["collection"] == "native" and seen[first]["collection"] == "auxiliary"
        reasons[seen[copy]["face_id"]] = "leaked" if leaked else "duplicate"
        copy_of[seen[copy]["face_id"]] = seen[first]["face_id"]
    return reasons, copy_of


def _ordered(faces: pa.Table, collection: str) -> list[dict[str, Any]]:
    """The rows in which copies are looked for: of several copies, one with a name is kept before one without."""
    rows = faces.select(["face_id", "image", "width", "height", "identity"]).to_pylist()
    rows = [row | {"collection": collection} for row in rows]
    return sorted(rows, key=lambda row: (row["identity"] is None, row["face_id"]))


def _perceptual_hash(pixels: np.ndarray) -> int:
    """The 64 bits of the DCT hash of an image (H, W, 3), uint8."""
    import imagehash
    from PIL import Image

    bits = imagehash.phash(Image.fromarray(pixels)).hash
    return int.from_bytes(np.packbits(bits).tobytes())


def _lone_images(auxiliary: pa.Table, reasons: Reasons) -> Reasons:
    """Auxiliary faces that are the only one left of their identity: nothing can be learnt from one image."""
    faces = zip(auxiliary["face_id"].to_pylist(), auxiliary["identity"].to_pylist(), strict=True)
    left = [(face, identity) for face, identity in faces if face not in reasons]
    images = Counter(identity for _, identity in left)
    return {face: "too_few_images" for face, identity in left if images[identity] < 2}


def _simulate(faces: pa.Table, options: Curate, seed: int) -> dict[str, list[Verdict]]:
    """The manifests of the simulated labellers; none when none are asked for."""
    if not options.simulated_labellers:
        return {}
    truth = read_table(paths.TRUTH, TRUTH_SCHEMA).to_pylist()
    if not truth:
        what = "labellers can be simulated only where the source knows the truth; this source does not"
        remedy = "set simulated_labellers: {}; people verify the faces in annotations/verdicts, or set unverified: keep"
        raise ParameterError(what, where="params.yaml: curate.simulated_labellers", remedy=remedy)
    by_photo: dict[str, list[dict[str, Any]]] = {}
    for row in truth:
        by_photo.setdefault(row["photo_id"], []).append(row)
    detected: dict[str, list[tuple[str, list[float]]]] = {}
    for face, photo, box in zip(*(faces[name].to_pylist() for name in ("face_id", "photo_id", "box")), strict=True):
        detected.setdefault(photo, []).append((face, box))
    verdicts = {}
    for photo, boxes in detected.items():
        true = by_photo.get(photo, [])
        pairs = dict(match([box for _, box in boxes], [row["box"] for row in true], TRUTH_OVERLAP))
        for index, (face, _) in enumerate(boxes):
            if index not in pairs:
                verdicts[face] = "not_face"
            else:
                verdicts[face] = "face" if true[pairs[index]]["recognizable"] else "unrecognizable"
    return simulate(verdicts, options.simulated_labellers, seed)


def _read_manifests(folder: Path, known: set[str]) -> list[Verdict]:
    """The verdicts of every manifest in a folder; each must be on a face that was detected."""
    verdicts = []
    for path in sorted(folder.glob("*.csv")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise VerdictError("a verdict manifest is not UTF-8 text", where=path, remedy="save it as UTF-8") from error
        verdicts += parse(text, path.stem, path)
    for verdict in verdicts:
        if verdict.face_id not in known:
            what = f"the verdict of {verdict.labeller} is on face {verdict.face_id}, which is not among the"
            what += f" {len(known)} detected faces"
            remedy = "set the source and detect settings back to those that it was made with, or move the manifest out"
            raise VerdictError(what, where=f"{folder / verdict.manifest}.csv:{verdict.line}", remedy=remedy)
    return verdicts


def _write_simulated(manifests: dict[str, list[Verdict]]) -> None:
    """Writes this run's simulated manifests in place of an earlier run's; people's manifests lie elsewhere."""
    paths.SIMULATED_VERDICTS.mkdir(parents=True, exist_ok=True)
    for stale in paths.SIMULATED_VERDICTS.glob("*.csv"):
        stale.unlink()
    for name, lines in manifests.items():
        write_text(paths.SIMULATED_VERDICTS / f"{name}.csv", render(lines))


def _kept(faces: pa.Table, reasons: Reasons) -> pa.Table:
    return faces.filter([face not in reasons for face in faces["face_id"].to_pylist()])


def _set_aside(faces: pa.Table, reasons: Reasons, copy_of: Reasons) -> pa.Table:
    """The faces that are ruled out, with the reason, and what they copy, among their attributes."""
    aside = faces.filter([face in reasons for face in faces["face_id"].to_pylist()])
    attributes = []
    for face, known in zip(aside["face_id"].to_pylist(), aside["attributes"].to_pylist(), strict=True):
        original = [("copy_of", copy_of[face])] if face in copy_of else []
        attributes.append([*(known or []), ("reason", reasons[face]), *original])
    column = pa.array(attributes, FACE_SCHEMA.field("attributes").type)
    return aside.set_column(aside.schema.get_field_index("attributes"), "attributes", column)


def _summary(native: pa.Table, auxiliary: pa.Table, reasons: Reasons) -> dict[str, Any]:
    """How many faces came and stayed, and why the others went.

    Raises:
        BenchmarkError: no native face, or no auxiliary face, stays.
    """
    counts = Counter(reasons.values())
    set_aside = {reason: counts[reason] for reason in curation.REASONS if counts[reason]}
    listed = ", ".join(f"{reason} {count}" for reason, count in set_aside.items())
    for kind, faces in (("native", native), ("auxiliary", auxiliary)):
        if not _kept(faces, reasons).num_rows:
            what = f"no {kind} face is left of {faces.num_rows}; set aside: {listed}"
            remedy = "check the curate section of params.yaml and the verdicts; data/detected holds the faces"
            raise BenchmarkError(what, where="curate", remedy=remedy)
    detected = native.num_rows + auxiliary.num_rows
    print(f"{detected - len(reasons)} of {detected} faces kept; set aside: {listed or 'none'}")
    return {
        "detected": detected,
        "kept": detected - len(reasons),
        "set_aside": set_aside,
    }


def _agreement(verdicts: list[Verdict]) -> dict[str, float | None] | None:
    """Raw agreement and Cohen's kappa of the two labellers with most faces in common."""
    common = shared(verdicts)
    if common is None:
        return None
    from sklearn.metrics import cohen_kappa_score

    first, second = common
    raw = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    # Without any variety there is no agreement by chance to correct for, and kappa is undefined.
    kappa = float(cohen_kappa_score(first, second, labels=VERDICTS)) if len({*first, *second}) > 1 else None
    return {"faces": len(first), "raw": raw, "cohens_kappa": kappa}
