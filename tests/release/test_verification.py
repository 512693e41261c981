"""A release is trusted if every file is the one that was signed by the key that one knows, and no other."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.errors import ReleaseError
from lrfr.release.layout import MANIFEST, MODEL, SIGNATURE
from lrfr.release.manifest import read_manifest, write_manifest
from lrfr.release.signing import Signer
from lrfr.release.verification import verify_files
from tests.release.keys import certified, key_pair


def made(folder: Path, version: str, weights: bytes, signer: Signer) -> Path:
    (folder / "sample").mkdir(parents=True)
    (folder / MODEL).write_bytes(weights)
    (folder / "sample" / "faces.parquet").write_bytes(b"faces")
    (folder / "README.md").write_text("a card")
    write_manifest(folder, "tiny", version)
    signer.sign(folder)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return key_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def release(tmp_path, keys):
    return made(tmp_path / "release", "v1.2.0", b"weights", Signer(keys[0]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, keys):
    """A release that stays as it is."""
    return made(tmp_path_factory.mktemp("whole") / "release", "v1.2.0", b"weights", Signer(keys[0]))


def test_a_signed_release_is_trusted_wherever_it_lies(release, keys, tmp_path):
    told = verify_files(release, keys[1], "tiny@v1.2.0")
    assert told == read_manifest(release / MANIFEST)
    assert told.files[MODEL] == hashlib.sha256(b"weights").hexdigest()
    assert (told.name, told.version, told.tag) == ("tiny", "v1.2.0", "tiny@v1.2.0")
    assert set(told.files) == {MODEL, "sample/faces.parquet", "README.md"}
    moved = Path(shutil.copytree(release, tmp_path / "elsewhere" / "v9"))
    (tmp_path / "link").symlink_to(moved)
    assert verify_files(tmp_path / "link", keys[1]) == told


def test_a_certificate_vouches_for_who_signed(tmp_path):
    secret, certificate, root = certified(tmp_path / "authority")
    release = made(tmp_path / "release", "v1.2.0", b"weights", Signer(secret, certificate))
    assert verify_files(release, root).tag == "tiny@v1.2.0"
    (release / MODEL).write_bytes(b"Weights")
    with pytest.raises(ReleaseError, match=r"model\.safetensors is not the file"):
        verify_files(release, root)
    write_manifest(release, "tiny", "v1.2.0")
    with pytest.raises(ReleaseError, match="the manifest is not the one that was signed"):
        verify_files(release, root)
    _, certificate, other_root = certified(tmp_path / "another")
    with pytest.raises(ReleaseError, match="not signed by this key"):
        verify_files(release, other_root)
    with pytest.raises(ReleaseError, match="nobody can sign by this key"):
        Signer(secret, certificate)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def swap(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


TAMPERED = {
    "a flipped byte": lambda r: flip(r / MODEL, 3),
    "a flipped byte in the manifest": lambda r: flip(r / MANIFEST, (r / MANIFEST).read_text().index("v1.2.0") + 1),
    "a swapped file": lambda r: swap(r / MODEL, r / "README.md"),
    "a swapped file, the manifest rewritten": lambda r: (
        swap(r / MODEL, r / "README.md"),
        write_manifest(r, "tiny", "v1.2.0"),
    ),
    "another version in the manifest": lambda r: write_manifest(r, "tiny", "v1.3.0"),
    "an added file": lambda r: (r / "sample" / "more").write_text(""),
    "an added file that git would hide": lambda r: (r / ".gitattributes").write_text(""),
    "an added file, the manifest rewritten": lambda r: (
        (r / ".gitignore").write_text(""),
        write_manifest(r, "tiny", "v1.2.0"),
    ),
    "a missing file": lambda r: (r / "README.md").unlink(),
    "a link in place of a file": lambda r: (
        (r / "README.md").rename(r.parent / "card"),
        (r / "README.md").symlink_to(r.parent / "card"),
    ),
    "a link to a folder": lambda r: (r / "more").symlink_to(r.parent),
    "no signature": lambda r: (r / SIGNATURE).unlink(),
    "no manifest": lambda r: (r / MANIFEST).unlink(),
    "a manifest of an older format": lambda r: (r / MANIFEST).write_text(
        (r / MANIFEST).read_text().replace('"format": 1', '"format": 0')
    ),
    "a manifest that leads out of the folder": lambda r: (r / MANIFEST).write_text(
        (r / MANIFEST).read_text().replace('"README.md"', '"../README.md"')
    ),
    "a key that stands twice": lambda r: (r / MANIFEST).write_text(
        (r / MANIFEST).read_text().replace('"name"', '"version": "v1.2.0", "name"')
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_refused(how, release, keys):
    TAMPERED[how](release)
    with pytest.raises(ReleaseError, match="where: "):
        verify_files(release, keys[1])


@settings(max_examples=60)
@given(st.data())
def test_no_single_bit_can_be_flipped_unseen(whole, keys, data):
    """In the signature's file some bits mean nothing, as the last ones of base64; then nothing else is vouched for."""
    name = data.draw(st.sampled_from([MODEL, "README.md", "sample/faces.parquet", MANIFEST, SIGNATURE]))
    before = (whole / name).read_bytes()
    place, bit = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 7))
    flipped = bytearray(before)
    flipped[place] ^= 1 << bit
    (whole / name).write_bytes(flipped)
    try:
        told = verify_files(whole, keys[1])
    except ReleaseError:
        return
    finally:
        (whole / name).write_bytes(before)
    assert name == SIGNATURE and told == verify_files(whole, keys[1])


