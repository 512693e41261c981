"""Where a face has to be moved so that its five landmarks lie where the network expects them.

Coordinates are those of the face table: px from the picture's upper left corner, so that a pixel's centre lies at .5
and the coordinates of a resized picture scale with its sides.
"""

import numpy as np

from lrfr.errors import LandmarkError

AS_CROPPED = "as_cropped"  # the presentation of a face as it was cut
MIDDLE = "middle_224"  # of the middle of a face as it was cut, see :func:`lrfr.nn.framing.middle`

SIDE = 112  # px, of an aligned face

# Eyes, nose, mouth corners of an aligned face, px: what insightface publishes as arcface_dst, and every network that
# was trained on its aligned faces expects.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)

# Where dlib's face recogniser has them on its chips of 150 px with a padding of 0.25 (get_face_chip_details)
DLIB_TEMPLATE = np.array([[47.55, 46.6], [100.47, 46.6], [74.0, 76.6], [50.4, 103.0], [97.6, 103.0]])

TEMPLATES = {"arcface_112": (SIDE, TEMPLATE), "dlib_150": (150, DLIB_TEMPLATE)}
"""The side of an aligned face, px, and where its landmarks lie, by the name of the presentation."""

LINE = 0.05  # the spread across the line through the landmarks, as a share of that along it; of a profile face: 0.3
ALIKE = 0.5  # correlation of the landmarks with the template; of a profile face: 0.8, of a mirrored one: 0.2


def check_presentation(name: str) -> str:
    """The name of a presentation, if there is one of that name.

    Raises:
        ValueError: there is none; the known ones are listed.
    """
    if name not in (AS_CROPPED, *TEMPLATES, MIDDLE):
        raise ValueError(f"there is no presentation '{name}'; known: {', '.join([AS_CROPPED, *TEMPLATES, MIDDLE])}")
    return name


def is_aligned(presentation: str) -> bool:
    """Whether faces are aligned to a template, for which their landmarks are needed."""
    return presentation in TEMPLATES


def similarity(landmarks: np.ndarray, template: np.ndarray = TEMPLATE) -> np.ndarray:
    """The rotation, scale and shift that bring landmarks closest to a template, in the least squares.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE TPAMI 13(4),
    1991, eq. 40-42, in two dimensions, where points are complex numbers and the solution is one quotient. There is no
    reflection.

    Args:
        landmarks: (5, 2) x, y, px.
        template: (5, 2) x, y, px.

    Returns:
        (2, 3): x' = matrix @ [x, y, 1].

    Raises:
        LandmarkError: the landmarks are not finite, lie on one line (or all in one place), or are no face's: with left
            and right exchanged, for instance.
    """
    landmarks = _finite(landmarks)
    middle, middle_there = landmarks.mean(axis=0), template.mean(axis=0)
    along, across = np.linalg.svd(landmarks - middle, compute_uv=False)
    if across <= LINE * along:
        raise LandmarkError("the landmarks lie on one line")
    here, there = ((points - points.mean(axis=0)) @ [1, 1j] for points in (landmarks, template))
    common = np.vdot(here, there)
    if abs(common) < ALIKE * np.linalg.norm(here) * np.linalg.norm(there):
        raise LandmarkError("the landmarks are not those of a face: eyes, nose, mouth corners, the left one first")
    turn = common / np.vdot(here, here)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, middle_there - linear @ middle])


def mirrored(landmarks: np.ndarray, width: np.ndarray | float) -> np.ndarray:
    """The landmarks (..., 5, 2) of mirror images, px: the left eye there is what the right one was here.

    Args:
        landmarks: (..., 5, 2) x, y, px.
        width: of the pictures, px, (..., 1) or one for all.
    """
    turned = landmarks[..., [1, 0, 2, 4, 3], :]
    return np.stack([width - turned[..., 0], turned[..., 1]], axis=-1)


def tight_crop(landmarks: np.ndarray, height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A random crop that still holds the five landmarks: a face as tightly cut as in TinyFace, or less.

    Each side is drawn for itself, uniformly from the picture's edge to the outermost landmark.

    Args:
        landmarks: (5, 2) x, y, px.
        height: of the picture, px.
        width: of the picture, px.
        rng: draws the four sides.

    Returns:
        Left, top, right and bottom, px; the last two are the first that are cut off. Landmarks outside of the picture
        draw no side beyond its edge.

    Raises:
        LandmarkError: the landmarks are not finite.
    """
    landmarks = _finite(landmarks)
    size = np.array([width, height])
    first = np.clip(np.floor(landmarks.min(axis=0)), 0, size - 1).astype(int)
    last = np.clip(np.floor(landmarks.max(axis=0)).astype(int) + 1, first + 1, size)
    left, top = rng.integers(0, first, endpoint=True).tolist()
    right, bottom = rng.integers(last, size, endpoint=True).tolist()
    return left, top, right, bottom


def _finite(landmarks: np.ndarray) -> np.ndarray:
    if not np.isfinite(landmarks).all():
        raise LandmarkError("a landmark is not a number")
    return np.asarray(landmarks, float)
