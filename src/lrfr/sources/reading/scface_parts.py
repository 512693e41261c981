"""SCface's identities parted into those that train and those that are tested."""

from collections.abc import Iterable
from dataclasses import replace

from lrfr.core.scface_partition import Partition, first_tested, training_identities
from lrfr.sources.reading.crops import Crop


def parted(crops: Iterable[Crop], partition: Partition | None) -> tuple[list[Crop], list[dict[str, str]]]:
    """The crops with their side of a partition: mugshots and surveillance faces of the first identities train.

    Args:
        crops: each with an identity.
        partition: None where everybody is tested.

    Returns:
        The crops that train or are tested, in their order, each with the attribute ``partition``; and excluded, those
        of identities that do neither, and training ones without a face.
    """
    crops = list(crops)
    if partition is None:
        return crops, []
    people = {name: number for number, name in enumerate(sorted({crop.identity or "" for crop in crops}))}
    train, tested = training_identities(partition, len(people)), first_tested(partition, len(people))
    kept, excluded = [], []
    for crop in crops:
        attributes, number = {**crop.attributes, "partition": partition}, people[crop.identity or ""]
        if number < train and "missing" in attributes:
            excluded.append({"where": crop.name, "reason": attributes["missing"]})
        elif number < train:
            kept.append(replace(crop, attributes=attributes, split="train", is_test=False))
        elif number >= tested:
            kept.append(replace(crop, attributes=attributes))
        else:
            excluded.append({"where": crop.name, "reason": "neither_trains_nor_tested"})
    return kept, excluded
