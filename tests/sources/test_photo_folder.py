import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lrfr.config import settings
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import decode
from lrfr.sources.photo_folder import Settings, acquire
from lrfr.sources.reading.cutting import cut
from tests.sources.layouts import picture, reasons, tree, write

PHOTOS = {"a/one.jpg": picture(1, 40, 60), "a/two.jpg": picture(2, 40, 60), "none.jpg": picture(3, 40, 60)}
POINTS = [12, 6, 16, 6, 14, 9, 12, 12, 16, 12]  # in the photo

COCO = {
    "images": [{"id": number, "file_name": name} for number, name in enumerate(PHOTOS)],
    "categories": [{"id": 7, "name": "person"}, {"id": 8, "name": "Face"}],
    "annotations": [
        {"image_id": 0, "category_id": 8, "bbox": [10, 4, 8, 10], "score": 0.75, "attributes": {"identity": "ann"}}
        | {"keypoints": [value for x, y in zip(POINTS[::2], POINTS[1::2], strict=True) for value in (x, y, 2)]},
        {"image_id": 1, "category_id": 8, "bbox": [20.4, 3.6, 12, 9], "keypoints": [1, 1, 0] * 5},
        {"image_id": 1, "category_id": 7, "bbox": [0, 0, 40, 40]},
    ],
}
WIDER = """a/one.jpg
1
10 4 8 10 0.75
a/two.jpg
1
20.4 3.6 12 9
none.jpg
0
0 0 0 0 0 0 0 0 0 0
"""
CSV = f"""photo,x,y,width,height,identity,score,landmarks
a/one.jpg,10,4,8,10,ann,0.75,{" ".join(map(str, POINTS))}
a/two.jpg,20.4,3.6,12,9,,,
none.jpg,,,,,,,
"""
TABLE = [
    {
        "photo": "a/one.jpg",
        "x": 10,
        "y": 4,
        "width": 8,
        "height": 10,
        "identity": "ann",
        "score": 0.75,
        "landmarks": POINTS,
    },
    {"photo": "a/two.jpg", "x": 20.4, "y": 3.6, "width": 12, "height": 9},
    {"photo": "none.jpg"},
]


def photos(root, **lists):
    write(root, PHOTOS)
    for name, content in lists.items():
        name = name.replace("_", ".")
        if name.endswith("parquet"):
            pq.write_table(pa.Table.from_pylist(content), root / name)
        else:
            (root / name).write_text(json.dumps(content) if name.endswith("json") else content)
    return root


def read(root, detections, **options):
    return acquire(root, Settings(detections=detections, **options), 1)


def test_without_detections_the_photos_alone_are_handed_over(tmp_path):
    acquired = acquire(write(tmp_path, PHOTOS | {"notes.txt": b"x"}), Settings(), 1)
    assert {row["photo_id"]: row["image"] for row in acquired.photos.to_pylist()} == PHOTOS
    assert set(acquired.photos["collection"].to_pylist()) == {"native"}
    assert acquired.faces.num_rows == 0 and reasons(acquired.excluded) == {"notes.txt": "not_image"}


@pytest.mark.parametrize(
    ("name", "content"), [("list_json", COCO), ("list_txt", WIDER), ("list_csv", CSV), ("list_parquet", TABLE)]
)
def test_every_kind_of_list_cuts_the_same_faces(tmp_path, name, content):
    acquired = read(photos(tmp_path, **{name: content}), name.replace("_", "."))
    one, two = acquired.faces.to_pylist()
    knows_names = name != "list_txt"
    assert [one["photo_id"], two["photo_id"]] == ["a/one.jpg", "a/two.jpg"]
    assert [one["box"], two["box"]] == [[10, 4, 8, 10], [20, 4, 12, 9]]
    for row in (one, two):
        x, y, width, height = map(int, row["box"])
        np.testing.assert_array_equal(
            decode(row["image"]), decode(PHOTOS[row["photo_id"]])[y : y + height, x : x + width]
        )
        assert (row["width"], row["height"]) == (width, height)
        assert row["attributes"] == [("collection", "native"), ("name", row["photo_id"])]
    assert (one["identity"], two["identity"]) == ("ann" if knows_names else None, None)
    assert (one["score"], two["score"]) == (0.75, None)
    points = (np.array(POINTS) - np.tile([10, 4], 5)).tolist()
    assert (one["landmarks"], two["landmarks"]) == (points if knows_names else None, None)
    assert acquired.photos["photo_id"].to_pylist() == ["a/one.jpg", "a/two.jpg"]
    assert reasons(acquired.excluded) == {"none.jpg": "no_face"}


