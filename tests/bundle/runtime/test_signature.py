"""A signed bundle holds for its key alone; what was changed after signing does not; keys stay where they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime.test_bundle import rewrite
from tests.conftest import Said
from tests.healthy import healthy_evidence
from zoo.api.errors import MissingExtra, UsageError
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime import signature
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.bundled_self_test import SIGNATURE
from zoo.bundle.runtime.signature import PASSWORD, check_private_key, check_signature, sign

pytest.importorskip("model_signing")
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

ZooCommand = Callable[..., Said]
NO_SIGNATURES = [b"", b"{}", b"\xff\x00", b"[" * 50_000, b'{"mediaType": 3}', b"x" * ((1 << 20) + 1)]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The files of a pair of keys."""

    private: Path
    public: Path


def keys(folder: Path, *, password: bytes = b"", curve: ec.EllipticCurve | None = None) -> Keys:
    """A new pair in a folder of its own."""
    folder.mkdir()
    made = ec.generate_private_key(curve or ec.SECP256R1())
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pair = Keys(private=folder / "key.pem", public=folder / "key.pub")
    pem = serialization.Encoding.PEM
    pair.private.write_bytes(made.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption))
    pair.public.write_bytes(made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return pair


@pytest.fixture
def pair(tmp_path: Path) -> Keys:
    return keys(tmp_path / "keys")


@pytest.fixture
def signed(make_bundle: MakeBundle, pair: Keys) -> Path:
    bundle = make_bundle()
    sign(bundle, pair.private)
    return bundle


def test_a_signed_bundle_holds_for_its_key(signed: Path, pair: Keys, zoo_command: ZooCommand) -> None:
    said = zoo_command("verify", str(signed), "--key", str(pair.public), "--json")
    assert (said.code, said.json["verdict"]) == (0, "PASS")
    (gate,) = (gate for gate in said.json["gates"] if gate["name"] == "signature")
    assert gate["detail"].startswith("manifest.json was signed with the private part of this key (sha256 ")


def test_a_signed_bundle_without_a_key_says_that_it_was_not_checked(signed: Path, zoo_command: ZooCommand) -> None:
    said = zoo_command("verify", str(signed))
    assert said.code == 0
    assert "WARN          signature     signature not checked" in said.out


def test_a_signed_bundle_without_a_proof_is_called_unproved_all_the_same(
    make_bundle: MakeBundle, pair: Keys, zoo_command: ZooCommand
) -> None:
    bundle = make_bundle(evidence=replace(healthy_evidence(), mutants=()), verdict="unproved")
    sign(bundle, pair.private)
    said = zoo_command("verify", str(bundle), "--json")
    assert (said.code, said.json["verdict"]) == (1, "unproved")


def test_a_bundle_that_was_changed_after_signing_fails(signed: Path, pair: Keys, zoo_command: ZooCommand) -> None:
    rewrite(signed, metrics={"top1": 1.0})
    said = zoo_command("verify", str(signed), "--key", str(pair.public))
    assert said.code == 1
    assert "manifest.json is not the one that was signed" in said.out


def test_a_file_that_was_changed_after_signing_fails(signed: Path, pair: Keys) -> None:
    (signed / "run.py").write_text("print('self-test passed')\n")
    checked = verify_bundle(signed, key=pair.public)
    assert not checked.holds
    assert {gate.name: gate.status.value for gate in checked.gates}["files"] == "FAIL"


@pytest.mark.parametrize("name", ["extra.py", "export/manifest.json", "manifest.json.sig.old", "golden/case-9.npz"])
def test_a_file_beside_a_signed_bundle_fails(signed: Path, pair: Keys, name: str) -> None:
    (signed / name).parent.mkdir(exist_ok=True)
    (signed / name).write_text("{}")
    checked = verify_bundle(signed, key=pair.public)
    assert {gate.name: gate.status for gate in checked.gates}["signature"] == "PASS"
    assert (checked.verdict, checked.holds) == ("FAIL", False)


def test_a_manifest_that_is_exchanged_after_it_was_read_has_no_signature(signed: Path, pair: Keys) -> None:
    """Another one that was signed with the same key is not the one whose hashes are compared."""
    read = Bundle.open(signed).sha256
    rewrite(signed, created="2026-02-02T00:00:00+00:00")
    sign(signed, pair.private)
    assert check_signature(signed, pair.public, sha256=read) == (
        Status.FAIL,
        "manifest.json was changed while it was checked",
    )


def test_the_key_of_somebody_else_fails(signed: Path, tmp_path: Path, zoo_command: ZooCommand) -> None:
    other = keys(tmp_path / "other")
    said = zoo_command("verify", str(signed), "--key", str(other.public))
    assert said.code == 1
    assert "manifest.json.sig was not made with the private part of this key" in said.out
    sign(signed, other.private)  # a forger's own signature
    assert zoo_command("verify", str(signed), "--key", str(other.public)).code == 0


def test_an_unsigned_bundle_fails_where_a_key_is_given(
    make_bundle: MakeBundle, pair: Keys, zoo_command: ZooCommand
) -> None:
    said = zoo_command("verify", str(make_bundle()), "--key", str(pair.public))
    assert (said.code, "the bundle is not signed" in said.out) == (1, True)


@pytest.mark.parametrize("content", NO_SIGNATURES)
def test_what_is_no_signature_fails(signed: Path, pair: Keys, content: bytes) -> None:
    (signed / SIGNATURE).write_bytes(content)
    gates = {gate.name: gate for gate in verify_bundle(signed, key=pair.public).gates}
    assert gates["signature"].status.value == "FAIL"


def test_a_link_is_no_signature(signed: Path, pair: Keys, tmp_path: Path) -> None:
    (signed / SIGNATURE).rename(tmp_path / "elsewhere")
    (signed / SIGNATURE).symlink_to(tmp_path / "elsewhere")
    gates = {gate.name: gate for gate in verify_bundle(signed, key=pair.public).gates}
    assert (gates["signature"].status.value, gates["signature"].detail) == ("FAIL", f"{SIGNATURE} is no signature")


def test_the_devices_self_test_takes_a_signed_bundle(signed: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(signed / "run.py"), "--self-test"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "self-test passed: 9 files, 2 golden cases\n")


def test_another_tool_of_the_format_checks_it(signed: Path, pair: Keys) -> None:
    command = [
        *(sys.executable, "-m", "model_signing", "verify", "key", str(signed / "manifest.json")),
        *("--signature", str(signed / SIGNATURE), "--public_key", str(pair.public)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_other_curves_sign_as_well(make_bundle: MakeBundle, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    pair, bundle = keys(tmp_path / "keys", curve=curve), make_bundle()
    sign(bundle, pair.private)
    assert verify_bundle(bundle, key=pair.public).holds


def test_an_encrypted_key_takes_its_password_from_the_environment(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, bundle = keys(tmp_path / "keys", password=b"open sesame"), make_bundle()
    with pytest.raises(UsageError, match=r"the key .*key\.pem cannot be opened") as error:
        sign(bundle, pair.private)
    assert PASSWORD in error.value.hint
    monkeypatch.setenv(PASSWORD, "guess")
    with pytest.raises(UsageError, match="is no private key"):
        sign(bundle, pair.private)
    assert not (bundle / SIGNATURE).exists()
    monkeypatch.setenv(PASSWORD, "open sesame")
    sign(bundle, pair.private)
    assert verify_bundle(bundle, key=pair.public).holds


def test_a_file_that_is_no_key_is_a_sentence(tmp_path: Path, pair: Keys, signed: Path, zoo_command: ZooCommand) -> None:
    (tmp_path / "text").write_text("no key")
    ed = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    (tmp_path / "ed").write_bytes(
        ed.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    reasons = {"text": "is no private key", "ed": "is no key on one of the curves", "absent": "not there"}
    for file, reason in reasons.items():
        with pytest.raises(UsageError, match=reason):
            check_private_key(tmp_path / file)
    for given, reason in ((pair.private, "is a private key"), (tmp_path / "text", "is no public key")):
        said = zoo_command("verify", str(signed), "--key", str(given))
        assert (said.code, reason in said.err) == (2, True)


def test_a_missing_extra_is_named_with_its_cure(pair: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as error:
        check_private_key(pair.private)
    assert error.value.hint == "pip install 'edgezoo[sign]'"


def test_no_key_gets_into_a_bundle_or_its_signature(signed: Path, pair: Keys) -> None:
    body = pair.private.read_text().splitlines()[1]
    for file in signed.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert body.encode() not in data and b"PRIVATE KEY" not in data
            assert str(pair.private).encode() not in data
