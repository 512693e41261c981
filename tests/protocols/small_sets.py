"""A small test set of each protocol's kind, as a source would bring it."""

from lrfr.protocols import scface
from lrfr.protocols.benchmark import Benchmark
from tests.protocols.benchmarks import benchmark, row

SURVEILLED = 8
ENROLLED = 12  # the first half in gallery G1, the second in G2
TINY = [0.0, 0.0, 12.0, 0.0, 6.0, 8.0, 2.0, 16.0, 10.0, 16.0]  # 16 px between eyes and mouth


def surveillance(**replaced: list) -> Benchmark:
    rows = [row(f"v{n} {k}", f"v{n}", part="verification") for n in range(SURVEILLED) for k in range(3)]
    rows += [row(f"g{n} {k}", f"p{n}", part="gallery") for n in range(SURVEILLED) for k in range(2)]
    rows += [row(f"m{n} {k}", f"p{n}", part="mated_probe") for n in range(SURVEILLED) for k in range(3)]
    rows += [row(f"u{n}", None, part="unmated_probe") for n in range(40)]
    pairs = [(f"v{n} 0", f"v{n} {k}", True, None) for n in range(SURVEILLED) for k in (1, 2)]
    pairs += [(f"v{n} 0", f"v{m} 1", False, None) for n in range(SURVEILLED) for m in range(SURVEILLED) if n != m]
    return benchmark(rows, **({"pairs": pairs} | replaced))


def mugshots(people: int, cameras: int = 2) -> Benchmark:
    rows = [row(f"{n} mug", f"{n:03}", part="mugshot") for n in range(1, people + 1)]
    rows += [
        row(f"{n} {part} {camera}", f"{n:03}", part=part)
        for part in scface.DISTANCES
        for n in range(1, people + 1)
        for camera in range(cameras)
    ]
    return benchmark(rows)


def template_set(landmarks: list[float] | None = None) -> Benchmark:
    """Per person a gallery template of two stills and a video, and two probe templates of a video of two frames."""
    rows, enrolled, pairs = [], [], []
    for n in range(ENROLLED):
        parts = [("g", "1"), ("g", "2"), ("g", "3"), ("g", "3"), ("p", "4"), ("p", "4"), ("q", "5"), ("q", "5")]
        for k, (template, media) in enumerate(parts):
            rows.append(row(f"{n} {k}", f"p{n}", template=f"{template}{n}", media=media, landmarks=landmarks))
        enrolled += [(f"g{n}", f"p{n}", "G1" if n < ENROLLED // 2 else "G2")]
        enrolled += [(f"{kind}{n}", f"p{n}", "probe") for kind in "pq"]
        pairs += [(f"{kind}{n}", f"g{m}", n == m, None) for kind in "pq" for m in range(ENROLLED)]
    return benchmark(rows, pairs, enrolled)


def fold_set(fold: bool) -> Benchmark:
    rows = [row(f"{n} {k}", f"p{n}") for n in range(40) for k in range(2)]
    pairs = [(f"{n} 0", f"{n if same else (n + 1) % 40} 1", same, n % 10) for n in range(40) for same in (True, False)]
    return benchmark(rows, [pair if fold else (*pair[:3], None) for pair in pairs])


def distractor_set() -> Benchmark:
    rows = [row(f"{n} {k}", f"p{n}") for n in range(5) for k in range(n + 1)]  # somebody with one image among them
    return benchmark([*rows, *(row(f"d{n}") for n in range(30))])
