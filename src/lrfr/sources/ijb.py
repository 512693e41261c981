"""IJB-B and IJB-C, in the layout in public use: loosely cut faces, templates, and lists of pairs and of galleries.

Whitelam et al.: IARPA Janus Benchmark-B, CVPR Workshops 2017; Maze et al.: IARPA Janus Benchmark-C, ICB 2018. A row's
image is the loose crop as it lies there, wider than the face; its five landmarks say where the face is.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr.config import Section
from lrfr.errors import SourceError
from lrfr.faces import ENROLMENT_SCHEMA, PAIR_SCHEMA
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, listed_crops
from lrfr.sources.reading.dataset_files import find, is_picture
from lrfr.sources.reading.list_checks import check_matches, check_once
from lrfr.sources.reading.text_tables import read_columns, read_named_columns

LAYOUT = (
    "a folder with loose_crop/<n>.jpg and meta/, which holds ijbc_face_tid_mid.txt, ijbc_template_pair_label.txt, "
    "ijbc_name_5pts_score.txt, ijbc_1N_gallery_G1.csv, ijbc_1N_gallery_G2.csv and ijbc_1N_probe_mixed.csv; IJB-B's "
    "begin with ijbb_, and its galleries end in G1 or S1, G2 or S2"
)

PROTOCOL = "ijb"

POINTS = [f"point_{number}" for number in range(10)]  # x, y of eyes, nose, mouth corners
ENROLLED = {"template": "TEMPLATE_ID", "identity": "SUBJECT_ID"}  # what galleries and probes call their columns


class Settings(Section):
    """IJB has nothing to set."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads IJB-B or IJB-C, whichever ``meta`` holds; the source is called ijbb or ijbc.

    A face has its ``template`` and ``media``, and the subject of its template as identity where a gallery or the
    probes name it. Pairs are pairs of templates.

    Raises:
        SourceError: a file is missing or not in its published form, or the files contradict each other.
    """
    first = find(root, "meta/ijbc_face_tid_mid.txt", "meta/ijbb_face_tid_mid.txt")
    name = first.removeprefix("meta/").partition("_")[0]
    images = read_columns(root / first, {"name": pa.string(), "template": pa.string(), "media": pa.string()}, " ")
    if not is_picture(named := images["name"][0].as_py()):
        remedy = "its lines are: picture, template, media; take a line of names out"
        raise SourceError(f"the first line names no picture: {named}", where=root / first, remedy=remedy)
    enrolment = _enrolment(root, name)
    identities = _identities(images, enrolment, root / first)
    crops, excluded = listed_crops(root, "loose_crop", identities, None, "template")
    pairs = _pairs(root / find(root, f"meta/{name}_template_pair_label.txt"), images["template"])
    points = _points(root / find(root, f"meta/{name}_name_5pts_score.txt"), images["name"])
    faces, _ = crop_rows(_described(crops, images, points), name, f"reading {name.upper()}", len(crops))
    return Acquired(faces=faces, pairs=pairs, enrolment=enrolment, excluded=excluded_table(excluded))


def _identities(images: pa.Table, enrolment: pa.Table, path: Path) -> dict[str, str | None]:
    """The subject of each image's template, None where no list tells it."""
    subjects = dict(zip(enrolment["template"].to_pylist(), enrolment["identity"].to_pylist(), strict=True))
    names, templates = (images[column].to_pylist() for column in ("name", "template"))
    identities = {name: subjects.get(template) for name, template in zip(names, templates, strict=True)}
    check_once(names, path)
    return identities


def _described(crops: list[Crop], images: pa.Table, points: np.ndarray) -> Iterator[Crop]:
    """The crops with what the lists say of each: template, media, landmarks and score. The order is that of images."""
    templates, media = (images[column].to_pylist() for column in ("template", "media"))
    for number, crop in enumerate(crops):
        attributes = {**crop.attributes, "template": templates[number], "media": media[number]}
        if np.isnan(points[number]).any():
            yield replace(crop, attributes=attributes)
        else:
            *landmarks, score = points[number].tolist()
            yield replace(crop, attributes=attributes, landmarks=landmarks, score=score)


def _points(path: Path, names: pa.ChunkedArray) -> np.ndarray:
    """Five landmarks (x, y in the loose crop, px) and the score of each image: (N, 11), NaN where none are told."""
    table = read_columns(path, {"name": pa.string(), **dict.fromkeys([*POINTS, "score"], pa.float32())}, " ")
    told = np.stack([table[column].to_numpy() for column in [*POINTS, "score"]], axis=1)
    listed = table["name"].to_pylist()
    check_once(listed, path)
    check_matches(names.to_pylist(), set(listed), "has landmarks", path)
    rows = {name: row for row, name in enumerate(listed)}
    nothing = np.full((1, told.shape[1]), np.nan, np.float32)
    return np.concatenate([told, nothing])[[rows.get(name, -1) for name in names.to_pylist()]]


def _pairs(path: Path, templates: pa.ChunkedArray) -> pa.Table:
    """The published pairs of templates: 15.7 million of IJB-C, 8 million of IJB-B."""
    table = read_columns(path, {"left": pa.string(), "right": pa.string(), "same": pa.int8()}, " ")
    strange = set(table["same"].unique().to_pylist()) - {0, 1}
    if strange:
        raise SourceError(f"a label is neither 0 nor 1: {min(strange)}", where=path)
    known = set(templates.to_pylist())
    for side in ("left", "right"):
        unknown = sorted(set(table[side].unique().to_pylist()) - known)
        if unknown:
            raise SourceError(f"{len(unknown)} templates of the pairs have no image, such as {unknown[0]}", where=path)
    table = table.set_column(2, "same", table["same"].cast(pa.bool_()))
    return table.append_column("fold", pa.nulls(table.num_rows, pa.int8())).cast(PAIR_SCHEMA)


def _enrolment(root: Path, name: str) -> pa.Table:
    """The galleries and the probes: one row per template. Some copies list a template once for each of its images."""
    files = {
        "G1": [f"meta/{name}_1N_gallery_G1.csv", f"meta/{name}_1N_gallery_S1.csv"],
        "G2": [f"meta/{name}_1N_gallery_G2.csv", f"meta/{name}_1N_gallery_S2.csv"],
        "probe": [f"meta/{name}_1N_probe_mixed.csv"],
    }
    rows: dict[tuple[str, str], str] = {}
    subjects: dict[str, str] = {}
    for role, places in files.items():
        path = root / find(root, *places)
        table = read_named_columns(path, ENROLLED, ",")
        for template, identity in zip(*(column.to_pylist() for column in table.columns), strict=True):
            rows[role, template] = identity
            if subjects.setdefault(template, identity) != identity:
                what = f"template {template} has two subjects: {subjects[template]} and {identity}"
                raise SourceError(what, where=path, remedy="get the lists from their publisher again, of one copy")
    told = [{"role": role, "template": template, "identity": who} for (role, template), who in rows.items()]
    return pa.Table.from_pylist(told, ENROLMENT_SCHEMA)
