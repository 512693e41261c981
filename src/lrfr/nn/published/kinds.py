"""What a file is that holds no weights of PyTorch's: told by its first bytes, its archive's names, or its own name."""

import pickle
import pickletools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lrfr.files import DAMAGE

HEAD = 4096  # bytes that tell the kind
SAVE = "torch.save(model.state_dict(), FILE)"
WEIGHTS = f"give the weights as PyTorch keeps them: safetensors, or a file of {SAVE}"
AGAIN = "download it again; a browser, or curl -fL, shows what the server answers"
UNPACK = "unpack it, and give the file with the weights"
RUN_ONNX = "or embed by the model as it is: lrfr embed IMAGES --model FILE, which needs no import"
RUN = "where its author's code may run, make a state dict of it: "

TORCH_PICKLE = pickle.dumps(0x1950A86A20F9469CFC6C, 2)  # with which torch.save began before it wrote zip files
PROTOBUF_FIELDS = {0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42}  # that may follow an ONNX model's version


@dataclass(frozen=True)
class Kind:
    """What a file is, and what to do."""

    what: str
    remedy: str


BEGINNINGS = {
    b"version https://git-lfs": Kind("a git-LFS pointer, not the file that it stands for", "fetch it: git lfs pull"),
    b"\x08\x01\x12": Kind("a TensorFlow SavedModel", WEIGHTS),
    b"\x89HDF\r\n\x1a\n": Kind("an HDF5 file, as Keras and MATLAB write", WEIGHTS),
    b"MATLAB 5.0": Kind("a MATLAB file", WEIGHTS),
    b"\x93NUMPY": Kind("a NumPy array", WEIGHTS),
    b"PAR1": Kind("a Parquet table", WEIGHTS),
    b"GGUF": Kind("a GGUF file of llama.cpp", WEIGHTS),
    b"\x12\x01\0\0\0\0\0\0": Kind("parameters of MXNet", WEIGHTS),
    b"\x1f\x8b": Kind("a gzip archive", UNPACK),
    b"BZh": Kind("a bzip2 archive", UNPACK),
    b"\xfd7zXZ\0": Kind("an xz archive", UNPACK),
    b"\x28\xb5\x2f\xfd": Kind("a Zstandard archive", UNPACK),
    b"7z\xbc\xaf'\x1c": Kind("a 7-Zip archive", UNPACK),
    b"Rar!": Kind("a RAR archive", UNPACK),
    b"%PDF": Kind("a PDF document", WEIGHTS),
    b"\x89PNG": Kind("a picture", WEIGHTS),
    b"\xff\xd8\xff": Kind("a picture", WEIGHTS),
}

TEXTS = {  # by their first words, in small letters
    "<!doctype html": Kind("a web page, such as a server's error or its download page", AGAIN),
    "<html": Kind("a web page, such as a server's error or its download page", AGAIN),
    "<?xml": Kind("an XML text, such as a server's error", AGAIN),
    "{": Kind("a JSON text, such as a configuration or a server's error", AGAIN),
    "outs:": Kind("a DVC pointer, not the file that it stands for", "fetch it: dvc pull"),
    "": Kind("a text file", WEIGHTS),
}

SUFFIXES = {
    r"\.pb": Kind("a TensorFlow graph", WEIGHTS),
    r"\.(index|data-\d+-of-\d+)": Kind("a part of a TensorFlow checkpoint", WEIGHTS),
    r"\.caffemodel": Kind("weights of Caffe", WEIGHTS),
    r"\.t7": Kind("a file of Torch 7", WEIGHTS),
    r"\.dat": Kind("a binary file, neither dlib's face recogniser nor a checkpoint of PyTorch's", WEIGHTS),
    r"\.(engine|plan|trt)": Kind("an engine of TensorRT", WEIGHTS),
}

