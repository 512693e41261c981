"""Figures that the papers print: TinyFace's closed-set identification, what super-resolution does, dataset tables.

They stand in the report for orientation only. Percent, as printed; None where the paper gives no figure.
"""

from typing import NamedTuple

CSRI = "CSRI, ACCV 2018"
TC = "T-C, IVC 2020"
RIFR = "RIFR, T-BIOM 2020"
RI = "RI, CVPR 2023"
TC_NETWORK, TC_TABLES = "EUSR", "Tables 9 to 13"  # Kim and Lee's network, CVPR workshops 2018


class PublishedResult(NamedTuple):
    """One row of a paper's table on TinyFace; ranks and mAP with distractors except the last figure."""

    method: str
    rank1: float | None
    rank20: float | None
    rank50: float | None
    mean_ap: float | None
    rank1_no_distractors: float | None
    paper: str
    table: str


class SuperResolved(NamedTuple):
    """A model on faces as they are and after a network: (before, after), percent, as printed."""

    method: str
    network: str
    rank1: tuple[float, float]  # TinyFace
    mean_ap: tuple[float, float]
    accuracy: tuple[float, float] | None  # QMUL-SurvFace, verification
    auc: tuple[float, float] | None  # QMUL-SurvFace, open set
    paper: str
    tables: str


class Benchmark(NamedTuple):
    """One row of CSRI's Table 1, as printed; mean face height in px."""

    name: str
    mean_height: str
    identities: str
    images: str


class Partition(NamedTuple):
    """One row of CSRI's Table 2; None where the number is not known."""

    data: str
    everything: int
    train: int
    probe: int
    gallery: int
    distractor: int | None


TINYFACE_RESULTS = (
    PublishedResult("RI (ResNet-50)", 73.06, None, None, None, 77.22, RI, "Table 1"),
    PublishedResult("AdaFace, fine-tuned by RI's authors", 71.38, None, None, None, 75.67, RI, "Table 1"),
    PublishedResult("RIFR", 70.4, 82.2, 85.4, 63.2, None, RIFR, "Table I"),
    PublishedResult("AdaFace", 68.21, None, None, None, None, RI, "Table 1"),
    PublishedResult("IDEA-Net", 68.13, None, None, None, None, RI, "Table 1"),
    PublishedResult("MIND-Net", 66.82, None, None, None, 73.52, RI, "Table 1"),
    PublishedResult("TURL", 63.89, None, None, None, None, RI, "Table 1"),
    PublishedResult("T-C", 58.6, 73.0, 76.3, 52.7, None, TC, "Table 9"),
    PublishedResult("VividGAN", 47.16, None, None, None, None, RI, "Table 1"),
    PublishedResult("T-C without teacher and curriculum (nT-nC)", 46.0, 63.5, 68.0, 41.7, None, TC, "Table 9"),
    PublishedResult("T-C's starting point (SotA model)", 45.2, 60.2, 64.9, 39.9, None, TC, "Table 9"),
    PublishedResult("CSRI", 44.8, 60.4, 65.1, 36.2, None, CSRI, "Table 5"),
    PublishedResult("T-C after super-resolution", 44.8, 62.1, 67.4, 39.7, None, TC, "Table 10"),
    PublishedResult("CSRI's joint learning, without complement SR", 36.1, 49.8, 54.5, 28.2, None, CSRI, "Tables 6, 7"),
    PublishedResult("CentreFace", 32.1, 44.5, 48.4, 24.6, None, CSRI, "Table 3"),
    PublishedResult("VggFace", 30.4, 40.4, 42.7, 23.1, None, CSRI, "Table 3"),
    PublishedResult("VggFace after SRCNN", 29.6, 39.2, 41.4, 22.7, None, CSRI, "Table 5"),
    PublishedResult("VggFace after DRRN", 29.4, 39.8, 41.9, 22.4, None, CSRI, "Table 5"),
    PublishedResult("CentreFace after DRRN", 29.4, 39.4, 43.0, 22.2, None, CSRI, "Table 5"),
    PublishedResult("CentreFace after SRCNN", 28.8, 38.6, 42.3, 21.7, None, CSRI, "Table 5"),
    PublishedResult("VggFace after VDSR", 28.8, 38.3, 40.3, 22.1, None, CSRI, "Table 5"),
    PublishedResult("CentreFace after VDSR (independent learning)", 26.0, 34.5, 37.7, 19.1, None, CSRI, "Tables 5, 6"),
    PublishedResult("T-C's starting point after super-resolution", 26.0, 43.9, 48.6, 22.9, None, TC, "Table 10"),
    PublishedResult("nT-nC after super-resolution", 26.0, 42.7, 49.3, 22.9, None, TC, "Table 10"),
    PublishedResult("SphereFace", 22.3, 35.5, 40.5, 16.2, None, CSRI, "Table 3"),
    PublishedResult("RPCN", 18.6, 25.3, 27.4, 12.9, None, CSRI, "Table 5"),
    PublishedResult("DeepID2", 17.4, 25.2, 28.3, 12.1, None, CSRI, "Table 3"),
    PublishedResult("RI (MobileFaceNet)", None, None, None, None, 71.915, RI, "Table 4"),
    PublishedResult("ArcFace (MobileFaceNet)", None, None, None, None, 70.333, RI, "Table 4"),
)

