"""A whole run's results, in the formats that the stages write, for the report to show."""

import shutil
from base64 import b64encode
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import yaml

from lrfr import paths
from lrfr.faces import FACE_SCHEMA, LANDMARK_SCHEMA, encode_png, face_id, read_faces, write_faces, write_table
from lrfr.files import read_json, write_csv, write_json, write_text
from lrfr.quality.scoreboard import scoreboard
from tests.stages.test_evaluate import SETS

HOSTILE = '<script>alert("x")</script>'
SKILL = {"random": 0.09, "baseline": 0.34, "tc": 0.42}  # by run
PRETRAINING = {"step": "pretrain", "faces": {"auxiliary": 2592}, "passes": {"auxiliary": 16.0}, "updates": 648}
TRAINED = {
    "random": [],
    "baseline": [PRETRAINING, {"step": "native", "faces": {"native": 1120}, "passes": {"native": 4.0}, "updates": 172}],
    "tc": [
        PRETRAINING,
        {
            "step": "distillation",
            "faces": {"auxiliary": 2592, "native": 1120},
            "passes": {"auxiliary": 1.0, "native": 4.0},
            "updates": 240,
        },
    ],
}
UNALIGNED = {"random": None, "baseline": 3, "tc": 3}  # faces of the benchmark
IDENTITIES, DISTRACTORS, PER_IDENTITY = 8, 60, 4
NETWORK = "vdsr"
CONDITION = f"super_resolved_{NETWORK}"
CHANGE = {"difference": -0.062, "difference_interval": [-0.1, 0.02], "p_value": 0.031}
UPDATES = 60  # of an epoch
PREDICTS = "tc"  # the run that predicts a quality


def params(sets: Iterable[str]) -> dict[str, Any]:
    """params.yaml of the run, with these imported test sets."""
    values = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
    values["methods"] = {run: {"method": run, "backbone": "main"} for run in SKILL}
    values["super_resolution"] = {NETWORK: {}}
    values["evaluate"] |= {"super_resolution": [NETWORK]}
    values["evaluation_sets"] = {name: {"source": SETS[name][0], "root": "."} for name in sets}
    return values


def portrait(rng: np.random.Generator, height: int) -> np.ndarray:
    """A crude face (height, ~0.8 height, 3)."""
    skin = (np.array([215, 170, 140]) * rng.uniform(0.4, 1.05)).clip(0, 255)
    big = np.full((120, 96, 3), rng.integers(30, 200), np.uint8)
    cv2.ellipse(big, (48, 62), (36, 50), 0, 0, 360, skin.tolist(), -1)
    cv2.ellipse(big, (48, 30), (38, 24), 0, 180, 360, (skin * 0.3).tolist(), -1)
    for x in (33, 63):
        cv2.circle(big, (x, 56), 5, (30, 25, 20), -1)
    cv2.ellipse(big, (48, 90), (14, 5), 0, 0, 180, (150, 60, 60), -1)
    small = cv2.resize(big, (round(0.8 * height), height), interpolation=cv2.INTER_AREA)
    return (small + rng.normal(0, 6, small.shape)).clip(0, 255).astype(np.uint8)


def face(rng: np.random.Generator, key: str, height: int, **columns: object) -> dict:
    image = portrait(rng, height)
    row = dict.fromkeys(FACE_SCHEMA.names) | {"face_id": face_id(image, key), "source": "test", "attributes": []}
    return row | {"image": encode_png(image), "width": image.shape[1], "height": height} | columns


def write_tables(rng: np.random.Generator, synthesizers: list[str]) -> None:
    names = [HOSTILE, *(f"p{number:03}" for number in range(1, 2 * IDENTITIES))]
    rows = []
    for number, name in enumerate(names):
        for shot in range(PER_IDENTITY):
            split = "train" if number >= IDENTITIES else ("probe", "gallery")[shot % 2]
            rows.append(face(rng, f"{number} {shot}", int(rng.integers(8, 33)), identity=name, split=split))
    rows += [face(rng, f"d{n}", int(rng.integers(8, 33)), split="distractor") for n in range(DISTRACTORS)]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.BENCHMARK)
    hr = [face(rng, f"hr{n}", 120, identity=f"a{n // 3}", split="train") for n in range(36)]
    write_faces(pa.Table.from_pylist(hr, FACE_SCHEMA), paths.AUXILIARY)
    for name in synthesizers:
        made = [
            face(rng, f"{name} {row['face_id']}", 10 + n % 20, attributes=[("hr_face_id", row["face_id"])])
            for n, row in enumerate(hr)
        ]
        write_faces(pa.Table.from_pylist(made, FACE_SCHEMA), paths.synthetic(name))


