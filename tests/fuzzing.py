"""Damaged files, odd settings and odd command lines, drawn by a seed, and what must hold whatever is drawn: one message
instead of a traceback, no success on failure, and nothing touched outside of the folder.

A case runs in a forked child of this process, which has imported everything once, on one core, so that no work is
spread over processes, which take seconds to start; of a hundred cases one runs as a user would run it. Nothing here may
use threads before the children are forked, so the files that are damaged are made in a child too.
"""

import contextlib
import gc
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SECONDS, WORK = 300, 60  # that a case may take in all, and of a processor
MOST_MEMORY = 16 << 30  # bytes of addresses, of which this process takes some itself
FRESH = 0.01  # of the cases run in processes of their own
BYTES = 1 << 28  # that a case may write into one file
LIMITS = {resource.RLIMIT_FSIZE: BYTES, resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: WORK,
          resource.RLIMIT_AS: MOST_MEMORY}  # fmt: skip
ALLOWED = {0, 1, 2, 3, 130}  # exit codes

OUTSIDE = "../../outside/kept"  # from a case's folder
JUNK = ["", " ", "0", "-1", "1", "1e400", "nan", "-inf", "99999999999999999999", "1000000000000", "null", "true", "~",
        "[]", "{}", OUTSIDE, "nowhere/at/all", "x" * 300, "é", "\u2028", "a\nb", "a,b", "'", '"', "#", ";",
        "2024-13-45", "=1+1", "0x10", "007", "😀", "a b", "$(touch outside)", "*", "%s", "-"]  # fmt: skip
VALUES = [None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.1, 1e-300, 1e300, float("nan"), float("inf"), "",
          "x", OUTSIDE, "é", [], [1], [1, 2], [[1]], {}, {"a": 1}, {"name": "x"}, ["a", 1], "2024-01-01"]  # fmt: skip

STAGES = ["acquire", "detect", "curate", "split", "validate", "card", "synlr", "validate-synthetic", "drift",
          "train-landmarks", "locate-landmarks", "visualize", "report", "package", "code", "check", "doctor", "recover",
          "label-errors"]  # fmt: skip
NAMED = {"synthesize": "downsample", "evaluate": "random", "embed": "random", "pretrain": "main",
         "finetune": "baseline", "train-sr": "vdsr", "apply-sr": "vdsr", "import-testset": "distractors"}  # fmt: skip
TRAIN = {"pretrain", "finetune", "train-sr", "train-landmarks"}  # would run for days where a setting says so
SETS = ["tinyface", "survface", "scface", "ijb", "lfw_pairs", "megaface"]
SOURCES = ["celeba", "recordio", "identity_folders", "photo_folder", "lfw", "tinyface"]
SCORES = {
    "closed-set": ["--probe", "closed/probe.npz", "--gallery", "closed/gallery.npz"],
    "open-set": ["--gallery", "open/gallery.npz", "--mated", "open/mated.npz", "--unmated", "open/unmated.npz"],
    "verification": ["--scores", "scores.npz"],
    "reject": ["--scores", "scores.npz", "--fmr", "0.01"],
    "folds": ["--pairs", "folds.npz"],
    "templates": ["--images", "templates.npz", "--pairs", "template_pairs.csv"],
}
PEOPLE = {"identities": 4, "photos": 2, "auxiliary_identities": 2, "portraits_per_identity": 2}
WARM = ["ruamel.yaml", "lrfr.cli", "lrfr.stages.check", "lrfr.stages.embed_images",
        "lrfr.stages.import_testset"]  # fmt: skip
SOUND = ["check", "acquire", "curate"]  # these commands succeed on the files as they are
VALIDATED = ["validate", "card"]  # these too, once the files were validated, which takes seconds
TABLES = ["validate", "card", "split", "synthesize", "drift", "synlr", "report", "label-errors"]


@dataclass
class Case:
    """What is run, and what must come of it.

    Attributes:
        kind: of the campaign.
        arguments: the command line after ``lrfr``.
        prepare: what is done to the files before.
        fails: whether it cannot succeed.
        makes: files that must be there if it succeeds.
        is_fresh: whether it runs in a new process, on all cores.
    """

    kind: str
    arguments: list[str]
    prepare: Callable[[], object] = lambda: None
    fails: bool = False
    makes: list[str] = field(default_factory=list)
    is_fresh: bool = False