SUPER_RESOLVED = (
    SuperResolved("CentreFace", "SRCNN", (32.1, 28.8), (24.6, 21.7), None, None, CSRI, "Table 5"),
    SuperResolved("CentreFace", "VDSR", (32.1, 26.0), (24.6, 19.1), None, None, CSRI, "Table 5"),
    SuperResolved("CentreFace", "DRRN", (32.1, 29.4), (24.6, 22.2), None, None, CSRI, "Table 5"),
    SuperResolved("VggFace", "SRCNN", (30.4, 29.6), (23.1, 22.7), None, None, CSRI, "Table 5"),
    SuperResolved("VggFace", "VDSR", (30.4, 28.8), (23.1, 22.1), None, None, CSRI, "Table 5"),
    SuperResolved("VggFace", "DRRN", (30.4, 29.4), (23.1, 22.4), None, None, CSRI, "Table 5"),
    SuperResolved("T-C's starting point", TC_NETWORK, (45.2, 26.0), (39.9, 22.9), (56, 55), (6.4, 6.2), TC, TC_TABLES),
    SuperResolved("nT-nC", TC_NETWORK, (46.0, 26.0), (41.7, 22.9), (69, 60), (9.3, 7.0), TC, TC_TABLES),
    SuperResolved("T-C", TC_NETWORK, (58.6, 44.8), (52.7, 39.7), (72, 61), (13.8, 9.9), TC, TC_TABLES),
)

BENCHMARKS = (  # CSRI, Table 1
    Benchmark("LFW", "119", "5,749", "13,233"),
    Benchmark("VGGFace", "138", "2,622", "2.6M"),
    Benchmark("MegaFace", "352", "530", "1M"),
    Benchmark("CASIA", "153", "10,575", "494,414"),
    Benchmark("IJB-A", "307", "500", "5,712"),
    Benchmark("CelebA", "212", "10,177", "202,599"),
    Benchmark("UMDFaces", ">100", "8,277", "367,888"),
    Benchmark("MS-Celeb-1M", ">100", "99,892", "8,456,240"),
    Benchmark("MegaFace2", "252", "672,057", "4,753,320"),
    Benchmark("TinyFace", "20", "5,139", "169,403"),
)

TINYFACE_PARTITION = (  # CSRI, Table 2
    Partition("identities", 5139, 2570, 2569, 2569, None),
    Partition("images", 169_403, 7804, 3728, 4443, 153_428),
)
