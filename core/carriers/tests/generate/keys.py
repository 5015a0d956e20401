"""RSA keys for tests, made once and stored beside the vectors: they can't be made from a seed."""

from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def private_key(folder, name):
    path = folder / "keys" / f"{name}.pem"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        none = serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none))
    pem = path.read_bytes()
    return pem.decode(), serialization.load_pem_private_key(pem, None)


def certificate(folder, name, host):
    """A certificate for `host` under the key `name`."""
    path = folder / "keys" / f"{name}.crt"
    _, key = private_key(folder, name)
    if not path.exists():
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=timezone.utc))
        made = made.not_valid_after(datetime(2036, 1, 1, tzinfo=timezone.utc))
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False).sign(key, hashes.SHA256())
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path.read_text(), key
