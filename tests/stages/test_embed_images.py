"""lrfr embed WHAT --model M --out F: somebody's images, a model, a file that `lrfr score` reads."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from lrfr import faces
from lrfr.cli import app
from lrfr.core.alignment import TEMPLATE
from lrfr.embed.parts import parts_of
from lrfr.embed.pictures import read_pictures
from lrfr.nn import embedding
from lrfr.nn.alignment import align
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, sha256_of, write_model
from lrfr.stages import embed_images
from tests.face_tables import face, picture

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=[20, 16], dropout=0.0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """No project around: no params.yaml, nothing but a model and pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embed_images, "cores", lambda: 1)
    torch.manual_seed(0)
    write_model(tmp_path / "model", Model(Embedder(ARCHITECTURE)))
    return tmp_path


def draw(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    image = picture(rng, 12 + seed % 9, 10 + seed % 7)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return image


def lrfr(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def embedded(what, out="out.npz", *options, code=0):
    """The arrays of a run."""
    result = lrfr("embed", what, "--model", "model", "--out", out, *options)
    assert result.exit_code == code, result.output
    with np.load(out) as arrays:
        return dict(arrays)


def refused(*arguments):
    result = lrfr("embed", *arguments)
    assert result.exit_code == 1, result.output
    assert "\nerror: " in f"\n{result.stderr}" and "Traceback" not in result.output
    return result.stderr


def expected(images, fusion="none"):
    torch.manual_seed(0)
    return embedding.embed_images(Model(Embedder(ARCHITECTURE)), images, fusion)


def landmark_network(shift=0.0):
    """A network that finds the template's points in every face, or points beside them."""
    points = TEMPLATE.ravel() * 64 / 112 + shift
    network = CNN6(0.05, torch.tensor(points, dtype=torch.float32))
    torch.nn.init.zeros_(network.output.weight)
    return network


def test_a_folder_is_embedded_in_the_order_of_its_paths(folder):
    images = {name: draw(folder / "in" / name, seed) for seed, name in enumerate(["b/2.png", "c.png", "b/10.PNG"])}
    (folder / "in/readme.txt").write_text("no picture")
    draw(folder / "in/.hidden.png")
    draw(folder / "in/.thumbnails/a.png")
    (folder / "in/b/loop").symlink_to(folder / "in", target_is_directory=True)
    found = embedded("in")
    assert set(found) == {"name", "identity", "embedding", "missing", "facts"}
    assert found["name"].tolist() == ["b/10.PNG", "b/2.png", "c.png"]
    assert found["identity"].tolist() == ["b", "b", ""]
    left_out = {row["where"]: row["reason"] for row in read_pictures(folder / "in").excluded}
    assert left_out == {"readme.txt": "not_image", ".hidden.png": "hidden", ".thumbnails": "hidden"}
    assert found["missing"].dtype == bool and not found["missing"].any()
    assert found["embedding"].dtype == np.float32
    assert np.allclose(found["embedding"], expected([images[name] for name in found["name"].tolist()]), atol=1e-5)
    assert not os.path.lexists(".out.npz.parts") and not os.path.lexists("out.npz.unreadable.csv")


def test_a_model_with_super_resolution_embeds_too(folder):
    changed = {"super_resolution": {"network": "vdsr", "width": 0.1}, "preprocessing": {"interpolation": "bicubic"}}
    torch.manual_seed(0)
    embedder = Embedder(Architecture(**(ARCHITECTURE.model_dump() | changed)))
    torch.nn.init.normal_(embedder.super_resolution.residual[-1].weight, std=0.3)
    write_model(folder / "model", Model(embedder))
    image = torch.from_numpy(draw(folder / "in/a.png").copy()).permute(2, 0, 1)[None] / 255
    by_hand = embedder.eval()(image).detach().numpy()
    assert np.allclose(embedded("in")["embedding"], by_hand, atol=1e-5)
    embedder.super_resolution = None
    assert not np.allclose(embedder(image).detach().numpy(), by_hand, atol=1e-3)


def test_the_file_carries_what_the_model_says_of_itself(folder):
    step = TrainedStep(step="training", faces={"native": 20}, passes={"native": 1.0}, updates=3)
    facts = Facts(metric="euclidean", trained=[step], head={"name": "Softmax"}, provenance={"licence": "MIT"})
    write_model(folder / "model", Model(Embedder(ARCHITECTURE), facts))
    draw(folder / "in/a.png")
    assert json.loads(str(embedded("in")["facts"])) == {
        "presentation": "as_cropped",
        "metric": "euclidean",
        "trained": [step.model_dump()],
        "quality": None,
        "model": sha256_of(folder / "model" / FILE),
    }


def test_a_model_that_takes_aligned_faces_aligns_what_it_is_given(folder):
    network = landmark_network()
    torch.manual_seed(0)
    model = Model(Embedder(ARCHITECTURE), Facts(presentation="arcface_112"), landmarks=network)
    write_model(folder / "model", model)
    image = draw(folder / "in/a.png", 3)
    aligned = align(image, TEMPLATE / 112 * image.shape[1::-1])
    found = embedded("in")["embedding"]
    assert np.allclose(found, expected([aligned]), atol=1e-4)
    assert not np.allclose(found, expected([image]), atol=1e-3)
    (folder / "model/landmarks.safetensors").unlink()
    assert "landmarks.safetensors" in refused("in", "--model", "model", "--out", "out.npz")


def test_a_folder_without_folders_has_no_identities(folder):
    draw(folder / "in/a.png")
    assert set(embedded("in")) == {"name", "embedding", "missing", "facts"}


@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_a_list_counts_from_its_own_folder_and_keeps_its_order_and_repetitions(folder, monkeypatch, ending):
    images = [draw(folder / f"data/{number}, é.png", number) for number in range(2)]
    paths = ["1, é.png", str(folder / "data/0, é.png"), "1, é.png"]  # the user's own list may lead anywhere
    lines = [f'"{path}",p{number}' for number, path in enumerate(paths)]
    text = "\r\n".join(paths) if ending == "txt" else "\n".join(["path,identity", *lines])
    (folder / f"data/list.{ending}").write_text(text, encoding="utf-8-sig")
    found = embedded(f"data/list.{ending}")
    assert found["name"].tolist() == paths
    assert np.allclose(found["embedding"], expected([images[1], images[0], images[1]]), atol=1e-5)
    assert found.get("identity", np.array([])).tolist() == (["p0", "p1", "p2"] if ending == "csv" else [])


def test_a_table_is_embedded_from_every_row_group(folder):
    rng = np.random.default_rng(0)
    rows = [face(rng, str(number), 14, identity=None if number % 3 else f"p{number}") for number in range(20)]
    rows[4]["attributes"] = [("missing", "no_face")]  # can be read, and is not looked at
    pq.write_table(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), folder / "faces.parquet", row_group_size=7)
    found = embedded("faces.parquet", code=3)
    assert found["name"].tolist() == [row["face_id"] for row in rows]
    assert found["identity"].tolist() == [row["identity"] or "" for row in rows]
    assert np.flatnonzero(found["missing"]).tolist() == [4]
    there = [faces.decode(row["image"]) for row in rows if row["attributes"][0][0] != "missing"]
    assert np.allclose(found["embedding"][~found["missing"]], expected(there), atol=1e-5)


@pytest.mark.parametrize("start", [0, 1, 6, 7, 13, 14, 19, 20])
def test_a_table_is_gone_on_with_from_any_row(folder, start):
    rng = np.random.default_rng(0)
    rows = [face(rng, str(number), 12) for number in range(20)]
    pq.write_table(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), folder / "faces.parquet", row_group_size=7)
    found = list(read_pictures(folder / "faces.parquet").encoded(start))
    assert found == [row["image"] for row in rows[start:]]


