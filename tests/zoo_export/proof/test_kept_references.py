"""What was kept of a target makes a second proof cheaper, and no wrong file right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.zoo_export.conftest import subject_of, tiny
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.parity_rule import Status
from zoo.models.outputs import call
from zoo.runs.kept_files import read_entry, write_entry
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.proof.prove import Proof, prove
from zoo_export.reference import backends, kept_outputs


@pytest.fixture(scope="module")
def other() -> Proof:
    """The proof of a model with other parameters."""
    return prove(subject_of(tiny(1)), opset=18)


def status(proof: Proof, gate: str) -> Status:
    return next(row.status for row in proof.verdict.gates if row.name == gate)


def test_a_second_proof_runs_few_references_and_finds_the_same(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_outputs, "randbelow", lambda _: 1)
    calls: list[int] = []

    def counted(*arguments: object, **settings: object) -> object:
        calls.append(1)
        return call(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(backends, "call", counted)
    files = {MODEL: proof.exported.files[MODEL]}
    first = prove(subject_of(tiny()), opset=18, files=files)
    computed = len(calls)
    calls.clear()
    second = prove(subject_of(tiny()), opset=18, files=files)
    # precision and double precision are tried in both, then the first batch of each of four arithmetics; how many
    # more batches are run in double precision at first depends on the rounding of a machine
    assert len(calls) == 6 and computed >= 12
    assert plain(second.evidence) == plain(first.evidence)
    assert [(gate.name, gate.status) for gate in second.verdict.gates] == [
        (gate.name, gate.status) for gate in first.verdict.gates
    ]
    assert second.verdict.publishes


def plain(evidence: Evidence) -> Evidence:
    return replace(evidence, seconds={}, advice=())


@pytest.mark.ci
@pytest.mark.parametrize("name", [MODEL, PIPELINE])
def test_wrong_references_in_the_cache_make_no_wrong_file_right(proof: Proof, other: Proof, name: str) -> None:
    """The cache holds another model's answers for every case, and the file is that model's."""
    subject = subject_of(tiny())
    said: list[str] = []
    files = {MODEL: other.exported.files[MODEL], name: other.exported.files[name]}
    signature = subject.signature
    prove(subject_of(tiny(1)), opset=18, files=files)
    forged = read_entry(entry(tiny(1), signature))
    assert forged is not None
    write_entry(entry(tiny(), signature), forged)
    wrong = prove(subject, opset=18, files=files, progress=said.append)
    assert any("starting again" in sentence for sentence in said)
    assert status(wrong, "parity") == Status.FAIL
    assert not wrong.verdict.publishes
    assert kept_outputs.kept_outputs(tiny(), signature).outputs == {}
    right = prove(subject, opset=18, files={file: proof.exported.files[file] for file in files})
    assert right.verdict.publishes, right.verdict.sentence


def entry(module: object, signature: Signature) -> str:
    """Under what the outputs of a module are kept."""
    name = kept_outputs.kept_outputs(module, signature).name  # type: ignore[arg-type]
    assert name is not None
    return name
