"""A whole run's results, in the formats that the stages write, for the report to show."""

import re
import shutil
from base64 import b64encode
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import yaml

from lrfr import paths
from lrfr.faces import FACE_SCHEMA, encode_png, face_id, write_faces
from lrfr.files import read_json, write_json, write_text
from tests.stages.test_evaluate import SETS

HOSTILE = '<script>alert("x")</script>'
SKILL = {"random": 0.09, "baseline": 0.34, "tc": 0.42}
TRAINS_ON = {"random": None, "baseline": "native", "tc": "auxiliary+native"}
IDENTITIES, DISTRACTORS, PER_IDENTITY = 8, 60, 4
NETWORK = "vdsr"
CONDITIONS = ("aligned", f"super_resolved_{NETWORK}")
CHANGE = {"difference": -0.062, "difference_interval": [-0.1, 0.02], "p_value": 0.031}
UPDATES = 60  # of an epoch


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


def write_method(method: str, skill: float) -> None:
    gallery = 2 * IDENTITIES
    results = {"distractors": figures(skill, gallery + DISTRACTORS), "no_distractors": figures(skill + 0.1, gallery)}
    changes = {f"{name}_difference": CHANGE for name in ("rank1", "rank20", "rank50", "map")}
    under = {part: figures(skill - 0.062, of["n_gallery"]) | changes for part, of in results.items()}
    results["conditions"] = dict.fromkeys(CONDITIONS, under)
    told = {"metric": "cosine", "trains_on": TRAINS_ON[method], "tinyface": results, "erc": rejection(skill)}
    write_json(paths.metrics(method), {"method": method, **told})
    ranks = range(1, gallery + 1)
    more = [f"with_distractors_{name}" for name in CONDITIONS]
    found = [[min(more + 0.16 * np.log(k), 1) for more in (skill, skill + 0.1, skill, skill - 0.062)] for k in ranks]
    cmc = [",".join([f"{k}", *(f"{share:.6f}" for share in of)]) for k, of in zip(ranks, found, strict=True)]
    header = ",".join(["rank", "with_distractors", "without_distractors", *more])
    write_text(paths.curve("cmc", method), "\n".join([header, *cmc, ""]))
    pr = [f"{r / 20},{skill * (1.3 - r / 20):.6f},{(skill + 0.1) * (1.3 - r / 20):.6f}" for r in range(1, 21)]
    write_text(paths.curve("pr", method), "\n".join(["recall,with_distractors,without_distractors", *pr, ""]))
    columns = [f"{quality} {variant} 0.001" for quality in ("norm", "size") for variant in ("fixed", "reestimated")]
    erc = [",".join([f"{r / 100}", *[f"{(1 - skill) * (1 - r / 200):.6f}"] * len(columns)]) for r in range(96)]
    write_text(paths.curve("erc", method), "\n".join([",".join(["ratio", *columns]), *erc, ""]))
    write_probes(method, skill, gallery)
    write_training(method, [] if method == "random" else range(1, 13))


def add_conditions(sets: dict) -> None:
    """What test sets' protocols say of conditions, each as bad as the faces as they are."""
    for found in sets.values():
        if found["protocol"] == "survface":
            under = {part: dict(found[part]) for part in ("verification", "open_set")}
            under["verification"]["accuracy_difference"] = CHANGE
            found["conditions"] = {f"super_resolved_{NETWORK}": under}
        if found["protocol"] == "ijb":
            by_norm = {norm: found[norm] | {"rank1_difference": CHANGE} for norm in ("keep_norm", "unit_norm")}
            found["conditions"] = {"aligned": by_norm}


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