def test_what_cannot_be_read_keeps_its_row_and_is_listed(folder):
    image = draw(folder / "in/good.png")
    (folder / "in/empty.jpg").touch()
    (folder / "in/broken.png").write_bytes((folder / "in/good.png").read_bytes()[:60])
    (folder / "in/text.jpg").write_text("hello")
    (folder / "in/folder.jpg").mkdir()
    os.mkfifo(folder / "in/pipe.jpg")
    names = ["empty.jpg", "good.png", "broken.png", "text.jpg", "nowhere.jpg", "folder.jpg", "pipe.jpg", "a\0b.jpg"]
    (folder / "in/list.txt").write_text("\n".join(names))
    result = lrfr("embed", "in/list.txt", "--model", "model", "--out", "out.npz")
    assert result.exit_code == 3
    assert "7 of 8 pictures could not be read" in result.stdout and "out.npz.unreadable.csv" in result.stdout
    with np.load("out.npz") as found:
        assert found["missing"].tolist() == [name != "good.png" for name in names]
        assert np.allclose(found["embedding"][1], expected([image])[0], atol=1e-5)
        assert not found["embedding"][found["missing"]].any()
    reasons = (folder / "out.npz.unreadable.csv").read_text().replace("\0", "?").splitlines()
    assert reasons == [
        "name,reason", "empty.jpg,empty", "broken.png,corrupt", "text.jpg,not_image", "nowhere.jpg,no_file",
        "folder.jpg,no_file", "pipe.jpg,no_file", "a?b.jpg,no_file",
    ]  # fmt: skip
    (folder / "in/list.txt").write_text("good.png")
    embedded("in/list.txt")
    assert not os.path.lexists("out.npz.unreadable.csv")


