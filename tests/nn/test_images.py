import pickle

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr.errors import ImageError
from lrfr.faces import FACE_SCHEMA, decode, encode_png, write_faces
from lrfr.images import Images
from lrfr.nn.batches.images import FaceImages, batches, in_order
from lrfr.nn.resolution import to_size
from tests.face_tables import face, face_table, images_of

SIZES = [(20, 16), (48, 48), (7, 33), (60, 41), (47, 90), (112, 112), (1, 1), (56, 48)]


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    rows = [
        face(rng, f"{height} {width}", 20) | {"image": encode_png(rng.integers(0, 255, (height, width, 3), np.uint8))}
        for height, width in SIZES
    ]
    parts = [pa.Table.from_pylist(rows[:3], FACE_SCHEMA), pa.Table.from_pylist(rows[3:], FACE_SCHEMA)]
    return pa.concat_tables(parts)


def resized(faces: pa.Table, row: int, size: tuple[int, int], interpolation: str) -> torch.Tensor:
    pixels = torch.from_numpy(decode(faces["image"][row].as_py()).copy()).permute(2, 0, 1)[None].float() / 255
    return to_size(pixels, size, interpolation)[0]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(48, 48), (56, 48), (16, 40)])
def test_faces_of_any_size_are_resized_as_the_network_resizes_them(size, interpolation):
    faces = table()
    images = FaceImages(images_of(faces), size, interpolation=interpolation)
    batch = images.tensors(images.__getitems__(list(range(len(SIZES)))))
    assert batch.shape == (len(SIZES), 3, *size) and batch.dtype == torch.float32
    for row in range(len(SIZES)):
        assert torch.allclose(batch[row], resized(faces, row, size, interpolation), atol=1e-6)
        assert torch.equal(FaceImages(images_of(faces), size, interpolation=interpolation)[row], batch[row])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(48, 48), (56, 48)])
def test_pixels_of_training_are_those_of_the_network_to_a_grey_level(size, interpolation):
    images = FaceImages(images_of(table()), size, interpolation=interpolation)
    for row in range(len(SIZES)):
        pixels = images.resized(images.captured(row))
        assert pixels.dtype == np.uint8 and pixels.shape == (*size, 3) and pixels.flags.c_contiguous
        assert np.allclose(pixels.transpose(2, 0, 1), images[row].numpy() * 255, atol=1.01)


def test_a_part_of_a_table_and_a_copy_in_another_process_give_the_same(tmp_path):
    faces = table()
    write_faces(faces, tmp_path / "faces.parquet")
    images = FaceImages(Images(tmp_path / "faces.parquet", np.arange(2, 6)), (48, 48))
    assert len(images) == 4
    assert torch.equal(images[1], FaceImages(images_of(faces), (48, 48))[3])
    assert torch.equal(pickle.loads(pickle.dumps(images))[1], images[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_rows_asked_for(workers):
    images = FaceImages(images_of(face_table()), (24, 24))
    first, second = batches(images, [[3, 0], [5]], workers)
    assert torch.equal(first, torch.stack([images[3], images[0]]))
    assert torch.equal(second[0], images[5])
    assert torch.equal(torch.cat(list(in_order(images, 7, 3))), torch.stack([images[row] for row in range(7)]))


def test_a_face_that_cannot_be_read_is_named():
    faces = table()
    images = pa.array([faces["image"][0].as_py(), b"torn"] + [b""] * (len(SIZES) - 2), pa.large_binary())
    faces = faces.set_column(2, FACE_SCHEMA.field("image"), images)
    with pytest.raises(ImageError, match=faces["face_id"][1].as_py()):
        FaceImages(images_of(faces), (48, 48))[1]


def test_enlarging_is_plain_bilinear():
    """So that the matrices cannot be wrong in the same way as what they come from."""
    faces = table()
    pixels = decode(faces["image"][0].as_py()).astype(np.float32) / 255
    plain = cv2.resize(pixels, (40, 48), interpolation=cv2.INTER_LINEAR)
    assert np.allclose(FaceImages(images_of(faces), (48, 40))[0].permute(1, 2, 0).numpy(), plain, atol=1e-5)
