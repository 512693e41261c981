"""IR-ResNets: insightface's arcface_torch, MagFace, AdaFace, CVLface."""

import re
from collections.abc import Collection

from lrfr.nn.networks.iresnet import ADAFACE, INSIGHTFACE
from lrfr.nn.published.publication import Layout, Publication

HALF = [0.5, 0.5, 0.5]

BLOCK = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")  # within a block of arcface_torch, in our order
STEM = ("conv1", "bn1", "prelu")
OUTPUT = {"0": "bn2", "3": "fc", "4": "features"}
IRSE_MARK = "body.0.res_layer.4.running_mean"  # in blocks of irse.py, where AdaFace's have a convolution


def _insightface_backbone(names: Collection[str]) -> str | None:
    blocks = {name.rpartition(".bn1.")[0] for name in names if re.fullmatch(r"layer\d\.\d+\.bn1\.weight", name)}
    counts = tuple(sum(block.startswith(f"layer{stage}.") for block in blocks) for stage in range(1, 5))
    return next((backbone for backbone, ours in INSIGHTFACE.items() if ours == counts), None)


def _insightface_name(ours: str, backbone: str) -> str:
    part, *rest = ours.split(".")
    if part == "stem":
        return ".".join([STEM[int(rest[0])], *rest[1:]])
    if part == "output":
        return ".".join([OUTPUT[rest[0]], *rest[1:]])
    block, stage = int(rest[0]), 1
    for count in INSIGHTFACE[backbone]:
        if block < count:
            break
        block, stage = block - count, stage + 1
    inside = [BLOCK[int(rest[2])]] if rest[1] == "residual" else ["downsample", rest[2]]
    return ".".join([f"layer{stage}", str(block), *inside, *rest[3:]])


def _adaface_backbone(names: Collection[str]) -> str | None:
    if IRSE_MARK in names:
        return None
    count = sum(re.fullmatch(r"body\.\d+\.res_layer\.0\.weight", name) is not None for name in names)
    return next((backbone for backbone, blocks in ADAFACE.items() if sum(blocks) == count), None)


def _adaface_name(ours: str, backbone: str) -> str:
    part, rest = ours.split(".", 1)
    theirs = {"stem": "input_layer", "stages": "body", "output": "output_layer"}[part]
    return f"{theirs}.{rest.replace('residual', 'res_layer').replace('shortcut', 'shortcut_layer')}"


INSIGHTFACE_LAYOUT = Layout("features.running_mean", _insightface_backbone, _insightface_name)
ADAFACE_LAYOUT = Layout("body.0.res_layer.5.running_mean", _adaface_backbone, _adaface_name)

PUBLICATIONS = {
    "arcface_torch": Publication(
        source="insightface, arcface_torch/inference.py: OpenCV's BGR is turned into RGB; (v / 255 - 0.5) / 0.5",
        layouts=(INSIGHTFACE_LAYOUT,),
        prefixes=("state_dict_backbone.", "state_dict_backbone.module."),
        beside=re.compile("(?!)"),  # class centres have a file, or a part of it, of their own
        colour="RGB",
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
    "magface": Publication(
        source="MagFace, inference/gen_feat.py: cv2.imread's BGR, ToTensor, Normalize(0, 1): values 0..1 as they are",
        layouts=(INSIGHTFACE_LAYOUT,),
        prefixes=("features.module.", "module.features."),
        beside=re.compile(r"(module\.fc|parallel_fc)\.weight"),  # class centres
        colour="BGR",
        mean=[0.0, 0.0, 0.0],
        std=[1.0, 1.0, 1.0],
        presentation="arcface_112",
        epsilon=2e-5,
    ),
    "adaface": Publication(
        source="AdaFace, README.md: 'our pretrained model takes the input in BGR color channel'; "
        "inference.py, to_input: (v / 255 - 0.5) / 0.5",
        layouts=(ADAFACE_LAYOUT,),
        prefixes=("model.",),
        beside=re.compile(r"head\..*"),  # AdaFace's class centres and its running norm
        colour="BGR",
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
    "cvlface": Publication(
        source="CVLface, models/iresnet/__init__.py: Normalize(0.5, 0.5); the order is color_space in the config.json "
        "or model.yaml beside the weights",
        layouts=(ADAFACE_LAYOUT, INSIGHTFACE_LAYOUT),
        prefixes=("net.", "model.net."),
        beside=re.compile(r"classifier\..*"),
        colour=None,
        mean=HALF,
        std=HALF,
        presentation="arcface_112",
    ),
}