def test_parquet_has_the_same_rows(folder):
    for number in range(3):
        draw(folder / f"in/p{number}/x.png", number)
    (folder / "in/p1/y.png").touch()
    arrays = embedded("in", "out.npz", "--fusion", "mirror_concat", code=3)
    assert lrfr("embed", "in", "--model", "model", "--out", "o.parquet", "--fusion", "mirror_concat").exit_code == 3
    table = pq.read_table(folder / "o.parquet")
    assert table.schema.metadata[b"facts"].decode() == str(arrays.pop("facts"))
    assert table.column_names == list(arrays)
    for name, values in arrays.items():
        assert table[name].to_pylist() == values.tolist()


def test_the_result_can_be_scored(folder):
    for part, stranger in (("probe", False), ("gallery", True)):
        for number in range(6):
            draw(folder / part / f"person {number}/1.png", number)
        if stranger:
            draw(folder / part / "stranger.png", 99)
        embedded(part, f"{part}.npz")
    result = lrfr("score", "closed-set", "--probe", "probe.npz", "--gallery", "gallery.npz", "--json", "-")
    assert result.exit_code == 0, result.output
    scored = json.loads(result.stdout)
    assert (scored["rank1"], scored["n_probe"], scored["n_gallery"]) == (1.0, 6, 7)