def figures(skill: float, gallery: int) -> dict:
    shares = {
        "rank1": skill,
        "rank5": skill + 0.1,
        "rank10": skill + 0.15,
        "rank20": skill + 0.25,
        "rank50": skill + 0.4,
    }
    shares |= {"map": 0.8 * skill, "map_official": 0.7 * skill}
    intervals = {f"{name}_interval": [max(value - 0.03, 0), value + 0.03] for name, value in shares.items()}
    return {**shares, **intervals, "n_probe": 2 * IDENTITIES, "n_gallery": gallery}


def benchmark(run: str) -> dict[str, Any]:
    """What evaluate says of a run on the benchmark."""
    skill, gallery = SKILL[run], 2 * IDENTITIES
    parts = {"distractors": figures(skill, gallery + DISTRACTORS), "no_distractors": figures(skill + 0.1, gallery)}
    changes = {f"{name}_difference": CHANGE for name in ("rank1", "rank20", "rank50", "map")}
    under = {part: figures(skill - 0.062, of["n_gallery"]) | changes for part, of in parts.items()}
    return {
        "protocol": "tinyface",
        "definitions": {"metric": "cosine", "ties": "pessimistic"},
        "n_unaligned": UNALIGNED[run],
        **parts,
        "conditions": {CONDITION: under},
        "rejection": rejection(skill),
        **({"recognizability": recognizability()} if run == PREDICTS else {}),
    }


def write_method(run: str, sets: dict[str, Any]) -> None:
    """What evaluate and the training leave of a run; ``sets`` are its results on the other test sets."""
    skill, gallery = SKILL[run], 2 * IDENTITIES
    aligned = UNALIGNED[run] is not None
    results = {
        "run": run,
        "method": run,
        "backbone": "main",
        "metric": "cosine",
        "presentation": "arcface_112" if aligned else "as_cropped",
        "trained": TRAINED[run],
        "sets": {"benchmark": benchmark(run), **{name: of | {"n_unaligned": None} for name, of in sets.items()}},
    }
    write_json(paths.metrics(run), results)
    shares = np.array([skill, skill + 0.1, skill - 0.062])
    cmc = [[rank, *np.minimum(shares + 0.16 * np.log(rank), 1)] for rank in range(1, gallery + 1)]
    header = ["rank", "with_distractors", "without_distractors", f"with_distractors_{CONDITION}"]
    write_csv(paths.curve(run, "benchmark", "cmc"), header, cmc)
    pr = [[r / 20, skill * (1.3 - r / 20), (skill + 0.1) * (1.3 - r / 20)] for r in range(1, 21)]
    write_csv(paths.curve(run, "benchmark", "pr"), ["recall", "with_distractors", "without_distractors"], pr)
    qualities = ("norm", "size", "ers", "serfiq", "quality") if run == PREDICTS else ("norm", "size")
    columns = [f"{quality} {variant} 0.001" for quality in qualities for variant in ("fixed", "reestimated", "images")]
    falls = [1 + number / 9 for number in range(len(columns))]
    erc = [[r / 100, *[(1 - skill) * (1 - r / 200 * fall / 3) for fall in falls]] for r in range(96)]
    if run == PREDICTS:
        places = (np.arange(30) + 0.5) / 30
        lie = [np.exp(-(((places - middle) / 0.12) ** 2)) for middle in (0.2, 0.45, 0.75)]
        shares = [[place, *(one[row] / one.sum() for one in lie)] for row, place in enumerate(places)]
        write_csv(paths.curve(run, "benchmark", "quality"), ["quality", "unrecognizable", "lr", "hr"], shares)
    write_csv(paths.curve(run, "benchmark", "erc"), ["ratio", *columns], erc)
    write_probes(run, skill, gallery)
    write_training(paths.training_curve("runs", run), range(1, 13) if TRAINED[run] else [])


def add_condition(sets: dict[str, Any]) -> None:
    """What a surveillance set's protocol says of faces after a network: they are as bad as the faces as they are."""
    for found in sets.values():
        if found["protocol"] == "survface":
            under = {part: dict(found[part]) for part in ("verification", "open_set")}
            under["verification"]["accuracy_difference"] = CHANGE
            found["conditions"] = {CONDITION: under}


def write_landmarks() -> None:
    """Where the landmark network found a face in the native ones: in the middle of all but the first."""
    faces = read_faces(paths.BENCHMARK, ["face_id", "width", "height"]).to_pylist()
    shape = np.array([[0.34, 0.4], [0.66, 0.4], [0.5, 0.6], [0.38, 0.8], [0.62, 0.8]])
    points = [(shape * [face["width"], face["height"]]).ravel().tolist() for face in faces]
    columns = {
        "face_id": [face["face_id"] for face in faces],
        "landmarks": pa.array([None, *points[1:]], LANDMARK_SCHEMA.field("landmarks").type),
    }
    write_table(pa.table(columns), paths.NATIVE_LANDMARKS, LANDMARK_SCHEMA)


