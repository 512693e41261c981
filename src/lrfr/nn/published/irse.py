"""IR-ResNets with and without squeeze-and-excitation: CurricularFace, face.evoLVe, InsightFace_Pytorch."""

import re
from collections.abc import Collection

from lrfr.nn.networks.irse import IRSE
from lrfr.nn.published.publication import Layout, Publication

HALF = [0.5, 0.5, 0.5]
GATE = {"1": "fc1", "3": "fc2"}

LAST_FACTOR = "output_layer.4.weight"


def _backbone(names: Collection[str]) -> str | None:
    count = sum(re.fullmatch(r"body\.\d+\.res_layer\.1\.weight", name) is not None for name in names)
    gated, last_factor = "body.0.res_layer.5.fc1.weight" in names, LAST_FACTOR in names
    return next(
        (
            backbone
            for backbone, (blocks, is_gated, _) in IRSE.items()
            if (sum(blocks), is_gated, not backbone.endswith("curricularface")) == (count, gated, last_factor)
        ),
        None,
    )


def _name(ours: str, backbone: str) -> str:
    part, rest = ours.split(".", 1)
    theirs = {"stem": "input_layer", "stages": "body", "output": "output_layer"}[part]
    block, _, inside = rest.partition(".gate.")
    if inside:
        layer, tensor = inside.split(".")
        return f"{theirs}.{block}.res_layer.5.{GATE[layer]}.{tensor}"
    return f"{theirs}.{rest.replace('residual', 'res_layer').replace('shortcut', 'shortcut_layer')}"


NO_CLASSIFIER = re.compile("(?!)")  # it has a file of its own

PUBLICATIONS = {
    "curricularface": Publication(
        source="CurricularFace, dataset/datasets.py: PIL's RGB; config.py: RGB_MEAN, RGB_STD = 0.5; util/utils.py, "
        "perform_val: [2, 1, 0] turns the stored BGR",
        layouts=(Layout("body.0.res_layer.4.running_mean", _backbone, _name, unlike=LAST_FACTOR),),
        prefixes=("", "module."),
        beside=NO_CLASSIFIER,
        colour="RGB",
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
    "face_evolve": Publication(
        source="face.evoLVe, util/extract_feature_v1.py: PIL's RGB, ToTensor and Normalize(0.5, 0.5); config.py: "
        "RGB_MEAN, RGB_STD = 0.5",
        layouts=(Layout(LAST_FACTOR, _backbone, _name),),
        prefixes=("", "module."),
        beside=NO_CLASSIFIER,
        colour="RGB",
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
    "insightface_pytorch": Publication(
        source="TreB1eN's InsightFace_Pytorch, data/data_pipe.py: MXNet's unpack_img and RGB2BGR give PIL BGR for RGB; "
        "ToTensor and Normalize(0.5, 0.5)",
        layouts=(Layout(LAST_FACTOR, _backbone, _name),),
        prefixes=("", "module."),
        beside=NO_CLASSIFIER,
        colour="BGR",
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
}
