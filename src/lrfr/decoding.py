"""Encoded bytes to pixels. Odd pictures are read rightly, and what cannot be read is refused with the reason.

OpenCV decodes ordinary JPEG and PNG, in a tenth of Pillow's time; Pillow everything else. OpenCV's libraries write to
stderr and go on where a file is damaged, so what they would stumble over is looked for first.
"""

import io
import warnings
import zlib
from collections.abc import Iterator
from struct import Struct
from struct import error as StructError

import cv2
import numpy as np

from lrfr.errors import ImageError

# 300 MB as RGB. A few kB can claim any size; the header is believed before anything is decoded.
MAX_PIXELS = 100_000_000

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
END_OF_JPEG = b"\xff\xd9"
PILLOW_READS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # none that starts a program, as EPS does
WHAT = {
    "empty": "an image file is empty",
    "not_image": "an image is in no known format",
    "corrupt": "an image is truncated or damaged",
    "too_big": f"an image claims more than {MAX_PIXELS:,} pixels",
}

MARKER, EXIF, PROGRESSIVE = 0xFF, 0xE1, 0xC2
EXIF_ORIENTATION = 0x0112
START_OF_FRAME = {0xC0, 0xC1, PROGRESSIVE}  # Huffman coded
UNUSUAL = {0xDA, MARKER, *range(0xD0, 0xDA)}  # pixels before any frame header, fill bytes, lone markers
RESTARTS = b"\xff\xdd"  # announces restart markers; inside compressed data these two bytes never follow one another
JPEG_FRAME = Struct(">HHB")  # height, width, channels
MID_GREY = [128, 128, 128]
# Compressed data that show wherever a decoder reads them, with every restart marker that it may wait for
PADDING = b"\x55" * 64 + b"".join(bytes([MARKER, 0xD0 + number]) + b"\x55" * 64 for number in range(8))

PNG_CHUNK, PNG_HEADER, PNG_CHECKSUM = Struct(">I4s"), Struct(">IIBB"), Struct(">I")
PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"tEXt", b"pHYs", b"tIME", b"gAMA", b"sRGB", b"cHRM"}
PLAIN_COLOURS = {0, 2, 4, 6}  # grey or RGB, with alpha or without; 3 has a palette
LIBPNG_SIDES = range(1, 1_000_001)  # px; of others it complains on stderr

# Pillow warns of oddities that do not keep it from reading a picture; nobody can act on them.
warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(image: bytes, where: object = None) -> np.ndarray:
    """Decodes a picture to an RGB array (H, W, 3), uint8, upright.

    Orientation in EXIF is applied, CMYK becomes RGB by Pillow's formula, of 16 bits the upper 8 stay, grey is repeated
    in every channel, transparency is dropped, and of several pictures in a file the first is taken.

    Args:
        image: JPEG or PNG; BMP, GIF, PGM and PPM, TIFF and WebP too.
        where: names the picture in the error.

    Raises:
        ImageError: with the ``reason`` ``empty``; ``not_image``, also where values have no known range, as in a TIFF
            of floating point; ``too_big``, more than ``MAX_PIXELS`` by its header,
            which is asked before anything is decoded; or ``corrupt``. A JPEG whose end was cut off is always corrupt,
            also when an end mark was put after the cut (unless that is between a progressive one's scans, or where a
            restart marker was to follow).
            Bytes that changed inside its compressed data and leave it long enough cannot be told from what a camera
            wrote.
    """
    reason, pixels = "corrupt" if image else "empty", None
    try:
        pixels = _decode(image) if image else None
    except ImageError as error:
        reason = error.reason
    except (IndexError, ValueError, StructError):
        pass  # a header that breaks off
    if pixels is None:
        remedy = "replace the file, or take it out of the source"
        raise ImageError(WHAT[reason], reason=reason, where=where, remedy=remedy)
    return pixels


def orientation(image: bytes) -> int:
    """How EXIF turns a picture upright: 1 not at all, 2 to 4 its width and height stay, 5 to 8 they are swapped."""
    from PIL import Image

    try:
        turn = Image.open(io.BytesIO(image), formats=PILLOW_READS).getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # Pillow's readers raise nearly anything on damaged bytes
        return 1
    return turn if turn in range(1, 9) else 1


def _decode(image: bytes) -> np.ndarray | None:
    if image.startswith(JPEG):
        return _decode_jpeg(image)
    if image.startswith(PNG):
        return _decode_png(image)
    return _decode_by_pillow(image)


