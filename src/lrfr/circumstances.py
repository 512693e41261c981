"""What the machine lacks, told in one message: memory, space, a place to write. All else is a defect of ours."""

import errno

FULL = {errno.ENOSPC, errno.EDQUOT}
# What a place can be: forbidden, read-only, of another kind, in use, too long, broken
WRONG_PLACE = {
    errno.EACCES: "allow lrfr to read and write there, or give another place",
    errno.EPERM: "allow lrfr to read and write there, or give another place",
    errno.EROFS: "make it writable, or give another place",
    errno.EEXIST: "a folder is needed there: move the file away",
    errno.ENOTDIR: "a folder is needed there: move the file away, or correct the path",
    errno.EISDIR: "a file is needed there: move the folder away, or correct the path",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ELOOP: "the link leads to itself: correct it",
    errno.EBUSY: "it is in use, or mounted: give another place",
    errno.EXDEV: "give another place",
    errno.ENXIO: "nobody listens there: give another place",
    errno.ENODEV: "give another place",
    errno.ETXTBSY: "it is a program that runs: give another place",
    errno.EINVAL: "correct the path",
    errno.EIO: "the disk fails: see to it, then run the same command again",
    errno.ESTALE: "the network's disk was lost: mount it again",
    errno.EMFILE: "allow more open files: ulimit -n 4096",
    errno.ENFILE: "close other programs",
    errno.EFBIG: "allow larger files: ulimit -f unlimited",
    errno.ENOSYS: "the system does not allow that",
}
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "bad allocation",
             "failed to allocate", "insufficient memory", "storage size calculation overflowed",
             "integer multiplication overflow")  # fmt: skip
"""How libraries in other languages say that memory does not suffice, or that a size is beyond all memory."""


def told(error: BaseException) -> str | None:
    """What to say of an error that the machine is the cause of, with what to do; None of any other error."""
    if isinstance(error, MemoryError) or _says(error, NO_MEMORY):
        return "out of memory; close other programs, or make the sizes in params.yaml, or of the files, smaller"
    place = getattr(error, "filename", None)
    where = f": {place}" if place else ""
    if getattr(error, "errno", None) in FULL or _says(error, ("no space left on device",)):
        return f"the disk is full{where}; nothing half-written was kept; free space and run the same command again"
    if not isinstance(error, OSError):
        return None
    if _says(error, ("no usable temporary directory",)):
        return f"{error.strerror}; let the variable TMPDIR name a folder that can be written to"
    if error.errno in WRONG_PLACE:
        return f"{error.strerror}{where}; {WRONG_PLACE[error.errno]}"
    return None


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return any(word in str(error).lower() for word in words)