def build(folder: Path, validated: bool) -> None:
    """Makes the files that are damaged: sound ones of every kind that lrfr reads. Run it in a child."""
    import numpy as np
    import torch

    from lrfr.nn.embedder import Architecture, Embedder
    from lrfr.nn.model_file import Model, write_model
    from tests.face_tables import face, split_rows, write_params
    from tests.face_tables import write_faces as write_rows
    from tests.pipeline_tables import sound_tables, write_sound_tables
    from tests.score.files import closed_files, faces, open_files, scored_pairs
    from tests.sources import (
        test_celeba,
        test_ijb,
        test_lfw_pairs,
        test_megaface,
        test_recordio,
        test_scface,
        test_survface,
        test_tinyface,
    )
    from tests.sources.layouts import tree, write

    folder.mkdir(parents=True)
    os.chdir(folder)
    write_params(
        acquire={"source": "generated", "root": "raw", "settings": PEOPLE},
        evaluation_sets={"distractors": {"source": "megaface", "root": "raw/megaface", "settings": {"distractors": 3}}},
    )
    params = yaml.safe_load(Path("params.yaml").read_text())
    _shorten(params)
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    rng = np.random.default_rng(1)
    judged = [row for name in ("benchmark", "excluded") for row in sound_tables()[name]]
    detected = [face(rng, f"detected {number}", 20, identity=f"n{number // 2}") for number in range(6)]
    detected += [row | {"split": None} for row in judged]

    def of_all(tables: dict[str, list[dict]]) -> None:
        for photo in (row["photo_id"] for row in detected):
            tables["photos"].append(tables["photos"][0] | {"photo_id": photo})
            tables["truth"].append(tables["truth"][0] | {"photo_id": photo})

    write_sound_tables(of_all)
    if validated:
        from lrfr.stages import validate

        validate.run()
    write_rows(detected, Path("data/detected/native.parquet"))
    write_rows([row | {"split": None} for row in split_rows()[1]], Path("data/detected/auxiliary.parquet"))
    write_rows([], Path("data/detected/unrecognizable.parquet"))
    Path("annotations/gold.csv").write_text(f"face_id,verdict\n{detected[0]['face_id']},face\n")
    done = {"result": [{"type": "choices", "value": {"choices": ["face"]}, "from_name": "verdict", "to_name": "image"}],
            "was_cancelled": False, "completed_by": 1, "created_at": "2024-05-01T09:00:00Z",
            "updated_at": "2024-05-01T09:30:00Z"}  # fmt: skip
    tasks = [{"id": 1, "data": {"face_id": detected[0]["face_id"]}, "annotations": [done]}]
    Path("export.json").write_text(json.dumps(tasks))

    for name in ("closed", "open"):
        Path(name).mkdir()
    closed_files(Path("closed"))
    open_files(Path("open"))
    scored_pairs(Path())
    who = np.arange(40) // 2
    other = np.where(np.arange(40) % 2, np.roll(who, 7), who)
    np.savez("folds.npz", left=faces(who, 1), right=faces(other, 2), same=who == other, fold=np.arange(40) % 10)
    np.savez("templates.npz", embedding=faces(who, 1), template=who, media=np.arange(40))
    Path("template_pairs.csv").write_text("left,right,same\n" + "".join(f"{n},{(n + n % 2) % 20},{int(n % 2 == 0)}\n"
                                                                        for n in range(20)))  # fmt: skip

    for source in (
        test_tinyface.tinyface,
        test_survface.survface,
        test_scface.scface,
        test_ijb.ijb,
        test_megaface.megaface,
    ):
        source(folder / "raw" / source.__name__)
    test_lfw_pairs.lfw(folder / "raw/lfw_pairs")
    write(folder / "raw/celeba", test_celeba.celeba("img_align_celeba"))
    write(folder / "raw/recordio", test_recordio.files(test_recordio.contents()))
    tree(folder / "raw/identity_folders", *(f"{who}/{number}.jpg" for who in ("a", "b") for number in (1, 2)))
    tree(folder / "raw/photo_folder", "one.jpg", "two.jpg")
    (folder / "raw/photo_folder/faces.csv").write_text("photo,x,y,width,height,identity\none.jpg,1,1,6,8,ann\n")
    tree(folder / "raw/lfw", *(f"{who}/{who}_000{number}.jpg" for who in ("Ann", "Bob") for number in (1, 2)))
    tree(folder / "pictures", "a/1.jpg", "a/2.jpg", "b/3.png")
    (folder / "pictures.csv").write_text("path,identity\npictures/a/1.jpg,ann\npictures/b/3.png,bob\n")

    torch.manual_seed(0)
    architecture = Architecture(backbone="lrfr_ir18", width=0.05, embedding_dim=8, input_size=[20, 16], dropout=0.0)
    embedder = Embedder(architecture)
    write_model(folder / "model", Model(embedder))
    torch.save(dict(list(embedder.backbone.state_dict().items())[:6]), "checkpoint.pt")