def write_networks() -> None:
    """How the networks beside the methods were trained, and what they reach."""
    for name in ("landmarks", f"super_resolution_{NETWORK}"):
        write_training(name, range(1, 9))
    on_found = [{"height": 8, "cnn6_where_mtcnn_found": None}, {"height": 16, "cnn6_where_mtcnn_found": 9.3}]
    on_found += [{"height": 32, "cnn6_where_mtcnn_found": 6.4}]
    write_json(paths.LANDMARK_METRICS, {"faces": 500, "judged": 120, "heights": on_found})
    error = ["8,21.5,20.1,22.9,,0.0,31.0", "16,11.2,10.1,12.4,14.0,0.4,30.0", "32,7.1,6.8,7.5,5.0,0.9,29.0"]
    header = "height,cnn6,cnn6_low,cnn6_high,mtcnn,mtcnn_found,mean_shape"
    write_text(paths.LANDMARK_ERROR, "\n".join([header, *error, ""]))
    side = {"psnr": 24.125, "ssim": 0.7312, "psnr_bicubic": 23.5, "ssim_bicubic": 0.7011}
    told = {"network": "vdsr", "width": 0.25, "size": 48, "n_faces": 77, "sides": {"12": side, "8": side}}
    write_json(paths.super_resolution_metrics(NETWORK), told)


def write_probes(method: str, skill: float, count: int) -> None:
    """Ranks of the probes: the first ``skill`` of them are identified, so that a better method beats a worse one."""
    found = np.arange(count) < skill * count
    path = paths.evaluated(method)
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
    by_variant = {variant: {"0.001": areas} for variant in ("fixed", "reestimated")}
    return {
        "qualities": {"norm": by_variant, "size": by_variant},
        "n_genuine": 120,
        "n_impostor": 900,
        "capped": ["20888 genuine pairs were asked for, 120 exist"],
        "definitions": {"metric": "cosine"},
    }


def write_training(name: str, epochs: Iterable[int]) -> None:
    rows = [
        f"{e * UPDATES},{0.05 * (1 - e / 13):.6f},{9 * 0.8**e + 1:.6f},{0.4 * 0.9**e:.6f},{'' if e % 2 else 8 * 0.8**e}"
        for e in epochs
    ]
    header = "step,learning_rate,identity,distillation,validation_identity"
    write_text(paths.curve("training", name), "\n".join([header, *rows, ""]))


def write_run(evaluated: Path, sets: tuple[str, ...]) -> None:
    """A whole run's results in the current folder, in the formats that the other stages write.

    Every method has the same results on the test sets, those of the ``evaluated`` project.
    """
    text = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
    params = yaml.safe_load(text)
    params["methods"] = {method: {} for method in (*SKILL, "left_out")}
    params["compare"] = list(SKILL)
    params["super_resolution"] = {NETWORK: {}}
    params["evaluate"] |= {"aligned": True, "super_resolution": [NETWORK]}
    params["evaluation_sets"] = {name: {"source": SETS[name][0], "root": "."} for name in sets}
    write_text(paths.PARAMS, yaml.safe_dump(params, sort_keys=False))
    rng, synthesizers = np.random.default_rng(0), list(params["synthesizers"])
    write_tables(rng, synthesizers)
    write_examples(rng)
    write_networks()
    write_training("pretrained", range(1, 17))
    for method, skill in SKILL.items():
        write_method(method, skill)
        on_sets = read_json(evaluated / paths.metrics("random"))["sets"]
        add_conditions(on_sets)
        write_json(paths.metrics(method), read_json(paths.metrics(method)) | {"sets": on_sets})
        shutil.copytree(evaluated / "plots/sets/random", Path("plots/sets") / method)
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
        columns = {"sharpness": {"distance": 0.5, "drifted": True}, "noise": {"distance": 0.02, "drifted": False}}
        summary = {"columns": columns, "drifted_share": 0.5, "drift": True, "classifier_auc": 0.913}
        write_json(paths.drift_result(name), {"synthesizer": name, "summary": summary, "evidently": {}})


def uri(row: dict) -> str:
    return "data:image/png;base64," + b64encode(row["image"]).decode()


class Addresses(HTMLParser):
    """Collects what a browser would load or open, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.tags, self.text, self.images = [], [], [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self.images += [dict(attrs)] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read_page() -> tuple[str, Addresses]:
    page = paths.REPORT.read_text(encoding="utf-8")
    parsed = Addresses()
    parsed.feed(page)
    return page, parsed


def section_of(page: str, anchor: str) -> str:
    """The text of a section, markup and all."""
    return page.split(f'<section id="{anchor}"')[1].split("</section>")[0]


def table_rows(section: str, caption: str) -> list[list[str]]:
    """The rows of the body of the table with this caption: the row's title, then the cells; a space between parts."""
    body = section.partition(caption)[2].split("<tbody>")[1].split("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in rows]
