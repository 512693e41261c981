"""What a camera does to light: lens, exposure, sensor, white balance, tone curve, sharpening and JPEG.

None of this is shared with the synthesisers of low resolution, so that native and synthetic faces truly differ.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lrfr.sources.rendering.noise import times


@dataclass(frozen=True)
class Camera:
    """One camera at one moment. Lengths in px; noise in electrons."""

    defocus: float
    motion: float
    motion_angle: float
    exposure: float
    full_well: float  # electrons at white; a small one is a high ISO
    read_noise: float
    cast: np.ndarray  # residue of the white balance, RGB (3,)
    contrast: float
    saturation: float
    vignetting: float
    chroma_blur: float
    sharpening: float
    quality: int


def draw_camera(rng: np.random.Generator, portrait: bool) -> Camera:
    """Draws a good camera at its best for portraits, any other for scenes."""
    if portrait:
        return Camera(
            defocus=rng.uniform(0.4, 0.7), motion=0.0, motion_angle=0.0, exposure=rng.uniform(0.85, 1.3),
            full_well=rng.uniform(6000, 20000), read_noise=6.0, cast=1 + rng.normal(0, 0.03, 3),
            contrast=rng.uniform(0.2, 0.6), saturation=rng.uniform(0.95, 1.2), vignetting=rng.uniform(0, 0.2),
            chroma_blur=0.5, sharpening=rng.uniform(0.1, 0.5), quality=int(rng.integers(94, 97)),
        )  # fmt: skip
    dim = rng.random() < 0.15
    return Camera(
        defocus=float(rng.uniform(0.45, 0.85)),
        motion=float(max(0.0, rng.normal(0.0, 0.5))),
        motion_angle=float(rng.uniform(0, np.pi)),
        exposure=float(rng.uniform(0.6, 0.9) if dim else rng.uniform(0.85, 1.45)),
        full_well=float(np.exp(rng.uniform(*np.log([700, 2000] if dim else [2000, 12000])))),
        read_noise=float(rng.uniform(3, 9)),
        cast=1 + rng.normal(0, 0.05, 3) + [rng.normal(0, 0.05), 0, 0],
        contrast=float(rng.uniform(0.15, 0.75)),
        saturation=float(rng.uniform(0.75, 1.25)),
        vignetting=float(rng.uniform(0.0, 0.45)),
        chroma_blur=float(rng.uniform(0.6, 1.3)),
        sharpening=float(rng.uniform(0.0, 0.9)),
        quality=int(rng.integers(68, 95)),
    )


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """A line of ``length`` px as a blur kernel (k, k), sum 1."""
    size = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((size, size), np.float32)
    for along in np.linspace(-length / 2, length / 2, 16):
        x, y = size / 2 - 0.5 + along * np.cos(angle), size / 2 - 0.5 + along * np.sin(angle)
        left, top = int(x), int(y)
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            kernel[top + row, left + column] += (1 - abs(y - top - row)) * (1 - abs(x - left - column))
    return kernel / kernel.sum()


def disc_kernel(radius: float) -> np.ndarray:
    """A defocus disc with a soft rim as a blur kernel (k, k), sum 1."""
    reach = int(np.ceil(radius + 0.5))
    axis = np.arange(-reach, reach + 1)
    kernel = np.clip(radius + 0.5 - np.hypot(axis[:, None], axis[None]), 0, 1).astype(np.float32)
    return kernel / kernel.sum()


def photograph(scene: np.ndarray, camera: Camera, rng: np.random.Generator) -> bytes:
    """Takes a picture of a scene (H, W, 3), linear RGB, about 0..1: JPEG bytes."""
    light = cv2.filter2D(scene, -1, disc_kernel(camera.defocus), borderType=cv2.BORDER_REPLICATE)
    if camera.motion > 0.4:
        light = cv2.filter2D(
            light, -1, motion_kernel(camera.motion, camera.motion_angle), borderType=cv2.BORDER_REPLICATE
        )
    signal = np.clip(times(light, _exposure(scene.shape, camera)), 0, 1.15)
    pixels = _developed(_sensed(signal, camera, rng), camera)
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.quality])[1].tobytes()


def _exposure(shape: tuple[int, ...], camera: Camera) -> np.ndarray:
    """How much of the light arrives: less in the corners."""
    y, x = np.linspace(-0.75, 0.75, shape[0]), np.linspace(-1, 1, shape[1])
    return (camera.exposure * (1 - camera.vignetting * np.add.outer(y * y, x * x) / 1.56)).astype(np.float32)


def _sensed(signal: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Shot and read noise, then the loss of colour detail that interpolating a Bayer pattern brings."""
    variance = signal * np.float32(1 / camera.full_well) + np.float32((camera.read_noise / camera.full_well) ** 2)
    raw = signal + cv2.sqrt(variance) * rng.standard_normal(signal.shape, dtype=np.float32)
    apart = cv2.transform(raw, np.array([[1, -1, 0], [0, 1, 0], [0, -1, 1]], np.float32))
    soft = cv2.GaussianBlur(apart, (0, 0), camera.chroma_blur)
    soft[..., 1] = cv2.GaussianBlur(apart[..., 1], (0, 0), 0.35 * camera.chroma_blur)
    return cv2.transform(soft, np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]], np.float32))


def _developed(raw: np.ndarray, camera: Camera) -> np.ndarray:
    """White balance, tone curve, saturation and sharpening: (H, W, 3) uint8."""
    balanced = cv2.transform(raw, np.diag(camera.cast).astype(np.float32))
    curved = _tone_curve(camera.contrast)[np.clip(balanced * 4095, 0, 4095).astype(np.uint16)]
    grey = np.outer(np.ones(3), [0.299, 0.587, 0.114])
    coloured = cv2.transform(curved, (grey + (np.eye(3) - grey) * camera.saturation).astype(np.float32))
    if camera.sharpening > 0.05:
        blurred = cv2.GaussianBlur(coloured, (0, 0), 1.0)
        coloured = cv2.addWeighted(coloured, 1 + camera.sharpening, blurred, -camera.sharpening, 0)
    return np.clip(coloured * 255 + 0.5, 0, 255).astype(np.uint8)


def _tone_curve(contrast: float) -> np.ndarray:
    """From linear light in 4096 levels to display values 0..1: gamma, and an S for contrast."""
    linear = np.linspace(0, 1, 4096)
    encoded = 0.25 * np.sqrt(linear) + 0.75 * linear ** (1 / 2.4)
    return (encoded + 2 * contrast * encoded * (1 - encoded) * (encoded - 0.42)).astype(np.float32)
