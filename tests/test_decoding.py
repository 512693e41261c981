import io
import struct
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lrfr.decoding import END_OF_JPEG, MAX_PIXELS, decode
from lrfr.errors import ImageError
from lrfr.faces import encode_png
from tests.drawing import jpeg, portrait
from tests.face_tables import picture

PIXELS = portrait(96, 1)
ROTATIONS = range(1, 9)


def encoded(image: Image.Image | np.ndarray, kind: str, **options) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def turned(kind: str, orientation: int, **options) -> bytes:
    exif = Image.Exif()
    exif[0x112] = orientation
    return encoded(PIXELS, kind, exif=exif, **options)


def refused(image: bytes, capfd) -> str:
    with pytest.raises(ImageError) as error:
        decode(image, "photo 7")
    assert "photo 7" in str(error.value)
    assert capfd.readouterr() == ("", "")
    return error.value.reason


def test_ordinary_pictures_are_read_as_opencv_and_pillow_read_them():
    for image in (jpeg(PIXELS), encode_png(PIXELS), encoded(PIXELS, "PNG")):
        assert np.array_equal(decode(image), cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB))
        assert np.array_equal(decode(image), np.asarray(Image.open(io.BytesIO(image))))
        assert decode(image).dtype == np.uint8


@pytest.mark.parametrize("orientation", ROTATIONS)
@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {})])
def test_exif_turns_the_picture_upright(kind, options, orientation):
    image = turned(kind, orientation, **options)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(image)))
    assert np.array_equal(decode(image), np.asarray(upright))


def test_cmyk_is_read_the_right_way_round_by_adobe_and_without():
    ink = Image.fromarray(PIXELS).convert("CMYK")
    by_adobe = encoded(ink, "JPEG", quality=95)
    assert b"Adobe" in by_adobe
    assert np.abs(decode(by_adobe).astype(int) - PIXELS).mean() < 4
    plain = encoded(Image.eval(ink, lambda value: 255 - value), "JPEG", quality=95)
    at = plain.index(b"\xff\xee")
    without_mark = plain[:at] + plain[at + 2 + int.from_bytes(plain[at + 2 : at + 4]) :]
    assert np.abs(decode(without_mark).astype(int) - PIXELS).mean() < 4


def test_palettes_transparency_depths_and_grey_become_rgb():
    opaque = Image.fromarray(PIXELS)
    few = opaque.quantize(64)
    grey = np.asarray(opaque.convert("L"))
    as_rgb = np.repeat(grey[..., None], 3, axis=2)
    see_through = opaque.copy()
    see_through.putalpha(Image.fromarray(np.tile(np.arange(96, dtype=np.uint8), (96, 1))))
    deep = grey.astype(np.uint16) * 256 + 200
    expected = {
        encoded(few, "PNG"): np.asarray(few.convert("RGB")),
        encoded(few, "PNG", transparency=0): np.asarray(few.convert("RGB")),
        encoded(see_through, "PNG"): PIXELS,
        encoded(see_through.convert("LA"), "PNG"): as_rgb,
        encoded(opaque, "PNG", transparency=(1, 2, 3)): PIXELS,
        encoded(opaque.convert("L"), "PNG"): as_rgb,
        encoded(deep, "PNG"): as_rgb,
        cv2.imencode(".png", deep[..., None].repeat(3, 2))[1].tobytes(): as_rgb,
        encoded(opaque.convert("1"), "PNG"): np.asarray(opaque.convert("1").convert("RGB")),
        encoded(opaque, "BMP"): PIXELS,
        encoded(opaque, "WEBP", lossless=True): PIXELS,
        encoded(opaque, "TIFF"): PIXELS,
        encoded(PIXELS, "PNG", icc_profile=b"nonsense" * 30): PIXELS,
    }
    for image, pixels in expected.items():
        assert np.array_equal(decode(image), pixels)
    assert np.abs(decode(encoded(opaque.convert("L"), "JPEG", quality=95)).astype(int) - as_rgb).mean() < 3


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}, {"restart_marker_blocks": 4}])
@given(cut=st.floats(0.05, 0.97))
def test_no_half_of_a_jpeg_passes(options, cut):
    whole = encoded(PIXELS, "JPEG", quality=90, **options)
    assert decode(whole).shape == PIXELS.shape
    resumes = "progressive" in options or "restart_marker_blocks" in options  # a cut can look like the end of a part
    for ending in (b"", bytes(500)) if resumes else (b"", bytes(500), END_OF_JPEG):
        with pytest.raises(ImageError, match="truncated"):
            decode(whole[: int(cut * len(whole))] + ending)


