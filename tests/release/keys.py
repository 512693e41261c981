"""Keys and certificates, made as docs/releases.md says, by OpenSSL's own command where there is one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

START = datetime(2026, 1, 1, tzinfo=UTC)


def key_pair(folder: Path, name: str = "release") -> tuple[Path, Path]:
    """A new private key and its public one."""
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return secret, public


def certified(folder: Path) -> tuple[Path, Path, Path]:
    """A new private key, the certificate on it, and the root that vouches for it."""
    folder.mkdir(parents=True, exist_ok=True)
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(root, "authority", root, is_authority=True)
    files = folder / "certified.key", folder / "certified.pem", folder / "root.pem"
    files[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].write_bytes(_certificate(key, "releases", root, is_authority=False).public_bytes(Encoding.PEM))
    files[2].write_bytes(authority.public_bytes(Encoding.PEM))
    return files


def _certificate(key, name: str, issuer, is_authority: bool) -> x509.Certificate:
    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    uses = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **uses
            ),
            critical=True,
        )
    )
    return builder.sign(issuer, hashes.SHA256())