def test_a_manifest_of_an_older_release_is_refused(release, keys, tmp_path):
    """Both releases are signed by the key: neither may stand for the other, nor lend it its files."""
    older = made(tmp_path / "older", "v1.1.0", b"older weights", Signer(keys[0]))
    with pytest.raises(ReleaseError, match=r"this is tiny@v1\.1\.0, not tiny@v1\.2\.0"):
        verify_files(older, keys[1], "tiny@v1.2.0")
    for name in (MANIFEST, SIGNATURE):
        shutil.copy(older / name, release / name)
    with pytest.raises(ReleaseError, match="is not the file that was released"):
        verify_files(release, keys[1])


def test_a_release_of_another_format_is_refused_though_it_is_signed(release, keys):
    """An older format may have promised less."""
    told = json.loads((release / MANIFEST).read_text())
    for number in (0, 2, None, "1"):
        (release / MANIFEST).write_text(json.dumps(told | {"format": number}))
        Signer(keys[0]).sign(release)
        with pytest.raises(ReleaseError, match=f"a release of format {number}, not 1"):
            verify_files(release, keys[1])


def test_a_signature_is_taken_for_nothing_but_itself(release, keys, tmp_path):
    whole = (release / SIGNATURE).read_text()
    bundle = json.loads(whole)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    statement["predicate"]["serialization"]["ignore_paths"] = ["README.md"]
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    for forged in ("", "{}", "[]", whole[:-20], json.dumps(bundle), whole.replace("dsse", "esse")):
        (release / SIGNATURE).write_text(forged)
        with pytest.raises(ReleaseError, match="not signed by this key"):
            verify_files(release, keys[1])
    (release / SIGNATURE).write_text(whole)
    _, other = key_pair(tmp_path / "other")
    with pytest.raises(ReleaseError, match=r"not signed by this key(.|\n)*ask who publishes"):
        verify_files(release, other)
    verify_files(release, keys[1])


def test_a_signature_that_leaves_files_out_vouches_for_none_of_them(release, keys):
    """OpenSSF's own command can sign a folder but for some files; such a signature is good, and not enough."""
    from model_signing import hashing, signing

    config = signing.Config().use_elliptic_key_signer(private_key=keys[0])
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[SIGNATURE, MODEL, MANIFEST]))
    config.sign(release, release / SIGNATURE)
    (release / MODEL).write_bytes(b"other weights")
    write_manifest(release, "tiny", "v1.2.0")
    with pytest.raises(ReleaseError, match=r"the signature leaves manifest\.json out"):
        verify_files(release, keys[1])


def test_keys_that_are_none_are_told(release, keys, tmp_path):
    (tmp_path / "rsa.pub").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    for key, what in (
        (keys[0], "private key(.|\n)*openssl pkey"),
        (release / MODEL, "neither a public key nor a certificate"),
        (tmp_path / "none.pub", "cannot be read: No such file(.|\n)*ask who publishes"),
        (tmp_path / "rsa.pub", "the key cannot be used"),
    ):
        with pytest.raises(ReleaseError, match=what):
            verify_files(release, key)
    for key, what in (
        (None, "there is no key(.|\n)*openssl ecparam"),
        (keys[1], "no private key"),
        (tmp_path / "none.key", "cannot be read: No such file"),
    ):
        with pytest.raises(ReleaseError, match=what):
            Signer(key)


def test_openssl_makes_the_keys_that_the_remedy_says(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    with pytest.raises(ReleaseError) as error:
        Signer(None)
    for line in str(error.value).split("\n"):
        if line.strip().startswith("openssl "):
            subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True)
    release = made(tmp_path / "release", "v0.1.0", b"weights", Signer(tmp_path / "release.key"))
    assert verify_files(release, tmp_path / "release.pub").version == "v0.1.0"
    encrypt = "openssl pkcs8 -topk8 -in release.key -out encrypted.key -passout pass:secret"
    subprocess.run(encrypt.split(), cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(ReleaseError, match="encrypted"):
        Signer(tmp_path / "encrypted.key")


def test_verifying_loads_no_network_code(release, keys):
    """Whoever uses a release has neither torch nor DVC nor Prefect."""
    program = (
        "import sys; from pathlib import Path; from lrfr.release.verification import verify_files; "
        f"verify_files(Path({str(release)!r}), Path({str(keys[1])!r})); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'dvc', 'prefect', 'pandas'}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
