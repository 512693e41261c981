"""Times the data path of a training against torchvision's ImageFolder and transforms, and against the backbone's need.

Faces of generated people, cut to 112 x 112 px as training sets come, are written as JPEG (quality 95) to identity
folders; both read the same files, make batches of 128 and use the same number of workers. Ours decodes, resizes,
augments and, where it says so, sends 30 % of the faces through the synthesiser `photographic` to 8 to 32 px. The peer:
Resize, RandomHorizontalFlip, RandomAffine and ColorJitter as strong and as frequent as ours, ToTensor; it changes no
gamma, which has no torchvision transform. Each rate is the median of several turns, taken in turn. Prints a Markdown
table:

    python benchmarks/data_path.py                  # some minutes; 0 workers, and one for each core
    python benchmarks/data_path.py --images 2000 --turns 1
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import (
    ColorJitter,
    Compose,
    RandomAffine,
    RandomApply,
    RandomHorizontalFlip,
    Resize,
    ToTensor,
)
from torchvision.transforms.functional import InterpolationMode

from lrfr.faces import decode, write_faces
from lrfr.nn.batches.labelled import LabelledFaces, labelled, training_batches
from lrfr.nn.batches.low_resolution import LowResolution
from lrfr.nn.batches.order import MixedOrder
from lrfr.nn.compute import device
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.parallel import cores
from lrfr.progress import track
from lrfr.sources import identity_folders
from lrfr.sources.rendering.identity import draw_identity
from lrfr.sources.rendering.portrait import portray
from lrfr.synthesis import degradation

PEOPLE, PORTRAITS = 60, 4
SIDE, SIDES, BATCH = 112, (48, 112), 128
UPDATES = 30
SYNTHESIS = LowResolution(
    synthesizer="photographic",
    settings={"blur": [0.2, 0.9], "noise": [0.005, 0.03], "jpeg_quality": [45, 95]},
    share=0.3,
    heights=[8, 32],
)


def draw_faces(root: Path, images: int) -> None:
    """Writes faces to folders of their identities; every portrait is there several times."""
    rng, portraits = np.random.default_rng(0), []
    for _ in track(range(PEOPLE), "rendering", PEOPLE, "person"):
        person = draw_identity(rng)
        portraits.append([_cropped(portray(person, rng)[0]) for _ in range(PORTRAITS)])
    for number in range(images):
        folder = root / f"{number % PEOPLE:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06}.jpg").write_bytes(portraits[number % PEOPLE][number // PEOPLE % PORTRAITS])


def _cropped(portrait: bytes) -> bytes:
    pixels = decode(portrait)
    margin = (len(pixels) - SIDE) // 2
    crop = pixels[margin : margin + SIDE, margin : margin + SIDE, ::-1]
    return cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def ours(root: Path, side: int, synthesis: LowResolution | None = None) -> LabelledFaces:
    """The files as a training of this project reads them."""
    faces = identity_folders.acquire(root, identity_folders.Settings(), 0).faces
    split = faces.schema.get_field_index("split")
    faces = faces.set_column(split, faces.schema.field(split), [["train"] * len(faces)])
    write_faces(faces, root.with_suffix(".parquet"))
    return labelled(root.with_suffix(".parquet"), (side, side), degradation(synthesis, "SYNTHESIS"))[0]


def batches_of_ours(faces: LabelledFaces, turn: int, workers: int) -> Iterator[torch.Tensor]:
    """An epoch, as float tensors where they are trained on."""
    order = MixedOrder({"auxiliary": faces.labels}, BATCH, 1, turn)
    return (batch["auxiliary"].images for batch in training_batches({"auxiliary": faces}, order, workers, device()))


def torchvisions(root: Path, side: int) -> ImageFolder:
    """The same files with the nearest transforms of torchvision."""
    moved = RandomAffine(8, translate=(1 / 16, 1 / 16), scale=(0.92, 1.08), interpolation=InterpolationMode.BILINEAR)
    lit = ColorJitter(brightness=0.25, contrast=0.25)
    resized = [Resize((side, side))] if side != SIDE else []
    drawn = [RandomHorizontalFlip(), RandomApply([moved], 0.9), RandomApply([lit], 0.6)]
    return ImageFolder(str(root), Compose([*resized, *drawn, ToTensor()]))


def batches_of_torchvision(files: ImageFolder, turn: int, workers: int) -> Iterator[torch.Tensor]:
    """An epoch, as float tensors where they are trained on."""
    shuffled = torch.Generator().manual_seed(turn)
    pinned = device().type == "cuda"
    loader = DataLoader(
        files, BATCH, shuffle=True, num_workers=workers, generator=shuffled, drop_last=True, pin_memory=pinned
    )
    return (images.to(device(), non_blocking=True) for images, _ in loader)


def images_per_second(batches: Iterable[torch.Tensor]) -> float:
    """The rate after the first batch, which waits for the workers to start."""
    taken = iter(batches)
    next(taken)
    start = perf_counter()
    count = sum(len(images) for images in taken)
    return count / (perf_counter() - start)


def compare(root: Path, turns: int) -> None:
    """Prints the rates of both, for each size and number of workers."""
    print("| work | workers | ours, images/s | torchvision, images/s | ratio |\n|---|---|---|---|---|")
    for side in SIDES:
        plain, shrinking, files = ours(root, side), ours(root, side, SYNTHESIS), torchvisions(root, side)
        for workers in (0, cores()):
            rates = np.median(
                [
                    [
                        images_per_second(batches_of_ours(plain, turn, workers)),
                        images_per_second(batches_of_torchvision(files, turn, workers)),
                        images_per_second(batches_of_ours(shrinking, turn, workers)),
                    ]
                    for turn in range(turns)
                ],
                axis=0,
            )
            print(f"| {side} px | {workers} | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[0] / rates[1]:.1f} |")
            print(f"| {side} px, 30 % synthesised | {workers} | {rates[2]:,.0f} | | |", flush=True)


def backbones_need(root: Path, turns: int) -> None:
    """Prints how fast a backbone trains on a batch that is there already, and on what the data path brings."""
    name, side, width = ("lrfr_ir50", 112, 1.0) if device().type == "cuda" else ("lrfr_ir18", 48, 0.5)
    architecture = Architecture(backbone=name, width=width, embedding_dim=256, input_size=side, dropout=0.2)
    embedder = Embedder(architecture).to(device(), memory_format=torch.channels_last)  # pyrefly: ignore
    workers = cores() - 1 if device().type == "cuda" else 0
    faces = ours(root, side)
    there = next(batches_of_ours(faces, 0, 0))
    rates = [
        [
            images_per_second(_trained_on(embedder, repeat(there, UPDATES))),
            images_per_second(_trained_on(embedder, islice(batches_of_ours(faces, turn, workers), UPDATES))),
        ]
        for turn in range(turns)
    ]
    alone, fed = np.median(rates, axis=0)
    print(
        f"\n{name}, width {width}, {side} px, bf16, on {device().type}: {alone:,.0f} images/s on a batch that is there,"
    )
    print(
        f"{fed:,.0f} on decoded ones ({workers} workers): {100 * max(1 - fed / alone, 0):.0f} % of the time is waiting"
    )


def _trained_on(embedder: Embedder, batches: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    optimizer = torch.optim.SGD(embedder.train().parameters(), lr=1e-4)
    for images in batches:
        with torch.autocast(device().type, torch.bfloat16):
            loss = F.mse_loss(embedder(images), torch.zeros((), device=device()).expand(len(images), 256))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # a training looks at its loss
        yield images


def main() -> None:
    """Draws the faces, measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, default=10_000, help="images of an epoch")
    arguments.add_argument("--turns", type=int, default=3, help="epochs of each kind; the median counts")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        draw_faces(Path(temporary), chosen.images)
        torch.set_num_threads(1)  # 0 workers: what one core does
        cv2.setNumThreads(1)
        compare(Path(temporary), chosen.turns)
        torch.set_num_threads(cores())
        backbones_need(Path(temporary), chosen.turns)


if __name__ == "__main__":
    main()