@pytest.mark.parametrize("fusion", ["mirror_sum", "mirror_concat"])
def test_a_fusion_is_asked_for_by_its_name(folder, fusion):
    image = draw(folder / "in/a.png", 3)
    found = embedded("in", "out.npz", "--fusion", fusion)["embedding"]
    assert np.allclose(found, expected([image], fusion), atol=1e-4)
    assert found.shape == (1, 16 if fusion == "mirror_concat" else 8)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(embed_images, "BATCH", 2)
    monkeypatch.setattr(embed_images, "PART", 4)


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(folder, monkeypatch, small_parts, parts):
    for number in range(15):
        draw(folder / f"in/p{number % 4}/{number}.png", number)
    (folder / "in/p1/broken.png").touch()
    lrfr("embed", "in", "--model", "model", "--out", "whole.npz")
    whole, read = (folder / "whole.npz").read_bytes(), embed_images._read
    seen = []

    def stops(encoded):
        seen.append(encoded)
        if len(seen) > parts * 4 + 2:  # the threads are at most a batch ahead
            raise KeyboardInterrupt
        return read(encoded)

    monkeypatch.setattr(embed_images, "_read", stops)
    result = lrfr("embed", "in", "--model", "model", "--out", "out.npz")
    assert result.exit_code == 130 and "run the same command again to go on" in result.stderr
    assert not (folder / "out.npz").exists()
    monkeypatch.setattr(embed_images, "_read", lambda encoded: again.append(encoded) or read(encoded))
    again = []
    result = lrfr("embed", "in", "--model", "model", "--out", "out.npz")
    assert result.exit_code == 3
    assert len(again) == 16 - 4 * parts
    assert (f"going on after {4 * parts} of 16" in result.stdout) == (parts > 0)
    assert (folder / "out.npz").read_bytes() == whole
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("change", ["model", "landmarks", "fusion", "pictures"])
def test_parts_of_something_else_are_not_used(folder, monkeypatch, small_parts, change):
    if change == "landmarks":
        model = Model(Embedder(ARCHITECTURE), Facts(presentation="arcface_112"), landmarks=landmark_network())
        write_model(folder / "model", model)
    for number in range(8):
        draw(folder / f"in/{number}.png", number)
    write_unreadable = embed_images.write_unreadable
    monkeypatch.setattr(embed_images, "write_unreadable", lambda *given: 1 / 0)  # stopped when all parts are there
    assert lrfr("embed", "in", "--model", "model", "--out", "out.npz").exception
    monkeypatch.setattr(embed_images, "write_unreadable", write_unreadable)
    options = []
    if change == "model":
        torch.manual_seed(1)
        write_model(folder / "model", Model(Embedder(ARCHITECTURE)))
    elif change == "landmarks":
        write_landmark_model(folder / "model", landmark_network(4.0))
    elif change == "fusion":
        options = ["--fusion", "mirror_sum"]
    else:
        draw(folder / "in/0.png", 20)
    found = embedded("in", "out.npz", *options)
    assert np.array_equal(found["embedding"], embedded("in", "anew.npz", *options)["embedding"])


KILLED = """
import os, signal
from lrfr.cli import app
from lrfr.core.alignment import TEMPLATE
from lrfr.stages import embed_images
embed_images.BATCH, embed_images.PART, embed_images.cores = 2, 4, lambda: 1
read, seen = embed_images._read, []

def killed(encoded):
    seen.append(encoded)
    return os.kill(os.getpid(), signal.SIGKILL) if len(seen) > 13 else read(encoded)

embed_images._read = killed
app()
"""


def test_a_killed_run_goes_on(folder, small_parts):
    for number in range(15):
        draw(folder / f"in/{number}.png", number)
    command = ["embed", "in", "--model", "model", "--out"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *command, "out.npz"], stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL and not (folder / "out.npz").exists()
    assert "going on after" in lrfr(*command, "out.npz").stdout
    assert "going on" not in lrfr(*command, "whole.npz").stdout
    assert (folder / "out.npz").read_bytes() == (folder / "whole.npz").read_bytes()


def test_two_runs_do_not_write_the_same_file(folder):
    draw(folder / "in/a.png")
    with parts_of(folder / "out.npz", "another run's"):
        assert "another process is writing" in refused("in", "--model", "model", "--out", "out.npz")
    embedded("in")


