"""How papers part SCface's 130 identities, in the order of their names; of another number, the same shares.

- ``dcr``: the first 50 are for fine-tuning, the other 80 for testing (Lu, Jiang & Kot, "Deep Coupled ResNet for
  Low-Resolution Face Recognition", IEEE SPL 25, 2018; CSRI's line of papers and RAN follow it).
- ``tc``: 43 "world", 44 "dev" and 43 "eval" ones, of which the last are tested (Massoli, Amato & Falchi,
  "Cross-resolution learning for face recognition", IVC 99, 2020).
"""

from typing import Literal

Partition = Literal["dcr", "tc"]

IDENTITIES = 130


def training_identities(partition: Partition, count: int) -> int:
    """How many of ``count`` identities train: the first ones."""
    return round(count * {"dcr": 50, "tc": 43}[partition] / IDENTITIES)


def first_tested(partition: Partition, count: int) -> int:
    """The number, from 0, of the first of ``count`` identities that is tested."""
    return training_identities("dcr", count) if partition == "dcr" else count - training_identities("tc", count)
