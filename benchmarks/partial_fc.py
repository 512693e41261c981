"""Times an update of ArcFace over very many identities: all of them, and a drawn tenth (Partial FC).

An update is everything that the head costs: the draw, the logits, the cross entropy, the gradient, an SGD step with
momentum and weight decay, the rows' way back. Embeddings are random: the backbone costs the same in both. Each head is
measured in processes of its own, in turn; memory is the whole process's on a processor, and what torch holds on a GPU.
Prints a Markdown table:

    python benchmarks/partial_fc.py                      # 1,000,000 identities; 16 GB of memory
    python benchmarks/partial_fc.py --identities 250000
"""

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

import numpy as np

DIM, BATCH, ROUNDS, UPDATES = 512, 64, 3, 4


def measure(identities: int, rate: float, threads: int) -> tuple[list[float], float]:
    """Seconds of each update but the first, which allocates, and the peak memory in MB."""
    import torch

    from lrfr.nn.compute import device
    from lrfr.nn.heads import ArcFaceSettings, PartialFC, build_head

    torch.set_num_threads(threads)
    place, rng = device(), torch.Generator().manual_seed(0)
    head = build_head(ArcFaceSettings(name="ArcFace", sample_rate=rate), DIM, identities).to(place)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    seconds = []
    for step in range(UPDATES + 1):
        embedding = torch.randn(BATCH, DIM, generator=rng).to(place).requires_grad_()
        labels = torch.randint(identities, (BATCH,), generator=rng).to(place)
        start = perf_counter()
        if isinstance(head, PartialFC):
            head.draw(labels, step, {"main": optimizer})
        optimizer.zero_grad()
        torch.stack(list(head.losses(embedding, labels).values())).sum().backward()
        optimizer.step()
        if isinstance(head, PartialFC):
            head.write_back({"main": optimizer})
        if place.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(perf_counter() - start)
    if place.type == "cuda":
        return seconds[1:], torch.cuda.max_memory_allocated() / 2**20
    return seconds[1:], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _fresh(*arguments: float) -> tuple[list[float], float]:
    """What ``measure`` finds in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def main() -> None:
    """Measures both heads in turn and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0.1, help="share of the identities that an update draws, 0..1")
    parser.add_argument("--threads", type=int, default=2, help="torch's, on a processor")
    chosen = parser.parse_args()
    times, peaks = {1.0: [], chosen.rate: []}, {}
    for _ in range(ROUNDS):
        for rate, seconds in times.items():
            found, peaks[rate] = _fresh(chosen.identities, rate, chosen.threads)
            seconds += found
    full, drawn = (float(np.median(seconds)) for seconds in times.values())
    least, most = np.min(times[1.0]) / np.max(times[chosen.rate]), np.max(times[1.0]) / np.min(times[chosen.rate])
    print("| what | median update | peak memory |\n|---|---|---|")
    print(f"| ArcFace over all {chosen.identities:,} identities | {full:.2f} s | {peaks[1.0]:,.0f} MB |")
    what = f"the same with sample_rate {chosen.rate:g}"
    ratio = f"{full / drawn:.1f} times as fast (of single updates {least:.1f} to {most:.1f})"
    print(f"| {what} | {drawn:.2f} s; {ratio} | {peaks[chosen.rate]:,.0f} MB |")


if __name__ == "__main__":
    main()