def test_mistakes_are_told(folder):
    draw(folder / "in/a.png")
    (folder / "empty").mkdir()
    (folder / "list.txt").write_text("\n \n")
    (folder / "list.csv").write_text("file,identity\na.png,x\n")
    (folder / "ragged.csv").write_text("path,identity\na.png\n")
    (folder / "bad.parquet").write_text("no table")
    (folder / "latin.txt").write_bytes("\xe9.png".encode("latin-1"))
    pq.write_table(pa.table({"face_id": ["a"]}), folder / "lacks.parquet")
    (folder / "in/picture.bin").touch()
    (folder / "all_broken").mkdir()
    (folder / "all_broken/a.jpg").touch()
    told = {
        "nowhere": "there is nothing of this name",
        "empty": "there are no pictures",
        "list.txt": "there are no pictures",
        "list.csv": r"no column 'path'",
        "ragged.csv": "row 1 below the header",
        "latin.txt": "UTF-8",
        "bad.parquet": "not a readable face table",
        "lacks.parquet": "columns are missing: image",
        "in/picture.bin": "neither a folder, nor a list, nor a face table",
        "all_broken": "none of the pictures can be read",
    }
    for what, message in told.items():
        assert message in refused(what, "--model", "model", "--out", "out.npz")
    assert "such as models/runs/baseline" in refused("in", "--model", "nowhere", "--out", "out.npz")
    assert "let its name end in .npz or .parquet" in refused("in", "--model", "model", "--out", "out.csv")
    (folder / "folder.npz").mkdir()
    assert "this is a folder" in refused("in", "--model", "model", "--out", "folder.npz")
    assert "what is to be embedded" in refused("lacks.parquet", "--model", "model", "--out", "./lacks.parquet")
    for options in (["--model", "model"], ["--out", "out.npz"], ["--fusion", "mirror_sum"]):
        assert "--model and --out go together" in refused("in", *options)
    assert not (folder / "out.npz").exists()


def test_a_model_that_gives_no_numbers_is_told(folder):
    draw(folder / "in/a.png")
    broken = Embedder(ARCHITECTURE)
    torch.nn.init.constant_(next(broken.parameters()), float("nan"))
    write_model(folder / "model", Model(broken))
    assert "not finite" in refused("in", "--model", "model", "--out", "out.npz")


