"""LR faces by a learned generator: many at once, each in the frame of the face that it is made of; or one by one."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from lrfr.core.alignment import TEMPLATES, similarity
from lrfr.core.resampling import bicubic_to_height
from lrfr.errors import LandmarkError
from lrfr.nn.alignment import HALF
from lrfr.nn.framing import aligned_or_centred
from lrfr.nn.resolution import to_input, to_size
from lrfr.nn.translation.generator_file import Generator

Read = Callable[[], Generator]


def make(
    generator: Generator,
    images: Sequence[np.ndarray],
    landmarks: Sequence[np.ndarray],
    heights: Sequence[int],
    rngs: Sequence[np.random.Generator],
) -> list[np.ndarray]:
    """LR versions of HR faces, at the device where the generator is.

    A face that is presented aligned is put back where it was in its crop: the square that the generator sees is warped
    back, and around it the crop is shrunk bicubic. So every synthesiser's faces are framed as native ones are.

    Args:
        generator: the synthesiser's.
        images: RGB (H, W, 3), uint8, as cropped.
        landmarks: (5, 2), px, of each; NaN where nobody found them: that face is shrunk bicubic as a whole.
        heights: of the LR faces, px.
        rngs: draw each face's noise.

    Returns:
        RGB (height, w, 3), uint8, each with the aspect of its HR face.
    """
    aligned = generator.presentation in TEMPLATES
    shown = [
        aligned_or_centred(image, points, generator.presentation) if aligned else (image, True)
        for image, points in zip(images, landmarks, strict=True)
    ]
    made = _generated(generator, [face for face, _ in shown], rngs)
    finished = []
    for image, points, height, low, (_, found) in zip(images, landmarks, heights, made, shown, strict=True):
        small = bicubic_to_height(image, height)
        if not aligned:
            small = _at_size(low, small.shape[0], small.shape[1])
        elif found:
            scale = np.array(small.shape[1::-1]) / image.shape[1::-1]
            seen, _ = aligned_or_centred(np.full_like(image, 255), points, generator.presentation)
            small = _put_back(low, _at_size(seen, *low.shape[:2]), small, points * scale, generator.presentation)
        finished.append(small)
    return finished


class OneByOne:
    """A learned synthesiser in a training, which shows it faces as the trained network sees them. The generator is
    read when the first face comes, and works on the processor with one thread, as the workers that decode have one.

    Args:
        read: reads the generator.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._generator: Generator | None = None

    def __call__(self, image: np.ndarray, height_px: int, rng: np.random.Generator) -> np.ndarray:
        """An HR face (H, W, 3), uint8, presented as to the generator, to an LR face (height_px, w, 3), uint8."""
        if self._generator is None:
            self._generator = self._read()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            (low,) = _generated(self._generator, [image], [rng])
        finally:
            torch.set_num_threads(threads)
        return _at_size(low, height_px, max(1, round(image.shape[1] * height_px / image.shape[0])))


@torch.no_grad()
def _generated(
    generator: Generator, faces: Sequence[np.ndarray], rngs: Sequence[np.random.Generator]
) -> list[np.ndarray]:
    """What the generator makes of faces (H, W, 3), uint8, presented as it wants them; (s, s, 3), uint8, each."""
    network, side = generator.network, generator.size
    noise_length: int = network.noise  # pyrefly: ignore - every generator has it
    where = next(network.parameters()).device
    inputs = torch.cat([to_input(face, (side, side)) for face in faces]).to(where)
    noise = np.stack([rng.standard_normal(noise_length, np.float32) for rng in rngs])
    made = network(inputs, torch.from_numpy(noise).to(where)).mul(255).round().byte()
    return list(made.permute(0, 2, 3, 1).contiguous().cpu().numpy())


def _at_size(face: np.ndarray, height: int, width: int) -> np.ndarray:
    planes = torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1))[None])
    return np.ascontiguousarray(to_size(planes, (height, width))[0].permute(1, 2, 0).numpy())


def _put_back(
    low: np.ndarray, seen: np.ndarray, small: np.ndarray, points: np.ndarray, presentation: str
) -> np.ndarray:
    """An aligned LR face in its place in the shrunk crop.

    Args:
        low: the face (s, s, 3), uint8, black where its crop had ended.
        seen: (s, s, 3), uint8, white where it had not: there alone the face covers the crop.
        small: the shrunk crop (h, w, 3), uint8.
        points: the landmarks in it (5, 2), px.
        presentation: by which template the face is aligned.
    """
    side, template = TEMPLATES[presentation]
    try:
        matrix = similarity(template * len(low) / side, points)
        shrunk = min(1.0, float(np.hypot(*matrix[:, 0])))
        if shrunk < 1:  # so that nothing aliases
            length = max(1, round(len(low) * shrunk))
            low, seen = (cv2.resize(face, (length, length), interpolation=cv2.INTER_AREA) for face in (low, seen))
            matrix = similarity(template * length / side, points)
    except LandmarkError:  # of a face of a few pixels they can lie on one line
        return small
    warp = np.column_stack([matrix[:, :2], matrix[:, :2] @ HALF + matrix[:, 2] - HALF])
    placed, covered = (
        cv2.warpAffine(face.astype(np.float32), warp, small.shape[1::-1], flags=cv2.INTER_LINEAR)
        for face in (low, seen)
    )
    return np.clip(np.rint(placed + (1 - covered / 255) * small), 0, 255).astype(np.uint8)
