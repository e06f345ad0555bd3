"""The signature of a bundle: over manifest.json, and by its hashes over every other file, in OpenSSF's format.

It is made and checked by the package `model-signing` (the extra `sign`), with keys that lie in files; no network is
asked.  The signature is a file beside the manifest, so that any tool of that format can check it:

    model_signing verify key BUNDLE/manifest.json --signature BUNDLE/manifest.json.sig --public-key PUB
"""

from __future__ import annotations

import hashlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.errors import MissingExtra, UsageError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundled_self_test import SIGNATURE
from zoo.bundle.runtime.manifest import NAME
from zoo.runs.scratch import ScratchFolder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

MAX_BYTES = 1 << 20
"""Of a signature, and of a key."""
PASSWORD = "ZOO_SIGN_PASSWORD"
"""The environment variable with the password of an encrypted private key."""
PACKAGES = {"model-signing": "model_signing", "pyopenssl": "OpenSSL"}
"""What the extra brings, and the module of each."""
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_MAKE_KEY = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem; openssl ec -in key.pem -pubout -out key.pub"


def check_private_key(key: Path) -> None:
    """MissingExtra without the extra, UsageError for a file that cannot sign; nothing of the key is said."""
    _demand_extra()
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  the extra
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    data = _read(key)
    try:
        loaded = load_pem_private_key(data, _password())
    except TypeError as error:  # encrypted, and no password; or the other way round
        hint = f"unset {PASSWORD}" if _password() else f"put its password into the environment variable {PASSWORD}"
        raise UsageError(f"the key {key} cannot be opened", hint=hint) from error
    except Exception as error:
        raise UsageError(
            f"{key} is no private key in PEM format that can be opened", hint=f"make one: {_MAKE_KEY}"
        ) from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.curve.name not in CURVES:
        raise UsageError(f"{key} is no key on one of the curves {', '.join(CURVES)}", hint=f"make one: {_MAKE_KEY}")


def sign(folder: Path, key: Path) -> None:
    """Write the signature of the manifest in `folder`, in place of one that is there."""
    check_private_key(key)
    from model_signing import hashing, signing  # noqa: PLC0415  the extra

    config = _config(signing).use_elliptic_key_signer(private_key=key, password=_password())
    config.set_hashing_config(_config(hashing).use_file_serialization(hashing_algorithm="sha256"))
    unfinished = folder / f"{SIGNATURE}.unfinished"
    try:
        config.sign(folder / NAME, unfinished)
        unfinished.replace(folder / SIGNATURE)
    finally:
        unfinished.unlink(missing_ok=True)


def check_signature(folder: Path, key: Path | None, *, sha256: str) -> Finding | None:
    """What the signature says to a public key; None where there is neither.

    `sha256` is of the manifest as it was read: what was signed must be those very bytes.
    """
    path = folder / SIGNATURE
    present = path.is_symlink() or path.exists()
    if key is None:
        sentence = f"signature not checked: {SIGNATURE} is there, and no --key was given to check it with"
        return (Status.WARN, sentence) if present else None
    public = _public_key(key)
    if not present:
        return Status.FAIL, f"the bundle is not signed: it has no {SIGNATURE}"
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        return Status.FAIL, f"{SIGNATURE} is no signature"
    wrong = _wrong(folder, key, sha256)
    if wrong:
        return Status.FAIL, wrong
    return Status.PASS, f"{NAME} was signed with the private part of this key ({_fingerprint(public)})"


def _wrong(folder: Path, key: Path, sha256: str) -> str:
    """Why a signature does not hold; empty where it does.  Both files are checked as copies that nobody exchanges."""
    manifest, signature = (folder / NAME).read_bytes(), (folder / SIGNATURE).read_bytes()
    if hashlib.sha256(manifest).hexdigest() != sha256:
        return f"{NAME} was changed while it was checked"
    with ScratchFolder.make() as copies:
        (copies.path / NAME).write_bytes(manifest)
        (copies.path / SIGNATURE).write_bytes(signature)
        return _wrong_copy(copies.path, key)


def _wrong_copy(folder: Path, key: Path) -> str:
    from model_signing import hashing, verifying  # noqa: PLC0415  the extra

    logging.getLogger("model_signing").setLevel(logging.CRITICAL)
    config = _config(verifying).use_elliptic_key_verifier(public_key=key)
    config.set_hashing_config(_config(hashing).use_file_serialization(hashing_algorithm="sha256"))
    try:
        config.verify(folder / NAME, folder / SIGNATURE)
    except ValueError as error:
        if str(error).startswith("Signature mismatch"):
            return f"{NAME} is not the one that was signed: it was changed afterwards, or the signature is of another"
        return f"{SIGNATURE} was not made with the private part of this key"
    except Exception:  # whatever a made-up file has the parsers raise
        return f"{SIGNATURE} is no signature that this key could have made"
    return ""


def _config(module: Any) -> Any:
    """The settings of a module of model-signing, whose types say less than it does: a password is bytes."""
    return module.Config()


def _public_key(key: Path) -> EllipticCurvePublicKey:
    _demand_extra()
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  the extra
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    data = _read(key)
    if b"PRIVATE KEY" in data:
        raise UsageError(
            f"{key} is a private key; whoever checks needs the public one",
            hint=f"openssl ec -in {key} -pubout -out key.pub",
        )
    try:
        public = load_pem_public_key(data)
    except Exception as error:
        raise UsageError(
            f"{key} is no public key in PEM format", hint="ask whoever signed the bundle for it"
        ) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in CURVES:
        raise UsageError(f"{key} is no key on one of the curves {', '.join(CURVES)}")
    return public


def _fingerprint(public: EllipticCurvePublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  the extra

    data = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256 {hashlib.sha256(data).hexdigest()[:16]}…"


def _read(key: Path) -> bytes:
    try:
        if not key.is_file() or key.stat().st_size > MAX_BYTES:
            raise UsageError(f"the key {key} is not there, or no key")
        return key.read_bytes()
    except OSError as error:
        raise UsageError(f"the key {key} cannot be read: {error.strerror}") from error


def _password() -> bytes | None:
    text = os.environ.get(PASSWORD)
    return text.encode() if text else None


def _demand_extra() -> None:
    missing = [name for name, module in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise MissingExtra(
            f"signatures need {', '.join(missing)}, not installed here", hint="pip install 'edgezoo[sign]'"
        )
