"""Faces that MTCNN detects, drawn from a few soft ellipses; and the small worlds that the stages are tested in."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

PARAMS = Path(__file__).parents[1] / "params.yaml"


def portrait(side: int, seed: int) -> np.ndarray:
    """A head on a plain ground, (side, side, 3) RGB; the face fills about its middle half."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:200, 0:200].astype(float)
    skin, hair = np.array([205, 165, 140]) * rng.uniform(0.8, 1.1), np.array([45, 32, 25])
    image = np.ones((200, 200, 3)) * np.array([90, 110, 130]) * rng.uniform(0.6, 1.2)

    def ellipse(
        center: tuple[float, float], radii: tuple[float, float], colour: Any, alpha: float, soft: float
    ) -> None:
        distance = np.hypot((x - center[0]) / radii[0], (y - center[1]) / radii[1])
        inside = alpha / (1 + np.exp((distance - 1) * min(radii) / soft * 4))
        image[:] = image * (1 - inside[..., None]) + np.asarray(colour) * inside[..., None]

    ellipse((100, 75), (62, 70), hair, 1, 4)
    ellipse((100, 190), (40, 50), skin * 0.8, 1, 6)
    ellipse((100, 105), (50, 66), skin, 1, 3)
    ellipse((100, 62), (44, 18), hair, 0.8, 6)
    eye = rng.uniform(18, 23)
    for side_of in (-1, 1):
        ellipse((100 + side_of * eye, 85), (14, 5), (50, 35, 28), 0.85, 3)
        ellipse((100 + side_of * eye, 97), (13, 8), skin * 0.7, 0.6, 6)
        ellipse((100 + side_of * eye, 98), (9, 5), (235, 230, 225), 0.8, 2)
        ellipse((100 + side_of * eye, 98), (4.5, 5), (35, 25, 20), 1, 2)
        ellipse((100 + side_of * 7, 124), (4, 3), skin * 0.5, 0.9, 2)
        ellipse((100 + side_of * 38, 115), (14, 40), skin * 0.7, 0.5, 20)
    ellipse((100, 110), (7, 18), skin * 1.1, 0.5, 6)
    ellipse((100, 143), (20, 7), (165, 85, 80), 0.9, 3)
    ellipse((100, 142), (18, 2), (90, 40, 40), 0.9, 2)
    image = np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def write_params(**changes: dict[str, Any]) -> None:
    """Writes the project's params.yaml into the current folder, with some sections changed."""
    params = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    for section, values in changes.items():
        params[section] |= values
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
