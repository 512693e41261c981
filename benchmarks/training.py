"""The training loop against a plain one in the style of insightface's arcface_torch; and what saving costs.

    python benchmarks/training.py

prints a Markdown table. Both loops train the same network with ArcFace on the same batches, which are ready on the
device, so that the loop alone is compared; benchmarks/data_path.py has the images. They take turns. The plain loop has
no deterministic algorithms, no check of the loss, no live curves, and cannot be stopped. Where there is a GPU it is
IR-50 at 112 x 112, batch 128, otherwise the small IR-18 of params.yaml.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from lrfr.nn.classifier import Classifier
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.heads import ArcFaceSettings
from lrfr.nn.training import loop
from lrfr.nn.training.checkpoint import SavedState
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Batch, Faces

WARM_UP = 5  # updates that are not counted
PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # dense FLOP/s in bf16 and fp16, by what a card's name holds


@dataclass(frozen=True)
class Setting:
    """What is trained, and in batches of how many."""

    architecture: Architecture
    identities: int
    batch_size: int
    precision: str
    updates: int

    def task(self) -> Classifier:
        """The same one each time."""
        torch.manual_seed(0)
        head = ArcFaceSettings(name="ArcFace", scale=64.0, margin=0.5)
        return Classifier(Embedder(self.architecture), head, {"auxiliary": self.identities})


SMALL = Setting(
    Architecture(backbone="lrfr_ir18", width=0.5, embedding_dim=256, input_size=48, dropout=0.2), 240, 64, "bf16", 30
)
PUBLISHED = Setting(
    Architecture(backbone="lrfr_ir50", embedding_dim=512, input_size=112, dropout=0.0), 10_000, 128, "bf16", 100
)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns")
    parser.add_argument("--threads", type=int, default=2, help="torch's, on a processor")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print("| what | images/s, ours | plain | ours to plain | lowest, highest |\n|---|---|---|---|---|")
    settings = [PUBLISHED, replace(PUBLISHED, precision="fp16")] if device().type == "cuda" else [SMALL]
    for setting in settings:
        print(compared(setting, chosen.rounds, chosen.threads), flush=True)
    print(saving(settings[0]))


def compared(setting: Setting, rounds: int, threads: int) -> str:
    """A line of the table: medians of the rounds, and of the ratios within each round."""
    ours, plain = [], []
    for _ in range(rounds):
        make_deterministic(0, threads)
        torch.backends.cudnn.benchmark = False
        ours.append(rate(setting, our_loop))
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = True  # as arcface_torch
        plain.append(rate(setting, plain_loop))
    ratios = sorted(a / b for a, b in zip(ours, plain, strict=True))
    mine, theirs = statistics.median(ours), statistics.median(plain)
    what = f"{setting.architecture.backbone}, {setting.precision}, batch {setting.batch_size}{used(setting, mine)}"
    limits = f"{ratios[0]:.3f}, {ratios[-1]:.3f}"
    return f"| {what} | {mine:.1f} | {theirs:.1f} | {statistics.median(ratios):.3f} | {limits} |"


def used(setting: Setting, images_per_second: float) -> str:
    """The share of a GPU's peak that our rate comes to: a forward pass and twice as much backward."""
    if device().type != "cuda":
        return ""
    name = torch.cuda.get_device_name()
    peak = next((value for card, value in PEAK.items() if card in name), None)
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        Embedder(setting.architecture).eval().backbone(torch.empty(1, 3, *setting.architecture.size))
    share = f", {3 * counter.get_total_flops() * images_per_second / peak:.0%} of its peak" if peak else ""
    return f", {name}{share}"


def rate(setting: Setting, train: Any) -> float:
    """Images per second of one loop, after its first updates."""
    size, place = (setting.batch_size, 3, *setting.architecture.size), device()
    faces = Faces(
        torch.rand(size, device=place), torch.randint(setting.identities, (setting.batch_size,), device=place)
    )
    clock: list[float] = []

    def batches() -> Iterator[Batch]:
        for number in range(setting.updates + WARM_UP):
            if number == WARM_UP:
                clock.append(now())
            yield {"auxiliary": faces}
        clock.append(now())

    train(setting, batches())
    return setting.updates * setting.batch_size / (clock[1] - clock[0])


def now() -> float:
    """The time when all that was begun is done."""
    if device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def our_loop(setting: Setting, batches: Iterator[Batch]) -> None:
    """The whole loop, with live curves; only the images come from elsewhere."""
    faces = SimpleNamespace(labels=torch.zeros((setting.updates + WARM_UP) * setting.batch_size).numpy())
    training = Training(
        epochs=1, batch_size=setting.batch_size, learning_rate=0.1, momentum=0.9, weight_decay=5e-4,
        schedule="cosine", clip_norm=5.0, precision=setting.precision,
    )  # fmt: skip
    original, loop.training_batches = loop.training_batches, lambda *_: batches
    try:
        with tempfile.TemporaryDirectory() as folder:
            state = SavedState(Path(folder) / "state.pt", "benchmark")
            loop.train(setting.task(), {"auxiliary": faces}, None, training, 0, state, Path(folder) / "live")
    finally:
        loop.training_batches = original


def plain_loop(setting: Setting, batches: Iterator[Batch]) -> None:
    """What arcface_torch's train_v2.py does in an update, without its distribution of prototypes."""
    task = setting.task().to(device(), memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(task.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, setting.updates + WARM_UP, power=2)
    dtype = torch.float16 if setting.precision == "fp16" else torch.bfloat16
    scaler = torch.amp.GradScaler(device().type, enabled=dtype is torch.float16, growth_interval=100)
    total = 0.0
    for batch in batches:
        faces = batch["auxiliary"]
        with torch.autocast(device().type, dtype, enabled=setting.precision != "fp32"):
            embedding = task.embedder(faces.images)
        loss = cross_entropy(task.head(embedding, faces.labels), faces.labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(task.parameters(), 5)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        schedule.step()
        total += loss.item()


def saving(setting: Setting) -> str:
    """What it takes to write a state and to read it again."""
    task = setting.task()
    optimizer = torch.optim.SGD(task.parameters(), lr=0.1, momentum=0.9)
    for parameter in task.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    with tempfile.TemporaryDirectory() as folder:
        saved = SavedState(Path(folder) / "state.pt", "benchmark")
        write = timed(lambda: saved.write({"task": task.state_dict(), "optimizer": optimizer.state_dict()}))
        read = timed(saved.read)
        size = saved.path.stat().st_size
    share = write / loop.SECONDS_BETWEEN_CHECKPOINTS
    return (
        f"\nThe state of {setting.architecture.backbone} ({size / 1e6:.0f} MB) is written in {write:.2f} s, "
        f"every {loop.SECONDS_BETWEEN_CHECKPOINTS:.0f} s ({share:.1%} of the time), and read in {read:.2f} s."
    )


def timed(work: Any) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
