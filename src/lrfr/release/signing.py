"""Signing a release by OpenSSF's model signing, offline: with a key, or with a key and the certificate on it."""

from pathlib import Path

from lrfr.errors import ReleaseError
from lrfr.release.layout import SIGNATURE
from lrfr.release.verification import PRIVATE

MAKE_KEY = (
    "make a pair once, and keep the first file secret:\n"
    "    openssl ecparam -name prime256v1 -genkey -noout -out release.key\n"
    "    openssl ec -in release.key -pubout -out release.pub"
)


class Signer:
    """Signs releases.

    Args:
        key: PEM; a private key, EC, P-256, P-384 or P-521, not encrypted.
        certificate: PEM; the certificate on that key, and after it those that lead to a root; None to sign by the key
            alone.

    Raises:
        ReleaseError: there is no such key, or nobody can sign by it.
    """

    def __init__(self, key: Path | None, certificate: Path | None = None) -> None:
        if key is None:
            raise ReleaseError("a release is signed, and there is no key", remedy=f"--key release.key; {MAKE_KEY}")
        self._config = _signing_config(key, certificate)

    def sign(self, folder: Path) -> None:
        """Writes the signature over every file of a folder into it."""
        self._config.sign(folder, folder / SIGNATURE)


def _signing_config(key: Path, certificate: Path | None):
    from model_signing import hashing, signing

    config = signing.Config()
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False))
    try:
        read = key.read_bytes()
        if PRIVATE not in read or b"ENCRYPTED" in read:
            kind = "it is encrypted" if PRIVATE in read else "it is no private key (PEM)"
            remedy = f"openssl pkey -in KEY -out PLAIN, for as long as you sign; or {MAKE_KEY}"
            raise ReleaseError(f"nobody can sign by this key: {kind}", where=key, remedy=remedy)
        if certificate is None:
            return config.use_elliptic_key_signer(private_key=key)
        return config.use_certificate_signer(
            private_key=key, signing_certificate=certificate, certificate_chain=[certificate]
        )
    except OSError as error:
        what = f"a key or a certificate cannot be read: {error.strerror}"
        raise ReleaseError(what, where=error.filename, remedy=MAKE_KEY) from error
    except (ValueError, TypeError) as error:
        where = key if certificate is None else f"{key}, {certificate}"
        raise ReleaseError(f"nobody can sign by this key: {error}", where=where, remedy=MAKE_KEY) from error
