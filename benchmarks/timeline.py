"""Twelve weeks of arrivals, good and bad ones, through ``monitor`` and ``retrain`` in simulated time; and quiet
timelines, in which every alarm is a false one.

    python benchmarks/timeline.py FOLDER [--quiet 10] [--seed 7]     # in the project's root

Works in FOLDER, on a copy of the project with generated people and small networks. The flows run without Prefect: what
they do is what ``flows/monitor.py`` and ``flows/retrain.py`` do, with DVC's stages, releases, git and all.
"""

import argparse
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from lrfr.sources.rendering.capture import SMALL_SIDE, far, sit  # noqa: E402
from lrfr.sources.rendering.identity import draw_identity  # noqa: E402
from tests.e2e.test_pipeline import COPIED  # noqa: E402

START = datetime(2026, 1, 5, 3, tzinfo=UTC)  # a Monday
STREAM = 900  # of people; those of sources are below
FACE_HEIGHT = (14, 30)  # px
PEOPLE, IMAGES = 110, 6  # of the first batch
WEEKS = 12
Pixels = np.ndarray
Change = Callable[[Pixels, np.random.Generator], Pixels]


def settings(params: dict[str, Any]) -> dict[str, Any]:
    """Generated people in batches, one run that is trained, and networks that a processor trains in a minute."""
    sides = {"identities": 2, "photos": 1, "auxiliary_identities": 130, "portraits_per_identity": 8}
    generated = {"source": "generated", "root": "src/lrfr/sources/rendering", "settings": sides}
    batches = {"source": "batches", "root": "raw/batches", "settings": {"of": "identity_folders"}}
    params["acquire"] = batches | {"auxiliary": generated}
    params["curate"].update(unverified="keep", simulated_labellers={})
    params["validate"].update(min_identities=10, min_distractors=0, mean_height=[8, 32])
    hr = params["evaluation_sets"]["distractors"]
    params["evaluation_sets"] = {"distractors": hr | {"settings": {"identities": 300, "images": 3, "distractors": 20}}}
    params["synthesizers"] = {"downsample": {}}
    params["methods"] = {name: params["methods"][name] for name in ("random", "baseline")}
    params["evaluate"].update(bootstrap=200, super_resolution=[], sides=[16], widths=[25])
    backbone = params["backbones"]["main"]
    backbone["presentation"] = "as_cropped"
    backbone["architecture"].update(width=0.25, embedding_dim=128, input_size=32)
    backbone["training"].update(epochs=12)
    params["landmarks"]["width"] = 0.25
    for section in (params["landmarks"], *params["super_resolution"].values()):
        section["training"].update(epochs=1, warmup_epochs=0)
    params["retrain"].update(growth=0.3)
    params["threads"] = 1
    told = {key: "Arrivals that are played." for key in ("description", "purpose", "citation", "collection")}
    params["card"] |= {"name": "timeline", "consent": "Not asked for.", "demographics": "None."} | told
    params["card"]["limits"] = ["It is played."]
    return params


def analogue(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """An old camera on a long cable: what is fine in a line is lost, colours run and turn to green, and it is noisy."""
    light, *colours = cv2.split(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb))
    light = 0.2 + 0.55 * cv2.blur(light, (3, 1))
    red, blue = (cv2.blur(colour, (5, 1)) for colour in colours)
    sent = cv2.cvtColor(cv2.merge([light, red - 0.06, blue - 0.04]), cv2.COLOR_YCrCb2RGB)
    return (255 * (sent + rng.normal(0, 0.02, sent.shape))).clip(0, 255).astype(np.uint8)