def test_the_flags_of_wider_face(tmp_path):
    text = "a/one.jpg\n2\n10 4 8 10 2 0 1 0 2 1\n30 4 8 10 0 0 0 1 0 0\n"
    acquired = read(photos(tmp_path, list_txt=text), "list.txt")
    (row,) = acquired.faces.to_pylist()
    flags = {"blur": "2", "expression": "0", "illumination": "1", "occlusion": "2", "pose": "1"}
    assert dict(row["attributes"]) == {"collection": "native", "name": "a/one.jpg"} | flags
    assert reasons(acquired.excluded)["a/one.jpg: box 30, 4, 8, 10"] == "invalid"


def test_boxes_that_cannot_be_cut_and_photos_that_do_not_match_are_excluded(tmp_path):
    rows = [
        "-5,-5,15,15",
        "50,30,40,40",
        "10,10,0,5",
        "10,10,5,-5",
        "70,0,5,5",
        "-9,0,5,5",
        "nan,0,5,5",
        "10,10,5,5",
        "10,10,5,5",
    ]
    text = "\n".join(
        ["photo,x,y,width,height", *(f"a/one.jpg,{row}" for row in rows), "gone.jpg,1,1,5,5", "torn.jpg,1,1,5,5"]
    )
    root = photos(write(tmp_path, {"torn.jpg": b"\xff\xd8\xff"}), list_csv=text)
    acquired = read(root, "list.csv")
    assert acquired.faces["box"].to_pylist() == [[0, 0, 10, 10], [50, 30, 10, 10], [10, 10, 5, 5]]
    found = reasons(acquired.excluded)
    assert found.pop("torn.jpg") in ("corrupt", "not_image")
    assert found == {
        "a/one.jpg: box 10, 10, 0, 5": "no_area",
        "a/one.jpg: box 10, 10, 5, -5": "no_area",
        "a/one.jpg: box 70, 0, 5, 5": "outside_photo",
        "a/one.jpg: box -9, 0, 5, 5": "outside_photo",
        "a/one.jpg: box nan, 0, 5, 5": "no_area",
        "a/one.jpg: box 10, 10, 5, 5": "duplicate_box",
        "gone.jpg": "absent",
        "a/two.jpg": "unlisted",
        "none.jpg": "unlisted",
    }


def test_auxiliary_faces_need_names(tmp_path):
    acquired = read(photos(tmp_path, list_json=COCO), "list.json", collection="auxiliary")
    (row,) = acquired.faces.to_pylist()
    assert row["identity"] == "ann" and dict(row["attributes"])["collection"] == "auxiliary"
    assert reasons(acquired.excluded)["a/two.jpg: annotation number 2: box 20.4, 3.6, 12, 9"] == "no_identity"
    with pytest.raises(ParameterError, match="give detections with identities"):
        settings({"collection": "auxiliary"}, Settings, "acquire.settings")


def test_the_photos_may_lie_below_the_list(tmp_path):
    write(tmp_path, {f"WIDER_train/images/{name}": image for name, image in PHOTOS.items()})
    write(tmp_path, {"split/list.txt": WIDER.encode()})
    acquired = read(tmp_path, "split/list.txt", photos="WIDER_train/images")
    assert acquired.faces["photo_id"].to_pylist() == ["WIDER_train/images/a/one.jpg", "WIDER_train/images/a/two.jpg"]


def test_crowds_are_no_faces(tmp_path):
    crowd = COCO | {"annotations": [{"image_id": 0, "category_id": 8, "bbox": [1, 1, 9, 9], "iscrowd": 1}]}
    assert "crowd" in reasons(read(photos(tmp_path, list_json=crowd), "list.json").excluded).values()