def _shorten(tree: Any) -> None:
    """Makes every training as short as it can be."""
    small = {
        "epochs": 1,
        "batch_size": 4,
        "bootstrap": 10,
        "width": 0.125,
        "warmup_epochs": 0,
        "threads": 1,
        "sample": 20,
    }
    for key, value in tree.items():
        if isinstance(value, dict):
            _shorten(value)
        elif key in small:
            tree[key] = small[key]


def draw(rng: random.Random, folder: Path) -> Case:
    """One case on a copy of the files that :func:`build` made."""
    case = rng.choice([_params, _params, _params, _command_line, _command_line, _score, _score, _layout, _layout, _list,
                       _pictures, _table])(rng, folder)  # fmt: skip
    case.is_fresh = rng.random() < FRESH
    return case


def _params(rng: random.Random, folder: Path) -> Case:
    others = [name for name in [*STAGES, *NAMED] if name not in TRAIN]
    command = rng.choice(["check"] * len(others) + others)
    arguments = [command, *([NAMED[command]] if command in NAMED else [])]

    def prepare() -> None:
        if rng.random() < 0.25:
            damage(rng, Path("params.yaml"))
            return
        params = yaml.safe_load(Path("params.yaml").read_text())
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            _change(rng, params)
        Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    return Case(f"params {command}", arguments, prepare)