def test_the_guide_works(folder):
    """Every command and the program of docs/embedding.md."""
    guide = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text(encoding="utf-8")
    (folder / "models/runs").mkdir(parents=True)
    (folder / "model").rename(folder / "models/runs/baseline")
    for number in range(4):
        for part in ("probe", "gallery"):
            draw(folder / part / f"p{number}/{part}.png", number)
    commands = re.findall(r"^lrfr (.*)$", guide, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert lrfr(*command.split()).exit_code == 0, command
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    made = {}
    exec(program, made)
    with np.load("probe.npz") as alone:
        assert made["embeddings"].shape == alone["embedding"].shape


@pytest.mark.parametrize(
    ("image", "attributes"),
    [("a.png", None), ({"bytes": b"", "path": ""}, None), ([1, 2], None), (b"", "missing"), (b"", {"missing": None})],
)
def test_a_table_whose_columns_hold_something_else_is_told(folder, image, attributes):
    columns = {"face_id": ["a"], "image": [image]} | ({"attributes": [attributes]} if attributes else {})
    pq.write_table(pa.table(columns), "faces.parquet")
    told = refused("faces.parquet", "--model", "model", "--out", "out.npz")
    assert f"the column {'attributes' if attributes else 'image'} is" in told


def test_a_name_that_cannot_be_a_path_is_a_picture_that_is_not_there(folder):
    draw(folder / "a.png")
    (folder / "list.txt").write_text("a.png\n" + "b" * 5000)
    assert embedded("list.txt", code=3)["missing"].tolist() == [False, True]
    assert "File name too long" in refused("b" * 5000, "--model", "model", "--out", "other.npz")


@pytest.mark.parametrize(
    ("out", "says"),
    [("a.png/out.npz", "nothing can be written"), ("/proc/out.npz", "nothing can"), ("b" * 300 + ".npz", "too long")],
)
def test_a_place_that_cannot_be_written_to_is_told(folder, out, says):
    draw(folder / "a.png")
    (folder / "list.txt").write_text("a.png")
    assert says in refused("list.txt", "--model", "model", "--out", out)


def test_nothing_is_kept_of_a_run_that_could_read_nothing(folder):
    (folder / "in").mkdir()
    (folder / "in/a.png").write_text("no picture")
    refused("in", "--model", "model", "--out", "out.npz")
    assert {path.name for path in folder.iterdir()} == {"in", "model", "out.npz.unreadable.csv"}


def test_a_picture_that_was_replaced_with_its_time_kept_is_another(folder):
    draw(folder / "in/a.bmp")
    before, times = read_pictures(folder / "in").fingerprint, (folder / "in/a.bmp").stat()
    content = bytearray((folder / "in/a.bmp").read_bytes())
    content[-1] ^= 1
    (folder / "in/a.bmp").write_bytes(content)
    while (folder / "in/a.bmp").stat().st_ctime_ns == times.st_ctime_ns:  # the clock of files is coarse
        os.utime(folder / "in/a.bmp", ns=(times.st_atime_ns, times.st_mtime_ns))
    os.utime(folder / "in/a.bmp", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_pictures(folder / "in").fingerprint != before


def test_a_name_has_one_form(folder):
    for place in ("Jos\u00e9/1.png", "Jose\u0301/2.png", "11.0/3.png"):
        draw(folder / "faces" / place)
    assert sorted(read_pictures(folder / "faces").columns["identity"].to_pylist()) == ["11", "Jos\u00e9", "Jos\u00e9"]
    (folder / "list.csv").write_text("path,identity,template\na.png, 11.0,7\nb.png,,7.0\n")
    columns = read_pictures(folder / "list.csv").columns.to_pydict()
    assert columns == {"name": ["a.png", "b.png"], "identity": ["11", ""], "template": ["7", "7"]}
    (folder / "list.csv").write_text("path,identity\na.png,nan\n")
    assert "the identity 'nan' is what programs write" in refused("list.csv", "--model", "model", "--out", "o.npz")


def test_a_list_without_an_end_is_not_read(folder):
    (folder / "list.csv").symlink_to("/dev/zero")
    assert "the list is a device" in refused("list.csv", "--model", "model", "--out", "out.npz")


def test_a_list_with_two_columns_of_one_name_is_told(folder):
    (folder / "list.csv").write_text("path,identity,identity\na.png,a,b\n")
    assert "two columns 'identity'" in refused("list.csv", "--model", "model", "--out", "out.npz")


@pytest.mark.parametrize("ending", [".npz", ".parquet"])
def test_a_quality_is_a_column_beside_the_embedding(folder, ending):
    torch.manual_seed(0)
    architecture = ARCHITECTURE.model_dump() | {"quality": {"name": "recognizability", "dropout": 0.4}}
    embedder = Embedder(Architecture(**architecture)).eval()
    write_model(folder / "model", Model(embedder, Facts(quality="recognizability")))
    images = [draw(folder / f"in/{number}.png", number) for number in (1, 3)]
    (folder / "in/2.png").write_bytes(b"no picture")
    lrfr("embed", "in", "--model", "model", "--out", f"out{ending}", "--fusion", "mirror_sum")
    if ending == ".npz":
        with np.load("out.npz") as arrays:
            quality, facts = arrays["quality"], str(arrays["facts"])
    else:
        table = pq.read_table("out.parquet")
        quality, facts = table["quality"].to_numpy(), table.schema.metadata[b"facts"].decode()
    with torch.inference_mode():
        alone = [
            embedder.assess(torch.from_numpy(image.transpose(2, 0, 1).copy())[None] / 255)[1].item() for image in images
        ]
    assert quality.dtype == np.float32 and quality[1] == -np.inf
    assert quality[[0, 2]].tolist() == pytest.approx(alone, rel=1e-3, abs=1e-4)
    assert json.loads(facts)["quality"] == "recognizability"