def write_examples(rng: np.random.Generator) -> None:
    """What visualize shows: two native faces and a shrunk one, each by a network and by a method."""
    rows = []
    for number, shown in enumerate(("native", "native", "sharp")):
        versions = [("captured", "", 12), ("bicubic", "", 48), (NETWORK, "network", 48), ("tc", "method", 48)]
        for source, kind, height in versions + [("original", "", 90)] * (shown == "sharp"):
            attributes = [("face", f"f{number}"), ("shown", shown), ("kind", kind)]
            columns = {"source": source, "identity": f"p{number}", "attributes": attributes}
            rows.append(face(rng, f"{number} {source}", height, **columns))
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.EXAMPLES)
    maps = [
        face(rng, f"map {number} {run}", 40, source=run, identity=f"p{number}", attributes=[("face", f"f{number}")])
        for number in range(3)
        for run in SKILL
    ]
    write_faces(pa.Table.from_pylist(maps, FACE_SCHEMA), paths.ACTIVATIONS)


def write_networks() -> None:
    """How what the runs start from, and the networks beside them, were trained, and what these reach."""
    write_training(paths.training_curve("backbones", "main"), range(1, 17))
    write_training(paths.LANDMARK_CURVE, range(1, 9))
    write_training(paths.training_curve("super_resolution", NETWORK), range(1, 9))
    on_found = [{"height": 8, "cnn6_where_mtcnn_found": None}, {"height": 16, "cnn6_where_mtcnn_found": 9.3}]
    on_found += [{"height": 32, "cnn6_where_mtcnn_found": 6.4}]
    write_json(paths.LANDMARK_METRICS, {"faces": 500, "judged": 120, "heights": on_found})
    error = [
        [8, 21.5, 20.1, 22.9, None, 0.0, 31.0],
        [16, 11.2, 10.1, 12.4, 14.0, 0.4, 30.0],
        [32, 7.1, 6.8, 7.5, 5.0, 0.9, 29.0],
    ]
    header = ["height", "cnn6", "cnn6_low", "cnn6_high", "mtcnn", "mtcnn_found", "mean_shape"]
    write_csv(paths.LANDMARK_ERROR, header, error)
    side = {"psnr": 24.125, "ssim": 0.7312, "psnr_bicubic": 23.5, "ssim_bicubic": 0.7011}
    told = {"network": "vdsr", "width": 0.25, "size": 48, "n_faces": 77, "sides": {"12": side, "8": side}}
    write_json(paths.super_resolution_metrics(NETWORK), told)


def write_probes(run: str, skill: float, count: int) -> None:
    """Ranks of the probes: the first ``skill`` of them are identified, so that a better run beats a worse one."""
    found = np.arange(count) < skill * count
    path = paths.evaluated(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        face_id=np.array([f"f{n}" for n in range(count)]),
        identity=np.arange(count),
        rank=np.where(found, 1, 7),
        average_precision=np.where(found, 1.0, 0.2),
    )


def rejection(skill: float) -> dict:
    areas = {"pauc20": 0.2 * (1 - skill), "pauc95": 0.6 * (1 - skill), "not_resolvable": []}
    areas |= {"pauc20_interval": [0.0, 0.2], "pauc95_interval": [0.0, 0.6]}
    by_variant = {variant: {"0.001": areas} for variant in ("fixed", "reestimated", "images")}
    return {
        "qualities": {"norm": by_variant, "size": by_variant},
        "n_genuine": 120,
        "n_impostor": 900,
        "capped": ["20888 genuine pairs were asked for, 120 exist"],
        "definitions": {"metric": "cosine"},
    }


def recognizability() -> dict:
    """What evaluate says of a quality, for whose ends it takes the first probes and gallery faces that there are."""
    faces = read_faces(paths.BENCHMARK, ["face_id", "split"]).to_pylist()
    ids = [row["face_id"] for row in faces if row["split"] in ("probe", "gallery")]
    told = {"kind": "recognizability", "n": {"unrecognizable": 40, "lr": 32, "hr": 1200}, "range": [0.1, 4.0]}
    return told | {"spearman_size": 0.61, "lowest": ids[:6], "highest": ids[-6:]}


def write_training(path: Path, epochs: Iterable[int]) -> None:
    header = ["step", "learning_rate", "identity", "distillation", "validation_identity"]
    rows = [
        [e * UPDATES, 0.05 * (1 - e / 13), 9 * 0.8**e + 1, 0.4 * 0.9**e, None if e % 2 else 8 * 0.8**e] for e in epochs
    ]
    write_csv(path, header, rows)