def _change(rng: random.Random, tree: Any) -> None:
    """Replaces, adds, removes or renames something somewhere in a tree of mappings and lists."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            break
        key = rng.choice(keys)
        if not isinstance(tree[key], dict | list) or rng.random() < 0.2:
            break
        tree = tree[key]
    change = rng.choice(["replace", "replace", "replace", "remove", "add", "rename"])
    if isinstance(tree, list):
        tree.append(rng.choice(VALUES)) if change == "add" or not tree else tree.__setitem__(key, rng.choice(VALUES))
    elif change == "add" or not tree:
        tree[rng.choice([*JUNK, "a", 1, None, True])] = rng.choice(VALUES)
    elif change == "remove":
        del tree[key]
    elif change == "rename":
        tree[rng.choice([*JUNK, str(key) + "s"])] = tree.pop(key)
    else:
        tree[key] = rng.choice([*VALUES, *JUNK])


def _command_line(rng: random.Random, folder: Path) -> Case:
    scores = [["score", name, *options] for name, options in SCORES.items()]
    embed = ["embed", "pictures", "--model", "model", "--out", "out.npz"]
    arguments = rng.choice([
        [rng.choice([*STAGES, *NAMED])], [rng.choice(list(NAMED)), rng.choice(JUNK)], *scores, embed,
        ["import-backbone", "checkpoint.pt", "--architecture", "lrfr_ir18"],
        ["verdicts", "export", "--to", "label-studio", "tasks.json"],
        ["verdicts", "import", "--from", "label-studio", "export.json", "--labeller", "mia"],
        ["params", "params.yaml"], ["label-errors", "--model", rng.choice(JUNK)],
    ])  # fmt: skip
    arguments = list(arguments)
    options = ["--json", "--plots", "--bootstrap", "--seed", "--metric", "--far", "--fpir", "--rank", "--out",
               "--fusion", "--model", "--name", "--format", "--mean", "--std", "--embedding-dim", "--input-size",
               "--licence", "--labeller", "--completed-by", "--help", "--list", "--data-docs", "--nearest"]  # fmt: skip
    places = ["null", "loop", "link", "kept.json", "pictures", "dir/new.json", "dangling", "model/model.safetensors/x"]
    # A path that a user gives may lead anywhere; a name may not
    words = [*places, *(word for word in JUNK if word != OUTSIDE)]
    for _ in range(rng.choice([0, 1, 1, 2])):
        if rng.random() < 0.5 and len(arguments) > 1:
            arguments[rng.randrange(1, len(arguments))] = rng.choice(words)
        else:
            option = rng.choice(options)
            arguments += [option, rng.choice([OUTSIDE, *words] if option in ("--name", "--labeller") else words)]

    def prepare() -> None:
        with contextlib.suppress(PermissionError):
            os.mknod("null", 0o20666, os.makedev(1, 3))
        Path("loop").symlink_to("loop")
        Path("link").symlink_to("kept.json")
        Path("dangling").symlink_to("nowhere/file.json")
        Path("kept.json").write_text("{}")

    return Case(f"command {arguments[0]}", arguments, prepare)


def _score(rng: random.Random, folder: Path) -> Case:
    name = rng.choice(list(SCORES))
    options = list(SCORES[name])
    place = rng.choice([number for number, option in enumerate(options) if "." in option and not option[0].isdigit()])
    file = Path(options[place])
    how = rng.choice(["damage", "damage", "arrays", "csv", "header"])

    def prepare() -> None:
        import numpy as np

        if how == "damage" or file.suffix != ".npz":
            damage(rng, file)
            return
        if how == "header":
            _declare(rng, file)
            return
        with np.load(file) as stored:
            arrays = dict(stored)
        key = rng.choice(list(arrays))
        arrays[key] = _odd(rng, arrays[key])
        np.savez(file, **arrays)

    return Case(f"score {name}", ["score", name, *options, "--bootstrap", "10", "--json", "figures.json"], prepare,
                makes=["figures.json"])  # fmt: skip


def _odd(rng: random.Random, array: Any) -> Any:
    import numpy as np

    hole = np.random.default_rng(0).random(array.shape) < 0.1
    with np.errstate(all="ignore"):
        return rng.choice([
            lambda: array[:0], lambda: array[:1], lambda: array[::-1], lambda: array[..., None], lambda: array.ravel(),
            lambda: np.zeros_like(array), lambda: np.full(array.shape, np.nan), lambda: np.full(array.shape, np.inf),
            lambda: array.astype(str), lambda: array.astype(np.float16), lambda: array.astype(complex),
            lambda: array.astype(float) * 1e300, lambda: -array.astype(float), lambda: np.array("x"),
            lambda: np.where(hole, np.nan, array.astype(float)), lambda: np.array(rng.choices(JUNK, k=len(array))),
            lambda: array.astype("M8[s]") if array.dtype.kind == "i" else array,
        ])()  # fmt: skip


def _declare(rng: random.Random, file: Path) -> None:
    """An archive whose arrays declare another shape or type than they have."""
    import io
    import zipfile

    import numpy as np

    shape = rng.choice([(10**12, 16), (2**62,), (3, 10**9), (-1, 4), (10**6, 16), ()])
    with np.load(file) as stored:
        names = list(stored)
    with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name in names:
            header = io.BytesIO()
            kind = rng.choice(["<f4", "<f8", "<i8", "|O", "<U100000000", "|b1", "|V16"])
            np.lib.format.write_array_header_1_0(header, {"descr": kind, "fortran_order": False, "shape": shape})
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(64))


def _layout(rng: random.Random, folder: Path) -> Case:
    is_set = rng.random() < 0.5
    source = rng.choice(SETS if is_set else SOURCES)

    def prepare() -> None:
        params = yaml.safe_load(Path("params.yaml").read_text())
        chosen = {"source": source, "root": f"raw/{source}", "settings": {}}
        if is_set:
            params["evaluation_sets"] = {"distractors": chosen}
        else:
            params["acquire"] = chosen
        Path("params.yaml").write_text(yaml.safe_dump(params))
        files = sorted(path for path in Path("raw", source).rglob("*") if path.is_file())
        lists = [path for path in files if path.suffix not in (".jpg", ".JPG", ".png")]
        damage(rng, rng.choice(lists if lists and rng.random() < 0.8 else files))

    arguments = ["import-testset", "distractors"] if is_set else ["acquire"]
    return Case(f"layout {source}", arguments, prepare)


def _list(rng: random.Random, folder: Path) -> Case:
    manifest = "annotations/verdicts/anna.csv"
    file, arguments = rng.choice([
        (manifest, ["doctor"]), (manifest, ["curate"]), (manifest, ["validate"]), ("annotations/gold.csv", ["curate"]),
        (manifest, ["verdicts", "export", "--to", "label-studio", "--with-verdicts", "tasks.json"]),
        ("export.json", ["verdicts", "import", "--from", "label-studio", "export.json", "--labeller", "mia"]),
        ("pictures.csv", ["embed", "pictures.csv", "--model", "model", "--out", "out.npz"]),
    ])  # fmt: skip
    return Case(f"list {arguments[0]}", arguments, lambda: damage(rng, Path(file)))


def _pictures(rng: random.Random, folder: Path) -> Case:
    file = rng.choice(
        ["pictures/a/1.jpg", "pictures/b/3.png", "model/model.safetensors", "checkpoint.pt", "pictures.csv"]
    )
    if file == "checkpoint.pt":
        arguments = ["import-backbone", file, "--architecture", "lrfr_ir18"]
        return Case("checkpoint", arguments, lambda: damage(rng, Path(file)), fails=True)
    what = "pictures.csv" if file == "pictures.csv" else "pictures"
    arguments = ["embed", what, "--model", "model", "--out", rng.choice(["out.npz", "out.parquet"])]
    return Case("embed", arguments, lambda: damage(rng, Path(file)), makes=[arguments[-1]])


def _table(rng: random.Random, folder: Path) -> Case:
    command = rng.choice(TABLES)
    arguments = [command, *([NAMED[command]] if command in NAMED else [])]

    def prepare() -> None:
        tables = sorted(path for path in Path("data").rglob("*") if path.is_file())
        damage(rng, rng.choice(tables))

    return Case(f"table {command}", arguments, prepare)


def damage(rng: random.Random, path: Path) -> None:
    """Damages a file: its bytes, its lines, or what it is."""
    content = path.read_bytes()
    is_text = b"\0" not in content and path.suffix not in (".jpg", ".png", ".npz", ".parquet")
    kind = rng.choice(["cut", "flip", "insert", "zero", "empty", "folder", "absent", "loop", "double"]
                      + ["line", "token", "token", "encoding"] * 2 * is_text)  # fmt: skip
    if kind in ("folder", "absent", "loop"):
        path.unlink()
        if kind == "folder":
            path.mkdir()
        if kind == "loop":
            path.symlink_to(path.name)
        return
    changed = bytearray(content)
    place = rng.randrange(len(content)) if content else 0
    if kind == "cut":
        del changed[place:]
    elif kind == "flip":
        for _ in range(rng.choice([1, 4, 64])):
            if changed:
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif kind == "insert":
        changed[place:place] = rng.randbytes(rng.choice([1, 8, 200]))
    elif kind == "zero":
        changed[place : place + 64] = bytes(len(changed[place : place + 64]))
    elif kind == "empty":
        changed.clear()
    elif kind == "double":
        changed += content
    elif kind == "encoding":
        changed[:] = content.decode(errors="replace").encode(rng.choice(["utf-16", "utf-8-sig", "utf-32", "cp037"]))
    elif kind == "line":
        lines = content.splitlines(keepends=True) or [b""]
        number = rng.randrange(len(lines))
        lines[number : number + 1] = rng.choice([[], [lines[number]] * 2, [b"\n"], [lines[number].strip() + b",x\n"]])
        changed[:] = b"".join(lines)
    elif kind == "token":
        text = content.decode(errors="replace")
        words = [word for word in text.replace(",", " ").replace("\t", " ").split() if word] or [""]
        changed[:] = text.replace(rng.choice(words), rng.choice(JUNK), rng.choice([1, -1])).encode()
    path.write_bytes(changed)


def run(case: Case, folder: Path, whole: Path, outside: Path) -> tuple[str, str, int]:
    """Runs a case in a child, in a fresh copy of the files.

    Returns:
        What is wrong, with a word in front by which like cases are put together, no text if nothing is; what it said;
        and how it ended.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder, symlinks=True)
    before = digest(outside)
    said = folder.parent / "said"
    child = os.fork()
    if child == 0:
        _be(case, folder, said)
    status = _wait(child)
    text = said.read_text(errors="replace")
    code = os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL
    if digest(outside) != before:
        return "outside: something was touched", text, code
    return _wrong(case, folder, text, code, in_time=status is not None), text, code


