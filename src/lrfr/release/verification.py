"""Whether a folder is a release, whole, and signed by whom one trusts: signature and hashes, without running anything.

The signature is OpenSSF's model signing: a Sigstore bundle over the SHA-256 of every file but itself.
"""

import base64
import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from lrfr.errors import ReleaseError
from lrfr.release.layout import MANIFEST, SIGNATURE
from lrfr.release.manifest import GET_AGAIN, Manifest, check_hashes, read_manifest

PUBLIC_KEY = "ask who publishes the release for the public key, or for the certificate that they sign by"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
PRIVATE = b"PRIVATE KEY-----"


def verify_files(folder: Path, key: Path, expected: str | None = None) -> Manifest:
    """Verifies a release: every file is the one that was signed, none is missing or added.

    Args:
        folder: of the release.
        key: PEM; the public key of who signed it (EC, P-256, P-384 or P-521), or the certificates, root included, that
            vouch for who signed it.
        expected: the release that was asked for, such as ``tiny-face-embedder@v1.2.0``: another one that is signed as
            well, an older one perhaps, is refused.

    Returns:
        Which release it is.

    Raises:
        ReleaseError: it is not signed, not signed by this key, changed, or another release.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ReleaseError("there is no such folder", where=folder, remedy="give the folder of a release")
    trusted = _read_key(key)
    manifest = read_manifest(folder / MANIFEST)
    if not (folder / SIGNATURE).is_file():
        remedy = "use signed releases alone; `lrfr release make --key KEY` signs one"
        raise ReleaseError("the release is not signed", where=folder, remedy=remedy)
    check_hashes(folder, manifest)
    _check_signature(folder, key, CERTIFICATE in trusted, manifest.files)
    if expected is not None and manifest.tag != expected:
        raise ReleaseError(f"this is {manifest.tag}, not {expected}", where=folder, remedy=GET_AGAIN)
    return manifest


def _read_key(key: Path) -> bytes:
    """A file with a public key or certificates.

    Raises:
        ReleaseError: it is neither.
    """
    try:
        read = key.read_bytes()
    except OSError as error:
        raise ReleaseError(f"the key cannot be read: {error.strerror}", where=key, remedy=PUBLIC_KEY) from error
    if PRIVATE in read:
        remedy = "keep it secret; take the public key out of it: openssl pkey -in KEY -pubout -out PUBLIC"
        raise ReleaseError("this is a private key; a release is verified by the public one", where=key, remedy=remedy)
    if b"-----BEGIN PUBLIC KEY-----" not in read and CERTIFICATE not in read:
        raise ReleaseError("this is neither a public key nor a certificate (PEM)", where=key, remedy=PUBLIC_KEY)
    return read


def _check_signature(folder: Path, key: Path, by_certificate: bool, files: Iterable[str]) -> None:
    from model_signing import hashing, verifying

    all_but_the_signature = hashing.Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)
    config = verifying.Config().set_hashing_config(all_but_the_signature)
    try:
        with redirect_stdout(StringIO()):  # it prints a warning on older signatures
            if by_certificate:
                config.use_certificate_verifier(certificate_chain=[key])
            else:
                config.use_elliptic_key_verifier(public_key=key)
    except Exception as error:
        what = f"the key cannot be used: {' '.join(str(error).split())}"
        raise ReleaseError(what, where=key, remedy="give an EC key of P-256, P-384 or P-521 as PEM") from error
    try:
        with redirect_stdout(StringIO()):
            config.verify(folder, folder / SIGNATURE)
        left_out = {MANIFEST, *files} - _signed(folder / SIGNATURE)
    except Exception as error:  # a signature of somebody else's making fails in any way
        mismatch = str(error).startswith("Signature mismatch")
        what = "the manifest is not the one that was signed" if mismatch else "the release is not signed by this key"
        raise ReleaseError(what, where=folder / SIGNATURE, remedy=f"{GET_AGAIN}; {PUBLIC_KEY}") from error
    if left_out:  # OpenSSF's own command can be told to ignore files
        what = f"the signature leaves {min(left_out)} out"
        raise ReleaseError(what, where=folder / SIGNATURE, remedy=GET_AGAIN)


def _signed(signature: Path) -> set[str]:
    """The files that a signature, which was verified, is about."""
    envelope = json.loads(signature.read_text(encoding="utf-8"))["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    return {resource["name"] for resource in statement["predicate"]["resources"]}
