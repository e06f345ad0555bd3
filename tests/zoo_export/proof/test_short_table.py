"""A reader of texts whose table of positions ends before the declared maximum is proved up to its end, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.builtin import builtin_task
from zoo.api.problem import Problem, TokenInput
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundled_run import larger_than_proved
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo_export.bundle.write import write
from zoo_export.proof.prove import prove
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject

ROWS = 64
"""Of the table of positions."""
WORDS = ("<pad>", "<unk>", *"abcdefghijklmnopqrstuvwxyz")


class Reader(nn.Module):
    """Means of embeddings with positions: int64 [n, length], int64 [n] -> float32 [n, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(WORDS), 8)
        self.positions = nn.Embedding(ROWS, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        index = torch.arange(tokens.shape[1])
        inside = (index < lengths[:, None]).unsqueeze(-1).float()
        features = (self.embedding(tokens) + self.positions(index)) * inside
        logits: Tensor = self.head(features.sum(1) / inside.sum(1))
        return logits


@pytest.mark.slow
def test_a_table_that_ends_early_is_proved_up_to_its_end(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Reader().eval()
    subject = Subject(
        model="test/reader",
        module=module,
        task=builtin_task("text-classification"),
        problem=Problem(
            task="text-classification",
            input=TokenInput(max_length=256),
            classes=("one", "two", "three"),
            vocabulary=WORDS,
        ),
        plugin=PluginRecord(name="test", distribution="zoo-test", version="1.0"),
        lineage=LineageRecord(weights="drawn for a test", weights_sha256=state_sha256(module), target=""),
        trained=False,
    )
    proof = prove(subject, opset=18, evaluate=0)
    assert proof.verdict.publishes, proof.verdict.sentence
    gates = {gate.name: gate for gate in proof.verdict.gates}
    assert gates["axes"].status == Status.WARN
    assert f"tokens[1] (length) is proved up to {ROWS} only, the model declares 256" in gates["axes"].detail
    written = write(proof, tmp_path / "bundle", reproduce=())
    manifest = json.loads((written.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["proved"]["length"] == ROWS
    for length in (ROWS, ROWS + 1):
        feeds = {"tokens": torch.ones(1, length).long().numpy(), "lengths": torch.tensor([length]).numpy()}
        assert bool(larger_than_proved(feeds, manifest)) == (length > ROWS)
