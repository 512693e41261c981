"""Times the synthesisers against the same chains in albumentations, image by image, on one core.

    python benchmarks/synthesis.py

HR faces of 112 px are shrunk to 20 px. The peer has the same steps in the same order, with strengths drawn from the
same ranges: GaussianBlur, MotionBlur, Resize by area, GaussNoise, RandomBrightnessContrast and ImageCompression for
``camera``; Resize with OpenCV's kernel for ``downsample``, which has no antialiased triangle or cubic: the peer of
those is Pillow. Prints a Markdown table: medians of five turns, ours and the peer's in alternation.
"""

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}

import albumentations as A
import cv2
import numpy as np
from PIL import Image

from lrfr.synthesis import camera, downsample

SIDE, HEIGHT, IMAGES, TURNS = 112, 20, 400, 5
SCALE = SIDE / HEIGHT
CAMERA = camera.Settings(
    blur=[0.2, 0.9], motion=[0.0, 2.0], noise=[0.005, 0.03], exposure=[-0.5, 0.5], jpeg_quality=[45, 95]
)
KERNELS = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC,
           "area": cv2.INTER_AREA}  # fmt: skip
PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

Shrink = Callable[[np.ndarray], np.ndarray]


def faces() -> list[np.ndarray]:
    """Soft blobs of colour with a little noise, (112, 112, 3) each."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(IMAGES):
        blobs = cv2.resize(rng.uniform(40, 210, (9, 9, 3)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        made.append(np.clip(blobs + rng.normal(0, 3, blobs.shape), 0, 255).astype(np.uint8))
    return made


def ours(module, settings) -> Shrink:
    """A synthesiser as trainings call it."""
    rng = np.random.default_rng(1)
    return lambda image: module.synthesize(image, HEIGHT, settings, rng)


def albumentations_camera() -> Shrink:
    """The camera's chain."""
    chain = A.Compose(
        [
            A.GaussianBlur(blur_limit=0, sigma_limit=(CAMERA.blur[0] * SCALE, CAMERA.blur[1] * SCALE), p=1),
            A.MotionBlur(blur_limit=(3, 11), p=1),
            A.Resize(HEIGHT, HEIGHT, interpolation=cv2.INTER_AREA),
            A.GaussNoise(std_range=tuple(CAMERA.noise), p=1),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0, p=1),
            A.ImageCompression(quality_range=tuple(CAMERA.jpeg_quality), p=1),
        ]
    )
    return lambda image: chain(image=image)["image"]


def albumentations_resize(interpolation: int) -> Shrink:
    """Resize alone."""
    chain = A.Compose([A.Resize(HEIGHT, HEIGHT, interpolation=interpolation)])
    return lambda image: chain(image=image)["image"]


def pillow_resize(resampling: Image.Resampling) -> Shrink:
    """Pillow's, from an array and back."""
    return lambda image: np.asarray(Image.fromarray(image).resize((HEIGHT, HEIGHT), resampling))


def seconds(shrink: Shrink, images: list[np.ndarray]) -> float:
    """For all images."""
    start = perf_counter()
    for image in images:
        shrink(image)
    return perf_counter() - start


def main() -> None:
    """Prints the table."""
    cv2.setNumThreads(1)
    images = faces()
    pairs = [("camera", "albumentations", ours(camera, CAMERA), albumentations_camera())]
    for kernel, interpolation in KERNELS.items():
        plain = downsample.Settings(kernel=kernel, antialiased=None if kernel in ("nearest", "area") else False)
        peer = albumentations_resize(interpolation)
        pairs.append((f"downsample, {kernel}", "albumentations", ours(downsample, plain), peer))
    for kernel, resampling in PILLOW.items():
        smooth = downsample.Settings(kernel=kernel, antialiased=True)
        name = f"downsample, {kernel}, antialiased"
        pairs.append((name, "Pillow", ours(downsample, smooth), pillow_resize(resampling)))
        pairs.append((name, "albumentations, which aliases", ours(downsample, smooth),
                      albumentations_resize(KERNELS[kernel])))  # fmt: skip
    print("| synthesizer | peer | lrfr, images/s | peer, images/s | of the peer's rate |\n|---|---|---|---|---|")
    for name, peer_name, own, peer in pairs:
        seconds(own, images[:20]), seconds(peer, images[:20])
        turns = [(seconds(own, images), seconds(peer, images)) for _ in range(TURNS)]
        fast, slow = (IMAGES / median(turn[side] for turn in turns) for side in (0, 1))
        print(f"| `{name}` | {peer_name} | {fast:,.0f} | {slow:,.0f} | {fast / slow:.1f} |", flush=True)


if __name__ == "__main__":
    main()