def _wrong(case: Case, folder: Path, text: str, code: int, in_time: bool) -> str:
    if not in_time:
        return f"hang: no end after {SECONDS} s"
    if code < 0:
        return f"died: {signal.Signals(-code).name}"
    if "Traceback (most recent call last)" in text:
        return f"traceback: {text.strip().splitlines()[-1][:150]}"
    if code not in ALLOWED:
        return f"exit: {code}"
    lacking = [name for name in case.makes if not (folder / name).is_file()]
    if code == 0 and (case.fails or lacking):
        return f"success: although {f'{lacking} is not there' if lacking else 'it cannot be'}"
    if code == 1 and "error: " not in text and "problems: " not in text:
        return "silence: it fails without a message"
    return ""


def _be(case: Case, folder: Path, said: Path) -> None:
    """What the child is; it never returns."""
    try:
        os.setsid()
        os.chdir(folder)
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        case.prepare()
        for limit, most in LIMITS.items():
            resource.setrlimit(limit, (most, most))
        if case.is_fresh:
            os.environ["PYTHONPATH"] = str(ROOT / "src")
            os.execv(sys.executable, [sys.executable, "-m", "lrfr", *case.arguments])
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})
        from lrfr.cli import app

        code = 0
        try:
            app(case.arguments, prog_name="lrfr")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(70)


