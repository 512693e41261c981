import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert reasons(acquired.excluded)["a/two.jpg: box 20.4, 3.6, 12, 9"] == "no_identity"
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
        ("list_json", {"images": []}, r"not COCO's JSON: KeyError: 'annotations'"),
        ("list_json", [1], r"not COCO's JSON"),
        ("list_json", COCO | {"categories": [{"id": 1, "name": "cat"}, {"id": 8, "name": "dog"}]}, r"cat, dog"),
        (
            "list_json",
            COCO | {"annotations": [{"image_id": 99, "category_id": 8, "bbox": [1, 1, 2, 2]}]},
            r"KeyError: 99",
        ),
        (
            "list_json",
            COCO | {"annotations": [{"image_id": 0, "category_id": 8, "bbox": [1, 1, 2]}]},
            r"not COCO's JSON",
        ),
        ("list_txt", "a/one.jpg\nthree\n", r"line 2 is not what WIDER FACE has there"),
        ("list_txt", "a/one.jpg\n2\n1 2 3 4\n", r"line 3 is not"),
        ("list_txt", "a/one.jpg\n1\n1 2 3 4 5 6 7\n", r"line 3 is not .*: a face has 7 numbers"),
        ("list_txt", "a/one.jpg\n1\n1 2 3\n", r"line 3 is not"),
        ("list_txt", "a/one.jpg\n-1\n", r"line 2 is not .*: -1 faces"),
        ("list_csv", "photo,x,y,w,h\n", r"columns are missing: width, height[\s\S]*it has: photo, x, y, w, h"),
        ("list_csv", "photo,x,x,y,width,height\na,1,2,3,4,5\n", r"columns stand twice: x"),
        ("list_csv", "photo,x,y,width,height\na,1,2,3,wide\n", r"not a readable table"),
        ("list_csv", "photo,x,y,width,height\na,1,2,3,\n", r"row 1 is no detection: it lacks height"),
        ("list_csv", "photo,x,y,width,height\n,1,2,3,4\n", r"row 1 is no detection: it lacks photo"),
        ("list_csv", "photo,x,y,width,height,landmarks\na,1,2,3,4,5 6 7\n", r"row 1 .* 3 landmark coordinates, not 10"),
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
