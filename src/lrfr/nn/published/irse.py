"""IR-ResNets with and without squeeze-and-excitation: CurricularFace, face.evoLVe, InsightFace_Pytorch."""

import re
from collections.abc import Collection
from functools import partial

from lrfr.nn.networks.irse import IRSE
from lrfr.nn.published.iresnet import IRSE_MARK
from lrfr.nn.published.publication import Layout, Publication

HALF = [0.5, 0.5, 0.5]
GATE = {"1": "fc1", "3": "fc2"}

LAST_FACTOR = "output_layer.4.weight"  # which CurricularFace's last BN has not
CURRICULARFACE = [name for name in IRSE if name.endswith("curricularface")]
EVOLVE = [name for name in IRSE if name not in CURRICULARFACE]


def _evolve(names: Collection[str]) -> str | None:
    return _backbone(names, EVOLVE) if LAST_FACTOR in names else None


def _curricularface(names: Collection[str]) -> str | None:
    return None if LAST_FACTOR in names else _backbone(names, CURRICULARFACE)


def _backbone(names: Collection[str], known: Collection[str]) -> str | None:
    if IRSE_MARK not in names:
        return None
    count = sum(re.fullmatch(r"body\.\d+\.res_layer\.1\.weight", name) is not None for name in names)
    gated = "body.0.res_layer.5.fc1.weight" in names
    found = (name for name in known if (sum(IRSE[name][0]), IRSE[name][1]) == (count, gated))
    return next(found, None)


def _name(ours: str, backbone: str) -> str:
    part, rest = ours.split(".", 1)
    theirs = {"stem": "input_layer", "stages": "body", "output": "output_layer"}[part]
    block, _, inside = rest.partition(".gate.")
    if inside:
        layer, tensor = inside.split(".")
        return f"{theirs}.{block}.res_layer.5.{GATE[layer]}.{tensor}"
    return f"{theirs}.{rest.replace('residual', 'res_layer').replace('shortcut', 'shortcut_layer')}"


NO_CLASSIFIER = re.compile("(?!)")  # it has a file of its own

_published = partial(Publication, prefixes=(), beside=NO_CLASSIFIER, mean=HALF, std=HALF, presentation="arcface_112")

PUBLICATIONS = {
    "curricularface": _published(
        source="CurricularFace, dataset/datasets.py: PIL's RGB; config.py: RGB_MEAN, RGB_STD = 0.5; util/utils.py, "
        "perform_val: [2, 1, 0] turns the stored BGR",
        layouts=(Layout(IRSE_MARK, _curricularface, _name, unlike=LAST_FACTOR),),
        colour="RGB",
    ),
    "face_evolve": _published(
        source="face.evoLVe, util/extract_feature_v1.py: PIL's RGB, ToTensor and Normalize(0.5, 0.5); config.py: "
        "RGB_MEAN, RGB_STD = 0.5",
        layouts=(Layout(LAST_FACTOR, _evolve, _name),),
        colour="RGB",
    ),
    "insightface_pytorch": _published(
        source="TreB1eN's InsightFace_Pytorch, data/data_pipe.py: MXNet's unpack_img and RGB2BGR give PIL BGR for RGB; "
        "ToTensor and Normalize(0.5, 0.5)",
        layouts=(Layout(LAST_FACTOR, _evolve, _name),),
        colour="BGR",
    ),
}