def _decode_jpeg(image: bytes) -> np.ndarray | None:
    frame, has_exif = _start_of_frame(image)
    if frame is None:
        return _decode_by_pillow(image)
    height, width, channels = JPEG_FRAME.unpack_from(image, frame + 5)
    _check_size(height, width)
    if not image.endswith(END_OF_JPEG) and image.rfind(END_OF_JPEG, frame) < 0:
        return None
    if image[frame + 1] == PROGRESSIVE or channels not in (1, 3):
        return _decode_by_pillow(image) if _is_whole(image) else None
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB)
    # After a restart marker a decoder reads on where data is missing, so that the last pixel says nothing
    doubtful = pixels is not None and (RESTARTS in image or _may_lack_data(pixels, has_exif))
    if doubtful and not _is_whole(image):
        return None
    return pixels


def _start_of_frame(image: bytes) -> tuple[int | None, bool]:
    """Where a JPEG's frame header is, None when it is of an unusual kind; and whether EXIF stands before it."""
    at, has_exif = 2, False
    while image[at] == MARKER and (kind := image[at + 1]) not in UNUSUAL:
        if kind in START_OF_FRAME:
            return at, has_exif
        has_exif |= kind == EXIF
        at += 2 + (image[at + 2] << 8 | image[at + 3])
    return None, has_exif


def _may_lack_data(pixels: np.ndarray, may_be_turned: bool) -> bool:
    """Whether the pixel that is decoded last is the mid-grey that the decoder leaves where data is missing."""
    if not may_be_turned:
        return pixels[-1, -1].tolist() == MID_GREY
    return any(pixels[row, column].tolist() == MID_GREY for row in (0, -1) for column in (0, -1))


def _is_whole(image: bytes) -> bool:
    """Whether a JPEG's compressed data suffice for its pixels: more data before its end mark would change nothing."""
    end = image.rfind(END_OF_JPEG)
    padded = image[:end] + PADDING + image[end:]
    return np.array_equal(_decode_by_pillow(image), _decode_by_pillow(padded))


def _decode_png(image: bytes) -> np.ndarray | None:
    width, height, depth, colour = PNG_HEADER.unpack_from(image, 16)
    _check_size(height, width)
    is_plain = depth == 8 and colour in PLAIN_COLOURS and height in LIBPNG_SIDES and width in LIBPNG_SIDES
    for kind in _png_chunks(image):
        is_plain &= kind in PLAIN_CHUNKS
    if not is_plain:
        return _decode_by_pillow(image)
    return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB)


def _png_chunks(image: bytes) -> Iterator[bytes]:
    """The kinds of the chunks of a PNG, to its end; each must have its checksum."""
    at, kind, view = len(PNG), b"", memoryview(image)
    while kind != b"IEND":
        length, kind = PNG_CHUNK.unpack_from(image, at)
        end = at + 8 + length
        if zlib.crc32(view[at + 4 : end]) != PNG_CHECKSUM.unpack_from(image, end)[0]:
            raise ValueError("wrong checksum")
        at = end + 4
        yield kind


def _check_size(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise ImageError(WHAT["too_big"], reason="too_big")


def _decode_by_pillow(image: bytes) -> np.ndarray:
    from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(image), formats=PILLOW_READS)
        kind = picture.format
        _check_size(picture.height, picture.width)
        picture = ImageOps.exif_transpose(picture)
        if kind in ("JPEG", "MPO") and picture.mode == "CMYK" and "adobe" not in picture.info:
            picture = ImageChops.invert(picture)  # Pillow takes every CMYK JPEG for Adobe's, which are inverted
        if picture.mode.startswith("I;16") or (picture.mode == "I" and kind in ("PNG", "PPM")):
            return np.repeat((np.asarray(picture) >> 8).astype(np.uint8)[..., None], 3, axis=2)
        if picture.mode in ("I", "F"):  # Pillow would cut 0..1 down to black, and 0..65535 to white
            raise ImageError(WHAT["not_image"], reason="not_image")
        return np.asarray(picture.convert("RGB"))
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(WHAT["too_big"], reason="too_big") from error
    except UnidentifiedImageError as error:
        known = image.startswith((JPEG, PNG))
        raise ImageError("", reason="corrupt" if known else "not_image") from error
    except Exception as error:  # Pillow's readers raise nearly anything on damaged bytes
        raise ImageError(WHAT["corrupt"], reason="corrupt") from error