def _wait(child: int) -> int | None:
    """The child's status; None if it had to be killed."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what it started
            return status
        time.sleep(0.003)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def digest(folder: Path) -> str:
    """The names and bytes of all that lies in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path} {path.is_file() and path.read_bytes()}".encode())
    return found.hexdigest()


@contextlib.contextmanager
def prepared(place: Path, validated: bool = False) -> Iterator[tuple[Path, Path, Path]]:
    """The folder of a case, the whole files, and what lies outside and must stay."""
    whole, outside = place / "whole", place / "outside"
    child = os.fork()
    if child == 0:
        try:
            build(whole, validated)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the files could not be made")
    (outside / "annotations").mkdir(parents=True)
    (outside / "kept").write_text("people's work")
    yield place / "a" / "case", whole, outside


def campaign(
    count: int, seed: int, place: Path, share: int = 0, shares: int = 1, validated: bool = False
) -> dict[str, Any]:
    """Runs the cases of one share of several, on files that were ``validated`` or not.

    Returns:
        ``found``, the cases in which something is wrong, by what it is; how many ``ended`` with which status; and how
        many there were of which of the ``kinds``.
    """
    found: dict[str, list[str]] = {}
    ended: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    with prepared(place, validated) as (folder, whole, outside):
        for command in [*SOUND, *VALIDATED * validated]:
            wrong, said, code = run(Case(command, command.split()), folder, whole, outside)
            if wrong or code:
                print(said)
                found["the files are not sound"] = [*found.get("the files are not sound", []), command]
        gc.freeze()  # else collecting garbage copies the pages of this process into each child
        for number in range(share, count, shares):
            rng = random.Random(f"{seed} {number}")
            case = draw(rng, folder)
            wrong, said, code = run(case, folder, whole, outside)
            ended[str(code)] += 1
            if number % 500 == share:
                print(f"case {number:,} of {count:,}", flush=True)
            kinds[case.kind.partition(" ")[0]] += 1
            if wrong:
                which = found.setdefault(f"{case.kind}: {wrong}", [])
                which.append(f"case {number}: {case.arguments}")
                if len(which) == 1:
                    last = "\n".join(said.strip().splitlines()[-8:])
                    print(f"{case.kind}: {wrong}\n{which[0]}\n{last}\n", flush=True)
    return {"found": found, "ended": ended, "kinds": kinds}


def main() -> int:
    """``python -m tests.fuzzing COUNT SEED FOLDER``: prints what is wrong; the exit status says whether anything is."""
    count, seed, place = sys.argv[1:]
    for module in WARM:
        import_module(module)
    found = campaign(int(count), int(seed), Path(place))["found"]
    print(f"{count} cases, {sum(map(len, found.values()))} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