ARCHIVES = {  # by a name in a zip file
    r"(.*/)?constants\.pkl": Kind(
        "a TorchScript program, not weights alone", f"{RUN}torch.save(torch.jit.load(FILE).state_dict(), NEW)"
    ),
    r"(.*/)?data\.pkl": None,  # torch.save's own
    r"model\.weights\.h5": Kind("a model of Keras", WEIGHTS),
    r"(.*/)?(archive_format|serialized_exported_program\.json)": Kind("a program of torch.export", WEIGHTS),
    r".*\.npy": Kind("NumPy arrays (.npz)", WEIGHTS),
}


def other_kind(path: Path) -> Kind | None:
    """What a file or a folder is, if it is no checkpoint of PyTorch's; None where it may be one, damaged perhaps."""
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        start = file.read(HEAD)
    if not start:
        return Kind("an empty file", AGAIN)
    if start[8:9] == b"{":  # safetensors: behind the header's length
        return None
    if _is_archive(path):
        return _archive(path)
    if start.startswith(b"\x80") and 2 <= start[1] <= 5:
        return None if start.startswith(TORCH_PICKLE) else _pickle(path)
    if start[4:8] == b"TFL3":
        return Kind("a model of TensorFlow Lite", WEIGHTS)
    if start[257:262] == b"ustar":
        return Kind("a tar archive", UNPACK)
    if kind := next((kind for begins, kind in BEGINNINGS.items() if start.startswith(begins)), None):
        return kind
    if len(start) > 2 and start[0] == 0x08 and 2 <= start[1] < 64 and start[2] in PROTOBUF_FIELDS:
        return Kind("an ONNX model: a network to be run, not weights by name", f"{WEIGHTS}; {RUN_ONNX}")
    if kind := next((kind for suffix, kind in SUFFIXES.items() if re.fullmatch(suffix, path.suffix.lower())), None):
        return kind
    return _text(start)


def _is_archive(path: Path) -> bool:
    """Whether a file ends as a zip archive does, were it a damaged one."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # it says that it spans several disks
        return True


def _folder(path: Path) -> Kind:
    """A folder may be a model's; the weights are a file in it."""
    if (path / "saved_model.pb").is_file():
        return Kind("a folder, a TensorFlow SavedModel", WEIGHTS)
    endings = {".safetensors", ".pth", ".pt", ".ckpt", ".bin"}
    inside = sorted(file.name for file in path.iterdir() if file.suffix in endings)
    which = f", such as {path / inside[0]}" if inside else ""
    return Kind("a folder, not a checkpoint", f"give the file with the weights{which}")


def _archive(path: Path) -> Kind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGE:
        return Kind("a damaged zip archive", AGAIN)
    for pattern, kind in ARCHIVES.items():
        if any(re.fullmatch(pattern, name) for name in names):
            return kind
    if not names:
        return Kind("an empty zip archive", AGAIN)
    return Kind(f"a zip archive of {len(names)} files, such as {names[0]}, and not torch.save's", UNPACK)


def _pickle(path: Path) -> Kind | None:
    """A pickle of somebody else's: what it asks to import is read from its opcodes, nothing is run."""
    strings, asked = [], []
    try:
        with path.open("rb") as file:
            for opcode, argument, _ in pickletools.genops(file):
                if opcode.name == "GLOBAL":
                    asked.append(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL":
                    asked.append(".".join(strings[-2:]))
                elif isinstance(argument, str):
                    strings = [*strings[-1:], argument]
    except Exception:  # its bytes are instructions, and damaged ones can be anything
        return None
    imports = f", of {', '.join(sorted(set(asked))[:3])}" if asked else ""
    return Kind(f"a pickle that torch.save did not write{imports}; nothing of it was run", f"{RUN}{SAVE}")


def _text(start: bytes) -> Kind | None:
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:  # a letter that was cut at the end is none
            return None
        text = start[: error.start].decode()
    if not text.translate({ord(blank): None for blank in "\n\r\t\f"}).isprintable():
        return None
    text = text.lstrip("\ufeff \n\r\t").lower()
    return next(kind for begins, kind in TEXTS.items() if text.startswith(begins))