def test_nearly_no_cut_between_restart_markers_passes():
    whole = encoded(PIXELS, "JPEG", quality=90, restart_marker_blocks=4)
    passed = 0
    for length in range(len(whole) // 20, len(whole) - 20, 40):
        with suppress(ImageError):
            passed += decode(whole[:length] + END_OF_JPEG).shape == PIXELS.shape
    assert passed <= 1


@given(st.integers(0, 2**32 - 1))
def test_tiny_faces_of_every_kind_pass(seed):
    rng = np.random.default_rng(seed)
    pixels = picture(rng, *rng.integers(1, 40, 2))
    if seed % 3 == 0:
        pixels[:] = rng.integers(126, 131)  # as grey as missing data
    assert np.array_equal(decode(encode_png(pixels)), pixels)
    image = encoded(pixels, "JPEG", quality=int(rng.integers(5, 96)), progressive=bool(seed % 2))
    assert np.array_equal(decode(image), np.asarray(Image.open(io.BytesIO(image))))


def test_what_follows_a_whole_jpeg_does_not_matter():
    assert np.array_equal(decode(jpeg(PIXELS) + b"appended by a camera"), decode(jpeg(PIXELS)))


def test_portable_maps_are_read():
    grey = PIXELS[..., 0]
    assert np.array_equal(decode(encoded(PIXELS, "PPM")), PIXELS)
    assert np.array_equal(decode(encoded(grey, "PPM")), np.repeat(grey[..., None], 3, axis=2))
    height, width = grey.shape
    deep = b"P5 %d %d 65535\n" % (width, height) + (grey.astype(np.uint16) * 256 + 17).astype(">u2").tobytes()
    assert np.array_equal(decode(deep), decode(encoded(grey, "PPM")))


@pytest.mark.parametrize("values", [PIXELS[..., 0] / np.float32(255), PIXELS[..., 0].astype(np.int32) * 200])
def test_values_without_a_known_range_are_refused(values, capfd):
    assert refused(encoded(values, "TIFF"), capfd) == "not_image"


def test_very_long_pictures_are_read_in_silence(capfd):
    assert decode(encoded(np.zeros((1, 1_000_001), np.uint8), "PNG")).shape == (1, 1_000_001, 3)
    assert capfd.readouterr() == ("", "")


def test_broken_files_say_why_and_nothing_else(capfd):
    png, flipped = encode_png(PIXELS), bytearray(encode_png(PIXELS))
    flipped[len(flipped) // 2] ^= 1
    assert refused(b"", capfd) == "empty"
    for nothing in (b"\x00", bytes(1000), b"GIF?", b"<html>not found</html>", b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        assert refused(nothing, capfd) == "not_image"
    for damaged in (png[:40], png[: len(png) // 2], png[:-12], bytes(flipped), jpeg(PIXELS)[:300], b"\xff\xd8\xff"):
        assert refused(damaged, capfd) == "corrupt"


def bomb(kind: str, side: int) -> bytes:
    """A small file that claims side x side pixels."""
    small = encoded(np.zeros((8, 8, 3), np.uint8), kind)
    if kind == "PNG":
        header = b"IHDR" + struct.pack(">II", side, side) + small[24:29]
        return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    if kind == "BMP":
        return small[:18] + struct.pack("<ii", side, side) + small[26:]
    at = small.index(b"\xff\xc0")
    return small[: at + 5] + struct.pack(">HH", side, side) + small[at + 9 :]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [int(MAX_PIXELS**0.5) + 1, 60_000])
def test_a_picture_that_claims_too_many_pixels_is_not_decoded(kind, side, capfd, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    assert len(bomb(kind, side)) < 2000
    assert refused(bomb(kind, side), capfd) == "too_big"
