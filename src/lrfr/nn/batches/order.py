"""Which faces each update of a training sees. Every update's rows and seeds follow from its number alone, so that a
training can be resumed anywhere, and shared by any number of processes."""

from collections.abc import Iterator, Mapping

import numpy as np
from torch.utils.data import Sampler

from lrfr.errors import ParameterError, unknown_name

Key = tuple[int, int]  # a row, and the seed of its augmentation
Entropy = tuple[int, ...]  # set apart the random streams of the collections; none for the first

WHERE = "params.yaml: training"


class MixedOrder(Sampler[dict[str, list[Key]]]):
    """The batches of a whole training from any update on, each of them parts of several collections.

    An epoch is one pass over the first collection; the others go through epochs of their own meanwhile. The last faces
    of a collection's epoch that fill no part of a batch wait for another epoch.

    Args:
        labels: identity number (N,) of every face, by collection.
        batch_size: images of an update, of all collections and in all processes.
        epochs: passes over the first collection.
        seed: of everything drawn.
        first_step: the update to start at.
        shares: each collection's share of the batch, relative to the others'; equal when empty. What does not come
            out even goes to the largest remainders.
        images_per_identity: K. Every collection's part then consists of K images each of P identities, as in A. Hermans
            et al., "In defense of the triplet loss for person re-identification", 2017; None draws faces regardless of
            their identity. See :class:`_Balanced`; the number of updates in an epoch stays the same.
        process: which process's part is wanted, from 0.
        processes: among how many each collection's part is divided. Put together, the parts do not depend on it.
        paired: whether the collections have the same faces, row by row: each batch then has the same rows of all of
            them, and the same seeds.

    Raises:
        ParameterError: a collection, or its number of identities, is smaller than its part of the batch; the part is
            empty, or cannot be divided by ``images_per_identity`` or ``processes``; ``shares`` names other collections.
    """

    def __init__(
        self,
        labels: Mapping[str, np.ndarray],
        batch_size: int,
        epochs: int,
        seed: int,
        *,
        first_step: int = 0,
        shares: Mapping[str, float] | None = None,
        images_per_identity: int | None = None,
        process: int = 0,
        processes: int = 1,
        paired: bool = False,
    ) -> None:
        self._seed, self._process, self._processes = seed, process, processes
        self._parts: dict[str, _Shuffled | _Balanced] = {}
        sizes = check_batch(labels, batch_size, shares or {}, images_per_identity, processes=processes)
        if paired:
            _check_pairs(labels, sizes)
        for number, (name, size) in enumerate(sizes.items()):
            stream = (number,) if number and not paired else ()
            if images_per_identity is None:
                self._parts[name] = _Shuffled(len(labels[name]), size, seed, stream)
            else:
                self._parts[name] = _Balanced(labels[name], size, images_per_identity, seed, stream)
        self.steps_per_epoch = next(iter(self._parts.values())).steps_per_epoch
        self._steps = range(first_step, epochs * self.steps_per_epoch)

    def __len__(self) -> int:
        """The number of updates that are left."""
        return len(self._steps)

    def __iter__(self) -> Iterator[dict[str, list[Key]]]:
        """One update after the other: this process's (row, seed) of each collection."""
        for step in self._steps:
            yield {name: self._keys(part, step) for name, part in self._parts.items()}

    def _keys(self, part: "_Shuffled | _Balanced", step: int) -> list[Key]:
        rows = part.rows(step)
        seeds = _rng((self._seed, 1, step), part.stream).integers(2**31, size=len(rows))
        here = len(rows) // self._processes
        mine = slice(self._process * here, (self._process + 1) * here)
        return list(zip(rows[mine].tolist(), seeds[mine].tolist(), strict=True))


def check_batch(
    labels: Mapping[str, np.ndarray],
    batch_size: int,
    shares: Mapping[str, float],
    images_per_identity: int | None,
    where: str = WHERE,
    processes: int = 1,
) -> dict[str, int]:
    """How many images of a batch each collection contributes, after checking that it has as many.

    Raises:
        ParameterError: as :class:`MixedOrder`; ``where`` names the training.
    """
    sizes = parts_of_batch(list(labels), batch_size, shares, f"{where}.shares")
    for name, size in sizes.items():
        _check_part(name, len(labels[name]), size, processes, where)
        if images_per_identity is not None:
            _check_identities(name, labels[name], size, images_per_identity, where)
    return sizes


def parts_of_batch(
    names: list[str], batch_size: int, shares: Mapping[str, float], where: str = f"{WHERE}.shares"
) -> dict[str, int]:
    """How many images of a batch each collection contributes, by the method of the largest remainder.

    ``where`` says in errors whose shares they are.

    Raises:
        ParameterError: ``shares`` names other collections, or leaves one without an image.
    """
    if shares:
        for name in shares:
            if name not in names:
                raise unknown_name("collection", name, names, where)
        missing = [name for name in names if name not in shares]
        if missing:
            raise ParameterError(f"no share of the batch is set for '{missing[0]}'", where=where)
    weights = np.array([shares.get(name, 1.0) for name in names])
    exact = batch_size * weights / weights.sum()
    sizes = np.floor(exact + 1e-9).astype(int)
    for late in np.argsort(sizes - exact, kind="stable")[: batch_size - sizes.sum()]:
        sizes[late] += 1
    for name, size in zip(names, sizes.tolist(), strict=True):
        if size < 1:
            what = f"of {batch_size} images of a batch, none falls to the collection '{name}'"
            raise ParameterError(what, where=where, remedy="raise its share, or batch_size")
    return dict(zip(names, sizes.tolist(), strict=True))