def turned(image: bytes, orientation: int) -> bytes:
    """The same JPEG, with EXIF that turns it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    block = exif.tobytes()
    return image[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + image[2:]


@pytest.mark.parametrize(
    ("orientation", "size", "reason"),
    [
        (1, (60, 40), None),
        (1, (640, 480), "other_size"),
        (1, (40, 60), "other_size"),
        (6, (40, 60), None),  # the list is of the upright photo
        (6, (60, 40), "exif_turned"),
        (6, (640, 480), "other_size"),
        (3, (60, 40), "exif_turned"),  # nobody can tell
        (3, (30, 20), "other_size"),
    ],
)
def test_boxes_of_other_pixels_are_not_cut(tmp_path, orientation, size, reason):
    image = {"id": 0, "file_name": "one.jpg", "width": size[0], "height": size[1]}
    coco = {"images": [image], "annotations": [{"id": 7, "image_id": 0, "bbox": [4, 4, 8, 10]}]}
    write(tmp_path, {"one.jpg": turned(picture(1, 40, 60), orientation), "list.json": json.dumps(coco).encode()})
    acquired = read(tmp_path, "list.json")
    assert acquired.faces.num_rows == acquired.photos.num_rows == (reason is None)
    told = (
        f"one.jpg: {size[0]} x {size[1]} px in the list, the photo has {'40 x 60' if orientation == 6 else '60 x 40'}"
    )
    assert reasons(acquired.excluded) == ({} if reason is None else {told: reason})


def test_a_box_that_cannot_be_cut_is_named_by_annotation_and_image(tmp_path):
    boxes = [[float("nan"), 1, 5, 5], [1, 1, -5, 5], [90, 1, 5, 5]]
    annotations = [{"id": 70 + n, "image_id": 0, "category_id": 8, "bbox": box} for n, box in enumerate(boxes)]
    acquired = read(photos(tmp_path, list_json=COCO | {"annotations": annotations}), "list.json")
    found = {where: reason for where, reason in reasons(acquired.excluded).items() if "annotation" in where}
    assert found == {
        "a/one.jpg: annotation 70: box nan, 1, 5, 5": "no_area",
        "a/one.jpg: annotation 71: box 1, 1, -5, 5": "no_area",
        "a/one.jpg: annotation 72: box 90, 1, 5, 5": "outside_photo",
    }


def test_a_person_has_one_name_however_it_is_written(tmp_path):
    names = ["Jos\u00e9", " Jose\u0301", 11, 11.0, "11.0", "007", "", None]
    annotations = [
        {"image_id": 0, "category_id": 8, "bbox": [n, n, 5, 5], "identity": name} for n, name in enumerate(names)
    ]
    faces = read(photos(tmp_path, list_json=COCO | {"annotations": annotations}), "list.json").faces
    assert faces["identity"].to_pylist() == ["Jos\u00e9"] * 2 + ["11"] * 3 + ["007", None, None]


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = json.dumps(COCO).replace('"images"', '"images": [], "images"', 1)
    (photos(tmp_path) / "list.json").write_text(text)
    with pytest.raises(SourceError, match="the key 'images' stands twice"):
        read(tmp_path, "list.json")


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "link.jpg", "C:\\secret.jpg"])
def test_no_name_in_a_list_leads_out_of_the_root(tmp_path, name):
    tree(tmp_path, "secret.jpg")
    root = photos(tmp_path / "root", list_csv=f"photo,x,y,width,height\n{name},0,0,5,5\n")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(SourceError, match="leads out of the dataset"):
        read(root, "list.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list_xml", "<xml>", r"a list of detections of no known kind[\s\S]*COCO"),
        ("list_json", {"images": []}, r"not COCO's JSON: it has no list 'annotations'"),
        ("list_json", [1], r"not COCO's JSON"),
        ("list_json", COCO | {"categories": [{"id": 1, "name": "cat"}, {"id": 8, "name": "dog"}]}, r"cat, dog"),
        (
            "list_json",
            COCO | {"annotations": [{"image_id": 99, "category_id": 8, "bbox": [1, 1, 2, 2]}]},
            r"annotation number 1 has the image_id 99, which is not among the ids",
        ),
        (
            "list_json",
            COCO | {"annotations": [{"image_id": 0, "category_id": 8, "bbox": [1, 1, 2]}]},
            r"not COCO's JSON",
        ),
        (
            "list_json",
            COCO | {"annotations": [{"id": 5, "image_id": "0", "category_id": 8, "bbox": [1, 1, 2, 2]}]},
            r"annotation 5 has the image_id '0', which is not among the ids; 0 is, but one is text",
        ),
        (
            "list_json",
            COCO | {"annotations": [{"id": 5, "image_id": 0, "category_id": "8", "bbox": [1, 1, 2, 2]}]},
            r"annotation 5 of a/one\.jpg has the category_id '8', which is not among the ids; 8 is",
        ),
        (
            "list_json",
            COCO | {"images": [{"id": 0, "file_name": n} for n in "ab"]},
            r"two images have the id 0: a and b",
        ),
        ("list_json", COCO | {"images": [{"id": i, "file_name": "a"} for i in (3, 4)]}, r"a stands twice, .* 3 and 4"),
        ("list_json", COCO | {"images": [{"file_name": "a"}]}, r"image a has the id None, neither a whole number nor"),
        (
            "list_json",
            COCO | {"categories": [{"id": 8, "name": n} for n in "ab"]},
            r"two categories have the id 8: a and b",
        ),
        ("list_json", COCO | {"annotations": []}, r"has no face in any of its 3 photos"),
        (
            "list_json",
            COCO | {"annotations": [{"image_id": 0, "category_id": 8, "bbox": ["1", 1, 2, 2]}]},
            r"its bbox is not four numbers: \['1', 1, 2, 2\][\s\S]*annotation number 1 of a/one\.jpg",
        ),
        *(
            (
                "list_json",
                COCO | {"annotations": [{"image_id": 0, "category_id": 8, "bbox": [1, 1, 2, 2], "identity": name}]},
                r"the identity .* is no name: a name is text or a whole number[\s\S]*annotation number 1 of a/one\.jpg",
            )
            for name in (float("nan"), 1.5, True, [1], {"first": "Ann"})
        ),
        ("list_txt", "a/one.jpg\nthree\n", r"line 2 is not what WIDER FACE has there"),
        ("list_txt", "a/one.jpg\n2\n1 2 3 4\n", r"line 3 is not"),
        ("list_txt", "a/one.jpg\n1\n1 2 3 4 5 6 7\n", r"line 3 is not .*: a face has 7 numbers"),
        ("list_txt", "a/one.jpg\n1\n1 2 3\n", r"line 3 is not"),
        ("list_txt", "a/one.jpg\n-1\n", r"line 2 is not .*: -1 faces"),
        ("list_txt", "a/one.jpg\n1\n1 2 3 4\na/one.jpg\n1\n2 2 3 4\n", r"1 images stand twice, such as a/one\.jpg"),
        ("list_csv", "photo,x,y,w,h\n", r"columns are missing: width, height[\s\S]*it has: photo, x, y, w, h"),
        ("list_csv", "photo,x,x,y,width,height\na,1,2,3,4,5\n", r"columns stand twice: x"),
        ("list_csv", "photo,x,y,width,height\na,1,2,3,wide\n", r"not a readable table"),
        ("list_csv", "photo,x,y,width,height\na,1,2,3,\n", r"row 1 is no detection: it lacks height"),
        ("list_csv", "photo,x,y,width,height\n,1,2,3,4\n", r"row 1 is no detection: it lacks photo"),
        ("list_csv", "photo,x,y,width,height,landmarks\na,1,2,3,4,5 6 7\n", r"row 1 .* 3 landmark coordinates, not 10"),
        ("list_csv", "photo,x,y,width,height,landmarks\na,1,2,3,4,a b\n", r"row 1 is no detection: 'a' is no number"),
        ("list_csv", "photo,x,y,width,height,identity\na,1,2,3,4,nan\n", r"the identity 'nan' is what programs write"),
        (
            "list_parquet",
            [{"photo": "a", "x": 1, "y": 1, "width": 2, "height": 2, "identity": b"ann"}],
            r"the identity b'ann' is no name[\s\S]*row 1",
        ),
        ("list_csv", "photo,x,y,width,height\nx.jpg,1,2,3,4\n", r"none of the 1 listed images lies in \., such as x"),
        ("list_parquet", [{"photo": "a"}], r"columns are missing: x, y, width, height"),
    ],
)
def test_a_list_of_no_kind_says_what_is_wrong(tmp_path, name, content, message):
    with pytest.raises(SourceError, match=message):
        read(photos(tmp_path, **{name: content}), name.replace("_", "."))


def test_a_missing_list_or_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"looked for list\.json"):
        read(photos(tmp_path), "list.json")
    with pytest.raises(SourceError, match="looked for photos"):
        acquire(tmp_path, Settings(photos="photos"), 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no photo lies here"):
        acquire(tmp_path, Settings(photos="empty"), 1)


SIDE = st.floats(-100, 100)


@given(st.tuples(SIDE, SIDE, SIDE, SIDE))
def test_a_crop_is_what_lies_under_the_box(box):
    pixels = np.arange(30 * 40 * 3, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8)
    row = cut(pixels, "photo", box, np.zeros(10), None)
    x, y, width, height = box
    left, top, right, bottom = (round(side) for side in (x, y, x + width, y + height))
    inside = {(u, v) for u in range(left, right) for v in range(top, bottom)} & {
        (u, v) for u in range(40) for v in range(30)
    }
    if not inside:
        assert row is None
        return
    assert row is not None
    assert row["width"] * row["height"] == len(inside)
    assert tuple(row["box"][:2]) == min(inside)
    u, v = row["box"][:2]
    np.testing.assert_array_equal(decode(row["image"])[0, 0], pixels[v, u])
    assert row["landmarks"].reshape(5, 2).tolist() == [[-u, -v]] * 5