def dimmer(share: float) -> Change:
    """The light fades to a share of it."""

    def fade(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        return (pixels * share + rng.normal(0, 2 * (1 - share), pixels.shape)).clip(0, 255).astype(np.uint8)

    return fade


def picture(seed: int, change: Change | None, which: tuple[int, int, int]) -> bytes | None:
    """The face of a person in a week, as the detector cuts it out of a photo; None where none was found."""
    person, week, number = which
    rng = np.random.default_rng([seed, STREAM, 1, person, week, number])
    somebody = draw_identity(np.random.default_rng([seed, STREAM, 0, person]))
    shot = far(sit(somebody, rng, SMALL_SIDE), float(rng.uniform(*FACE_HEIGHT)), rng)
    if shot.score is None:
        return None
    pixels = cv2.imdecode(np.frombuffer(shot.image, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    changed = pixels if change is None else change(pixels, rng)
    return cv2.imencode(".png", changed[..., ::-1])[1].tobytes()


class Town:
    """The people whose faces arrive, and the folder where batches do."""

    def __init__(self, seed: int, arrivals: Path) -> None:
        self.seed, self.arrivals, self.rng = seed, arrivals, np.random.default_rng([seed, STREAM, 2])
        self.people = PEOPLE

    def deliver(self, week: int, who: list[tuple[int, str]], change: Change | None = None) -> list[Path]:
        """A batch with a face for each of these people, under the name that is said; returns its files."""
        folder = self.arrivals / f"week-{week:02d}"
        items = [(person, week, number) for number, (person, _) in enumerate(who)]
        made = [picture(self.seed, change, item) for item in items]
        files = []
        for (_, name), (_, _, number), image in zip(who, items, made, strict=True):
            if image is not None:
                path = folder / name / f"{week:02d}-{number:04d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(image)
                files.append(path)
        return files

    def some(self, count: int, images: int) -> list[tuple[int, str]]:
        """Some people who are known, each as often."""
        chosen = self.rng.choice(self.people, count, replace=False)
        return [(int(person), name_of(int(person))) for person in chosen for _ in range(images)]

    def new(self, count: int, images: int) -> list[tuple[int, str]]:
        """People whom nobody knew."""
        first, self.people = self.people, self.people + count
        return [(person, name_of(person)) for person in range(first, first + count) for _ in range(images)]


def name_of(person: int) -> str:
    """A person's name."""
    return f"p{person + 1:04d}"


def quiet(town: Town, week: int) -> None:
    """A few faces of people who are known, by the usual cameras."""
    town.deliver(week, town.some(15, 3))


def new_people(town: Town, week: int) -> None:
    """People come who were never seen."""
    town.deliver(week, [*town.some(10, 3), *town.new(30, 4)])


def corrupt(town: Town, week: int) -> None:
    """Half of the files were cut off on their way."""
    for path in town.deliver(week, town.some(15, 3))[::2]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def mislabelled(town: Town, week: int) -> None:
    """Somebody's list slipped by one: all names are the next person's."""
    who = town.some(15, 3)
    names = [name for _, name in who]
    town.deliver(week, [(person, name) for (person, _), name in zip(who, names[3:] + names[:3], strict=True)])


def poisoned(town: Town, week: int) -> None:
    """A usual week, and one name under which lie faces of many people."""
    others = [person for person, _ in town.some(12, 1)]
    town.deliver(week, [*town.some(15, 3), *((person, name_of(5)) for person in others)])


def new_camera(town: Town, week: int) -> None:
    """A camera of another kind than all before."""
    town.deliver(week, town.some(50, 4), analogue)


def nothing(town: Town, week: int) -> None:
    """Nobody sends anything."""


def fading(share: float) -> Callable[[Town, int], None]:
    """The light fades, week by week."""

    def week_of(town: Town, week: int) -> None:
        town.deliver(week, town.some(15, 3), dimmer(share))

    return week_of


PLAYED: list[tuple[str, Callable[[Town, int], None]]] = [
    ("quiet", quiet), ("new people", new_people), ("corrupt files", corrupt), ("nothing", nothing),
    ("mislabelled faces", mislabelled), ("new camera", new_camera), ("new camera", new_camera),
    ("a poisoned identity", poisoned), ("light at 90 %", fading(0.9)), ("light at 75 %", fading(0.75)),
    ("light at 60 %", fading(0.6)), ("light at 45 %", fading(0.45)),
]  # fmt: skip
BAD = ("corrupt files", "mislabelled faces", "a poisoned identity")


class Project:
    """A copy of the project in a folder, which becomes the place where this process works."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.commands = folder / "project", folder / "commands"
        (self.folder / "src").mkdir(parents=True, exist_ok=True)  # else Python would not look there for what comes
        shutil.rmtree(self.commands, ignore_errors=True)
        self.commands.mkdir()
        os.environ["PATH"] = f"{self.commands}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ["PYTHONPATH"] = f"{self.folder / 'src'}{os.pathsep}{self.folder}"
        os.environ["DVC_SITE_CACHE_DIR"] = str(folder / "dvc")
        preloaded = [sys.executable, ROOT / "tests/e2e/preloaded.py", self.commands]
        self.server = subprocess.Popen(preloaded, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.server.stdout and self.server.stdout.readline()
        os.chdir(self.folder)

    def begin(self, seed: int, change: Callable[[dict[str, Any]], dict[str, Any]] = settings) -> None:
        """The first batch, the first model and its release."""
        for name in [*COPIED, "flows"]:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, self.folder / name, **({"dirs_exist_ok": True} if copy is shutil.copytree else {}))
        text = yaml.safe_dump(change(yaml.safe_load((ROOT / "params.yaml").read_text())), sort_keys=False)
        Path("params.yaml").write_text(text)
        everybody = [(person, name_of(person)) for person in range(PEOPLE) for _ in range(IMAGES)]
        Town(seed, Path("raw/batches")).deliver(0, everybody)
        for command in (
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "../release.key"],
            ["openssl", "ec", "-in", "../release.key", "-pubout", "-out", "../release.pub"],
            ["git", "init", "-q"],
            ["git", "config", "user.name", "timeline"],
            ["git", "config", "user.email", "timeline@example.org"],
            ["git", "add", "-A"],
            ["git", "commit", "-qm", "The project"],
            ["dvc", "repro", "-q"],
            ["git", "add", "dvc.lock"],
            ["git", "commit", "-qm", "The first model"],
        ):
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL if command[0] == "openssl" else None)
        from lrfr.release.making import make

        make(Path("../release.key"))

    def end(self) -> None:
        """Lets go of the loaded libraries."""
        assert self.server.stdin
        self.server.stdin.close()


@contextmanager
def without_prefect(now: datetime) -> Iterator[Callable[[], Any]]:
    """The flow ``monitor`` at a moment, without a server: yields what it does."""
    from prefect.states import Completed, Failed

    from flows import monitor, release, retrain
    from lrfr.retraining.challenge import challenge
    from lrfr.retraining.monitoring import look

    def repro(targets: list[str] | None = None, return_state: bool = True) -> Any:
        done = subprocess.run(["dvc", "repro", "-q", *(targets or [])], capture_output=True, text=True)
        said = (done.stdout + done.stderr).strip()[-2000:]
        return Failed(message=said) if done.returncode else Completed()

    def released(return_state: bool = True, **signing: Any) -> Any:
        return release.release_packaged(**signing)

    for name in ("check_up_to_date", "make_release", "verify_release", "run_dvc", "publish_release"):
        task = getattr(release, name)
        setattr(release, name, getattr(task, "fn", task))
    release.get_run_logger = lambda: logging.getLogger("quiet")
    retrain.pipeline, retrain.release = repro, released
    retrain.commit = getattr(retrain.commit, "fn", retrain.commit)
    retrain.hold_against_champion = partial(challenge, now, lambda line: None)
    monitor.look_at_arrivals = partial(look, now, lambda line: None)
    monitor.attach = retrain.attach = lambda decision: None
    monitor.retrain = lambda notify, return_state, **signing: retrain.train_and_judge(signing, notify)
    signing = {"key": Path("../release.key").absolute(), "public": Path("../release.pub").absolute()}
    yield partial(monitor.look_and_act, signing | {"certificate": None, "place": None}, None)


def play(seed: int) -> list[dict[str, Any]]:
    """Plays the weeks; what was decided in each."""
    from lrfr.config import read_params
    from lrfr.retraining.champion import champion
    from lrfr.retraining.decisions import read_decisions

    town, told = Town(seed, Path("raw/arrivals")), []
    for week, (what, happens) in enumerate(PLAYED, 1):
        begun = time.perf_counter()
        happens(town, week)
        before = len(read_decisions())
        with without_prefect(START + timedelta(weeks=week)) as act:
            state = act()
        made = read_decisions()[before:]
        row = {
            "week": week,
            "what": what,
            "decisions": made,
            "champion": champion(read_params()).tag.partition("@")[2],
            "failed": "" if state.is_completed() else state.message,
            "seconds": time.perf_counter() - begun,
        }
        print(line_of(row), flush=True)
        told.append(row)
    return told


def line_of(row: dict[str, Any]) -> str:
    """A week as a row of a table."""
    decided = ", ".join(made.decision for made in row["decisions"])
    why = "<br>".join(f"{made.decision}: {'; '.join(made.reasons[:2])}" for made in row["decisions"])
    return f"| {row['week']} | {row['what']} | {decided} | {why}{row['failed']} | {row['champion']} |"


def alarms(seed: int, number: int) -> list[str]:
    """The weeks of a timeline in which nothing happens but the usual that found drift or refused a batch. What follows
    from such a week, as that a training stays due where nobody trains, is no alarm of its own."""
    from lrfr.config import read_params
    from lrfr.retraining import monitoring
    from lrfr.retraining.policy import drifted
    from lrfr.retraining.settings import Retrain

    level = read_params().read("retrain", Retrain).drift
    town, raised = Town(seed, Path("raw/arrivals")), []
    town.rng = np.random.default_rng([seed, STREAM, 3, number])
    for week in range(1, WEEKS + 1):
        quiet(town, 100 * number + week)
        made = monitoring.look(START + timedelta(weeks=week), lambda line: None)
        if drifted(made.drift, level) or not all(batch.admitted for batch in made.batches.values()):
            raised.append(f"week {week}: {made.decision}: {'; '.join(made.reasons[:2])}")
    return raised


def once(work: Callable[..., Any]) -> Callable[..., Any]:
    """Work whose result is the same in each week, done in the first."""
    made: list[Any] = []

    def again(*given: Any) -> Any:
        if not made:
            made.append(work(*given))
        return made[0]

    return again


def play_quiet(count: int, seed: int) -> None:
    """Quiet timelines after the first release, each from the beginning; prints the false alarms."""
    from lrfr.retraining import monitoring

    monitoring.accepted, monitoring.read_model = once(monitoring.accepted), once(monitoring.read_model)
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["retrain"]["growth"] = 1000.0  # a training that growth alone asks for is no alarm
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    total = 0
    for number in range(1, count + 1):
        for place in ("decisions", "raw/arrivals", "raw/arrivals-refused", "data/arrivals"):
            shutil.rmtree(place, ignore_errors=True)
        for place in Path("raw/batches").iterdir():
            if place.name != "week-00":
                shutil.rmtree(place)
        raised = alarms(seed, number)
        total += len(raised)
        print(f"quiet timeline {number}: {len(raised)} of {WEEKS} weeks alarmed {'; '.join(raised)}", flush=True)
    print(f"\n{date.today()}: {total} false alarms in {count * WEEKS} quiet weeks")


def main() -> None:
    """Begins, plays, and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quiet", type=int, default=10, help="quiet timelines")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    logging.disable(logging.INFO)
    folder = chosen.folder.resolve()
    project, begun = Project(folder), time.perf_counter()
    project.begin(chosen.seed)
    subprocess.run(["cp", "-a", folder / "project", folder / "first"], check=True)
    print(f"the first release: {time.perf_counter() - begun:.0f} s", flush=True)
    print("\n| week | what came | decided | why | released model |\n|---|---|---|---|---|")
    told = play(chosen.seed)
    before = ["v0.1.0", *(row["champion"] for row in told)]
    changed = [row["what"] for row, last in zip(told, before, strict=False) if row["champion"] != last]
    print(f"\n{date.today()}: the released model changed after: {', '.join(changed) or 'no week'}")
    print(f"bad weeks that changed it: {sum(what in BAD for what in changed)}; {time.perf_counter() - begun:.0f} s")
    os.chdir(folder / "first")
    play_quiet(chosen.quiet, chosen.seed)
    project.end()


if __name__ == "__main__":
    main()
