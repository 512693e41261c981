"""train-synthesizer: a synthesiser learns from HR faces and from native LR ones, which show others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.core.alignment import MIDDLE
from lrfr.errors import ParameterError, unknown_name
from lrfr.faces import encode_png
from lrfr.files import atomic_path, read_json
from lrfr.hr_faces import require_hr_faces
from lrfr.nn.batches.labelled import LabelledFaces
from lrfr.nn.compute import make_deterministic
from lrfr.nn.model_file import FILE, Model, read_model
from lrfr.nn.processes import one_of_several
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.steps import Learnt, Step, Trained, train_in_steps
from lrfr.nn.translation.faces import translated
from lrfr.nn.translation.generator_file import Described, write_generator
from lrfr.nn.translation.settings import Learned
from lrfr.nn.translation.task import SHOWN_FACES, Translation, side_by_side
from lrfr.synthesis import settings_of

KIND = "synthesizers"
SECTION = f"{paths.PARAMS}: learned_synthesizers"
TABLES = {
    "native": (paths.BENCHMARK, paths.NATIVE_LANDMARKS),
    "auxiliary": (paths.AUXILIARY, paths.AUXILIARY_LANDMARKS),
}


def run(name: str) -> None:
    """Trains a synthesiser on data/split; writes models/synthesizers/NAME, its curves, and samples of each epoch.

    Raises:
        ParameterError: params.yaml has no such learned synthesiser, or a wrong setting of it.
        BenchmarkError: there are no HR faces, or no LR ones that it could learn from.
        TrainingError: its backbone is missing; a term is not finite; or one of the players has won.
    """
    with one_of_several():
        params = read_params()
        if name not in params.learned_synthesizers:
            raise unknown_name("learned synthesizer", name, params.learned_synthesizers, SECTION)
        values, place = params.learned_synthesizers[name], f"{SECTION}.{name}"
        module, chosen = settings_of(name, values, learned=True, where=place)
        assert isinstance(chosen, Learned)
        require_hr_faces()
        make_deterministic(params.seed, params.threads)
        expert = read_model(paths.pretrained(chosen.backbone), with_landmarks=False)
        presentation = expert.facts.presentation
        check_faces(module, chosen, presentation, expert.embedder.architecture.size, place)
        (faces, validation) = learnt = _faces(chosen, presentation)
        shown = _first(validation or faces["hr"])  # pyrefly: ignore - both are labelled faces
        task = module.task(chosen, presentation, expert.embedder, shown)
        saved = SavedState(paths.checkpoint(KIND, name), _fingerprint(name, params, expert, module.__name__, chosen))

        def write(curves: Curves, trained: Sequence[Trained]) -> None:
            described = Described(synthesizer=name, settings=values, presentation=presentation)
            write_generator(paths.synthesizer(name), task.generator, described)
            write_curves(paths.training_curve(KIND, name), curves)
            _write_samples(name, task, _first(faces["lr"]))  # pyrefly: ignore

        step = Step(name, chosen.training, lambda: learnt, params.seed, saved, paths.live(KIND, name))
        train_in_steps(task, [step], write)


def check_faces(module: Any, chosen: Learned, presentation: str, size: tuple[int, int], place: str) -> None:
    """Checks how its backbone takes faces.

    Args:
        module: of the synthesiser.
        chosen: its settings.
        presentation: how faces are presented to its backbone.
        size: of the faces that the backbone takes, px.
        place: of the section, for errors.

    Raises:
        ParameterError: a synthesiser cannot learn from faces so presented.
    """
    if presentation == MIDDLE:
        what = f"'{chosen.backbone}' is shown the middle of faces, and a synthesizer makes whole ones"
        remedy = "name a backbone whose presentation is as_cropped or a template's"
        raise ParameterError(what, where=f"{place}.backbone", remedy=remedy)
    check = getattr(module, "check", None)
    if check is not None:
        check(chosen, presentation, size, place)


def _faces(chosen: Learned, presentation: str) -> Learnt:
    """HR and LR training faces, and HR validation faces."""
    shared = {"presentation": presentation, "size": chosen.size, "augmentation": chosen.training.augmentation}
    realistic = chosen.realistic
    hr = translated(*TABLES["auxiliary"], **shared)
    lr = translated(*TABLES[realistic.collection], **shared, eye_mouth=realistic.eye_mouth)
    validation = translated(*TABLES["auxiliary"], presentation, chosen.size, None, split="validation")
    return {"hr": hr, "lr": lr}, validation  # pyrefly: ignore - training faces are there, or an error is raised


def _fingerprint(name: str, params: Params, expert: Model, module: str, chosen: Learned) -> str:
    code = read_json(paths.code(KIND, name), "lrfr code")
    settled = [params.learned_synthesizers[name], params.seed, params.threads, code]
    tables = [file for both in TABLES.values() for file in both if file.is_file()]
    return fingerprint(settled, [__name__, module], *tables, paths.pretrained(chosen.backbone) / FILE)


def _first(faces: LabelledFaces) -> torch.Tensor:
    """Some faces, evenly spread over the table: (n, 3, S, S), values 0..1."""
    rows = np.linspace(0, len(faces) - 1, min(SHOWN_FACES, len(faces))).round().astype(int)
    return torch.stack([faces.images[row] for row in rows.tolist()])


def _write_samples(name: str, task: Translation, natives: torch.Tensor) -> None:
    """One picture for each row of the sheet: HR faces, what was made of them after some epochs, native faces."""
    strips = task.strips() | {"native": side_by_side(natives.mul(255).round().byte())}
    folder = paths.samples(name)
    for old in folder.glob("*.png"):
        old.unlink()
    for number, (said, strip) in enumerate(strips.items()):
        with atomic_path(folder / f"{number:02}_{said}.png") as temporary:
            temporary.write_bytes(encode_png(strip))