def write_run(evaluated: Path, sets: tuple[str, ...]) -> None:
    """A whole run's results in the current folder, in the formats that the other stages write.

    Every run has the same results on the imported test sets and on the SynLR set: those of the ``evaluated`` project.
    """
    values = params(sets)
    write_text(paths.PARAMS, yaml.safe_dump(values, sort_keys=False))
    rng, synthesizers = np.random.default_rng(0), list(values["synthesizers"])
    write_tables(rng, synthesizers)
    write_landmarks()
    write_examples(rng)
    write_networks()
    paths.SYNLR.parent.mkdir(parents=True)
    shutil.copy(evaluated / paths.SYNLR, paths.SYNLR)
    found = read_json(evaluated / paths.metrics("random"))["sets"]
    others = {name: found[name] for name in ("synlr", *sets)}
    add_condition(others)
    for run in SKILL:
        write_method(run, others)
        for name in others:
            folder = paths.curve(run, name, "any").parent
            shutil.copytree(evaluated / paths.curve("random", name, "any").parent, folder)
    bins = [(6, 12, 40, 12), (12, 16, 80, 50), (16, 24, 200, 180), (24, 32, 120, 118), (32, None, 0, 0)]
    by_height = [
        {"from": low, "to": high, "faces": n, "found": k, "recall": k / n if n else None, "false_alarms": 3}
        for low, high, n, k in bins
    ]
    photos = {"native": 640, "auxiliary": 2880, "without_face": 4, "unreadable": 0}
    write_json(
        paths.DETECTION_METRICS,
        {"photos": photos, "faces": {"native": 3000, "auxiliary": 2876}, "by_height": by_height},
    )
    write_json(paths.LABELLER_METRICS, {"agreement": {"overall": {"faces": 2400, "raw": 0.94, "fleiss_kappa": 0.81}}})
    reasons = {"too_large": 300, "not_face": 120, "duplicate": 0, "unrecognizable": 41}
    write_json(
        paths.CURATION_METRICS,
        {"detected": 3000, "kept": 2539, "excluded": reasons, "adjudicated": 140},
    )
    statistics = {"evaluated_expectations": 14, "successful_expectations": 14}
    write_json(paths.VALIDATION_RESULT, {"success": True, "tables": {"benchmark": {"statistics": statistics}}})
    for path, met in ((paths.SYNLR_VALIDATION, 21), (paths.SYNTHETIC_VALIDATION, 30)):
        statistics = {"evaluated_expectations": 31, "successful_expectations": met}
        write_json(path, {"success": met == 31, "tables": {path.stem: {"statistics": statistics}}})
    for name in synthesizers:
        write_json(paths.drift_result(name), drift(name))
    embeddings = {name: drift(name)["summary"]["embeddings"] for name in synthesizers}
    board = scoreboard(embeddings) | {"gate": "warn", "backbone": "main", "embeddings": embeddings}
    write_json(paths.SCOREBOARD, board)


def drift(name: str) -> dict[str, Any]:
    """What drift says of a synthesiser, whose table and the benchmark are there."""
    columns = {"sharpness": {"distance": 0.5, "drifted": True}, "noise": {"distance": 0.02, "drifted": False}}
    far = 0.1 * len(name)  # photographic is farther than downsample
    embeddings = {"mmd": far, "mmd_interval": [far - 0.01, far + 0.01], "frechet": 2.0, "frechet_interval": [1.9, 2.1]}
    embeddings |= {"auc": 0.96, "auc_interval": [0.95, 0.97]}
    native = [row["face_id"] for row in read_faces(paths.BENCHMARK).to_pylist() if row["split"] == "train"]
    synthetic = read_faces(paths.synthetic(name), ["face_id"])["face_id"].to_pylist()
    summary = {"columns": columns, "drifted_share": 0.5, "drift": True, "embeddings": embeddings}
    summary |= {"statistics": {"auc": 0.913, "auc_interval": [0.9, 0.92]}}
    summary |= {"telling": {"native": native[:4], "synthetic": synthetic[:4]}}
    return {"synthesizer": name, "summary": summary, "evidently": {}}


def uri(row: dict) -> str:
    return "data:image/png;base64," + b64encode(row["image"]).decode()


VOID = {"meta", "link", "img", "br", "hr", "input"}  # tags that nothing closes


class Page(HTMLParser):
    """The report as a browser sees it.

    Attributes:
        loaded: what it would load or open.
        anchors: the ids of its sections.
        words: its text.
        images: the attributes of its images.
        tags: every tag.
        unclosed: tags that are open, each within the one before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.anchors, self.words, self.tags = [], [], [], set()
        self.images, self.unclosed = [], []
        self.feed(paths.REPORT.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.handle_startendtag(tag, attrs)
        self.unclosed += [] if tag in VOID else [tag]
        self.anchors += [found.get("id", "")] if tag == "section" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self.images += [dict(attrs)] if tag == "img" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag, f"</{tag}> closes what is not the last open tag"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
