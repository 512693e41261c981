"""train-sr: a super-resolution network by itself; nobody is recognised."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.core.fidelity import psnr, ssim
from lrfr.errors import unknown_name
from lrfr.files import write_json
from lrfr.hr_faces import require_hr_faces
from lrfr.nn.batches.labelled import LabelledFaces, labelled, validation_batches
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.processes import one_of_several
from lrfr.nn.resolution import at_resolution
from lrfr.nn.super_resolution.alone import SuperResolving
from lrfr.nn.super_resolution.resolver import SuperResolver, write_resolver
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.steps import Step, Trained, train_in_steps
from lrfr.progress import track

BATCH = 64
KIND = "super_resolution"
MEASURES = {"psnr": psnr, "ssim": ssim}


def run(name: str) -> None:
    """Trains a network on data/split/auxiliary.parquet; writes models/super_resolution/NAME.

    metrics/super_resolution/NAME.json says how true its validation faces are to the originals, by the shortest side
    that they were shrunk to: ``psnr`` (dB) and ``ssim``, and those of bicubic enlargement, ``psnr_bicubic`` and
    ``ssim_bicubic``; each is the mean over ``n_faces``. Without validation faces there are no ``sides``.

    Raises:
        ParameterError: there is no such network, or params.yaml does not set it.
        BenchmarkError: there are no HR faces.
    """
    place = f"{paths.PARAMS}: super_resolution"
    with one_of_several():
        params = read_params()
        if name not in params.super_resolution:
            raise unknown_name("super-resolution network", name, params.super_resolution, place)
        values = params.super_resolution[name]
        chosen = settings(values, SuperResolutionAlone, f"{place}.{name}")
        require_hr_faces()
        make_deterministic(params.seed, params.threads)
        size = chosen.size, chosen.size
        augmentation = chosen.training.augmentation
        faces, validation, _ = labelled(paths.AUXILIARY, size, interpolation="bicubic", augmentation=augmentation)
        resolver = SuperResolver(SuperResolution(network=chosen.network, width=chosen.width), size)
        task = SuperResolving(resolver, chosen.sides)
        known = fingerprint([values, params.seed, params.threads], [__name__], paths.AUXILIARY)
        saved = SavedState(paths.checkpoint(KIND, name), known)

        def write(curves: Curves, trained: Sequence[Trained]) -> None:
            write_resolver(paths.super_resolver(name), resolver)
            write_curves(paths.training_curve(KIND, name), curves)
            write_json(paths.super_resolution_metrics(name), _figures(resolver, chosen, validation))

        collections = {"auxiliary": faces}
        live = paths.live(KIND, name)
        step = Step(name, chosen.training, lambda: (collections, validation), params.seed, saved, live)
        train_in_steps(task, [step], write)


def _figures(resolver: SuperResolver, chosen: SuperResolutionAlone, validation: LabelledFaces | None) -> dict:
    sides = {f"{side}": _fidelity(resolver, validation, side) for side in sorted(set(chosen.sides)) if validation}
    count = 0 if validation is None else len(validation)
    return {"network": chosen.network, "width": chosen.width, "size": chosen.size, "n_faces": count, "sides": sides}


def _fidelity(resolver: SuperResolver, validation: LabelledFaces, side: int) -> dict[str, float]:
    """The means over the validation faces, shrunk to a shortest side, px."""
    found: dict[str, list[np.ndarray]] = {}
    total = -(-len(validation) // BATCH)
    for original, versions in track(_versions(resolver, validation, side), f"fidelity at {side} px", total, "batch"):
        for suffix, images in versions.items():
            for name, measure in MEASURES.items():
                found.setdefault(name + suffix, []).append(measure(images, original))
    return {name: round(float(np.concatenate(parts).mean()), 4) for name, parts in found.items()}


@torch.inference_mode()
def _versions(
    resolver: SuperResolver, validation: LabelledFaces, side: int
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """The originals, and what the network and bicubic enlargement make of them shrunk; (B, 3, H, W), 0..1, each."""
    resolver = resolver.to(device()).eval()
    for faces in validation_batches(validation, BATCH, device()):
        enlarged = at_resolution(faces.images, side, "bicubic", "bicubic")
        made = {"": resolver(enlarged), "_bicubic": enlarged}
        yield faces.images.cpu().numpy(), {suffix: images.cpu().numpy() for suffix, images in made.items()}