def _check_part(name: str, faces: int, size: int, processes: int, where: str) -> None:
    if faces < size:
        what = f"the collection '{name}' has {faces} training faces, and a batch takes {size} of them"
        raise ParameterError(what, where=f"{where}.batch_size", remedy=f"choose at most {faces}, or another share")
    if size % processes:
        what = f"{size} images of the collection '{name}' in a batch cannot be divided among {processes} processes"
        raise ParameterError(what, where=f"{where}.batch_size", remedy=f"make it a multiple of {processes}")


def _check_pairs(labels: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> None:
    if len(set(sizes.values())) > 1:
        what = "the collections have the same faces, and a batch the same of each: it cannot have more of one"
        raise ParameterError(what, where=f"{WHERE}.batch_size", remedy="make it even, and leave shares out")
    first, *others = labels.values()
    if any(not np.array_equal(first, other) for other in others):
        what = "the collections that are learnt from together do not show the same faces, row by row"
        raise ParameterError(what, where=WHERE, remedy="make the synthetic faces anew: dvc repro")


def _check_identities(name: str, labels: np.ndarray, size: int, images: int, where: str) -> None:
    where = f"{where}.images_per_identity"
    if images < 1 or size % images:
        what = f"{size} images of the collection '{name}' in a batch cannot be {images} each of some identities"
        raise ParameterError(what, where=where, remedy="choose a divisor of the collection's part of batch_size")
    identities = len(np.unique(labels))
    if identities < size // images:
        what = f"a batch takes {size // images} identities of the collection '{name}', which has {identities}"
        raise ParameterError(what, where=where, remedy="choose more images per identity, or a smaller batch_size")


def _rng(entropy: Entropy, stream: Entropy) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=stream))


class _Shuffled:
    """Each epoch of a collection is a permutation of its rows."""

    def __init__(self, rows: int, size: int, seed: int, stream: Entropy) -> None:
        self.steps_per_epoch, self.stream = rows // size, stream
        self._rows, self._size, self._seed = rows, size, seed
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def rows(self, step: int) -> np.ndarray:
        """The rows (size,) of one update."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, _rng((self._seed, epoch), self.stream).permutation(self._rows)
        return self._order[place * self._size : (place + 1) * self._size]


class _Balanced:
    """K images each of P identities, every identity as often as any other.

    An epoch consists of rounds. In a round an identity comes up at most once; where P does not divide their number C,
    the C mod P that sit out are others each round, in turn, so that over an epoch's whole rounds no identity comes up
    more than once oftener than another. An identity's images are shuffled once an epoch and then gone through in a
    ring: none comes again before all have been seen, and one batch shows an image twice only where there are fewer
    than K. So an epoch, which has as many updates as if it were not balanced, repeats the images of identities that
    have few, and need not show all images of those that have many.
    """

    def __init__(self, labels: np.ndarray, size: int, images: int, seed: int, stream: Entropy) -> None:
        self.steps_per_epoch, self.stream = len(labels) // size, stream
        self._seed, self._images, self._at_once = seed, images, size // images
        _, self._member, self._count = np.unique(labels, return_inverse=True, return_counts=True)
        self._start = np.cumsum(self._count) - self._count
        self._epoch = self._round = -1
        self._rings = self._turn = self._drawn = np.empty(0, np.int64)

    def rows(self, step: int) -> np.ndarray:
        """The rows (P * K,) of one update, an identity's images side by side."""
        epoch, place = divmod(step, self.steps_per_epoch)
        number, place = divmod(place, len(self._count) // self._at_once)
        if epoch != self._epoch:
            self._begin_epoch(epoch)
        if number != self._round:
            self._begin_round(number)
        chosen = self._drawn[place * self._at_once : (place + 1) * self._at_once]
        seen = self._images * (number - self._times_out(number, self._turn[chosen]))
        offsets = (seen[:, None] + np.arange(self._images)) % self._count[chosen][:, None]
        return self._rings[self._start[chosen][:, None] + offsets].ravel()

    def _begin_epoch(self, epoch: int) -> None:
        rng = _rng((self._seed, epoch), self.stream)
        shuffled = rng.permutation(len(self._member))
        self._rings = shuffled[np.argsort(self._member[shuffled], kind="stable")]
        self._turn = rng.permutation(len(self._count))  # whose turn it is to sit out
        self._epoch, self._round = epoch, -1

    def _begin_round(self, number: int) -> None:
        out = self._times_out(number + 1, self._turn) > self._times_out(number, self._turn)
        rng = _rng((self._seed, 3, self._epoch, number), self.stream)
        self._drawn, self._round = rng.permutation(np.flatnonzero(~out)), number

    def _times_out(self, rounds: int, turn: np.ndarray) -> np.ndarray:
        """How often the identities whose ``turn`` is given have sat out in the first ``rounds`` rounds."""
        people = len(self._count)
        return (rounds * (people % self._at_once) - turn + people - 1) // people
