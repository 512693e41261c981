"""SE-ResNet-50 of VGGFace2, in the two conversions from Caffe and MatConvNet that are in use.

Their tensors have the same names but for the classifier's, and their colours are in the opposite order.
"""

import re
from collections.abc import Collection

from lrfr.nn.networks.se_resnet import BLOCKS
from lrfr.nn.published.publication import Layout, Publication

BGR_MEAN = [91.4953 / 255, 103.8827 / 255, 131.0912 / 255]  # Cao et al., on values 0..255
STD = [1 / 255, 1 / 255, 1 / 255]
BLOCK = {
    "0": "1x1_reduce",
    "1": "1x1_reduce_bn",
    "3": "3x3",
    "4": "3x3_bn",
    "6": "1x1_increase",
    "7": "1x1_increase_bn",
}
GATE = {"1": "1x1_down", "3": "1x1_up"}
SHORTCUT = {"0": "1x1_proj", "1": "1x1_proj_bn"}


def _backbone(names: Collection[str]) -> str | None:
    blocks = {match[1] for name in names if (match := re.fullmatch(r"conv(\d_\d)_3x3\.weight", name))}
    ours = {f"{stage}_{block}" for stage, count in enumerate(BLOCKS, 2) for block in range(1, count + 1)}
    return "lrfr_seresnet50" if blocks == ours else None


def _name(ours: str, backbone: str) -> str:
    part, *rest = ours.split(".")
    if part == "stem":
        return f"conv1_7x7_s2{'_bn' if rest[0] == '1' else ''}.{rest[1]}"
    block, stage = int(rest[0]), 2
    for count in BLOCKS:
        if block < count:
            break
        block, stage = block - count, stage + 1
    inside = {"residual": BLOCK, "gate": GATE, "shortcut": SHORTCUT}[rest[1]][rest[2]]
    return f"conv{stage}_{block + 1}_{inside}.{rest[3]}"


PUBLICATIONS = {
    "massoli": Publication(
        source="Massoli et al., cross-resolution-face-recognition: Image.fromarray(cv2.imread(path)), whose values are "
        "BGR 0..255, less [91.4953, 103.8827, 131.0912]; VGGFace2's own ReadMe: 'mean vector in BGR order'",
        layouts=(Layout("conv1_7x7_s2.weight", _backbone, _name, unlike="classifier.weight"),),
        prefixes=(),
        beside=re.compile(r"classifier_1\..*"),
        classifier="classifier_1",
        colour="BGR",
        mean=BGR_MEAN,
        std=STD,
    ),
    "vggface2_dag": Publication(
        source="Albanie's senet50_ft_dag.py, meta: mean [131.0912, 103.8827, 91.4953], std 1, of RGB values 0..255",
        layouts=(Layout("conv1_7x7_s2.weight", _backbone, _name, unlike="classifier_1.weight"),),
        prefixes=(),
        beside=re.compile(r"classifier\..*"),
        classifier="classifier",
        colour="RGB",
        mean=BGR_MEAN[::-1],
        std=STD,
    ),
}
