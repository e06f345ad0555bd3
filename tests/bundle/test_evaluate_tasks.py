"""`zoo eval BUNDLE` works for every task: its answers are measured under the names that training has for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo import Catalog, DataCard, DataRequest, Problem
from zoo.bundle import evaluate
from zoo.models.adapter import adapted
from zoo.models.build import build
from zoo.models.pipeline import TorchPipeline, torch_pipeline
from zoo.tasks.bases.sequences import negative_log_likelihood

METRICS = {
    "cnn": {"top1", "top5"},
    "conv_autoencoder": {"psnr"},
    "vae_decoder": {"frechet_random"},
    "facenet_tiny": {"roc_auc", "accuracy", "tar_at_far_1pct", "threshold"},
    "yolo_nano": {"map", "map50"},
    "fcn_tiny": {"miou", "pixel_accuracy"},
    "gru": {"accuracy", "macro_f1"},
    "sentence_bert_tiny": {"retrieval_accuracy", "cosine_same", "cosine_other"},
    "gru_lm": {"bits_per_character", "perplexity"},
    "wavenet_tiny": {"bits_per_sample"},
}
"""A model of each task, and what is said of the answers of its bundle."""
ITEMS = {"wavenet_tiny": 2, "yolo_nano": 6, "fcn_tiny": 6}
"""Of the test split, where a dozen takes long."""
CATALOG = Catalog.discover()


def of_few_items(name: str) -> tuple[TorchPipeline, DataCard, Problem]:
    """An untrained model in the place of its pipeline.onnx, and a few items to measure it on."""
    entry = CATALOG.model(name)
    task, source = CATALOG.make_task(entry.spec.task), CATALOG.task(entry.spec.task).spec.default_data
    card = task.data.check(task.data.detect(DataRequest(source=source)), progress=lambda _done, _total: None)
    problem = task.problem(card, entry.spec.input)
    test: Any = card.splits["test"][: ITEMS.get(name, 12)]
    if name == "gru_lm":
        test = [replace(item, text=item.text[:300]) for item in test]
    model = build(CATALOG, entry, problem, seed=0).eval()
    pipeline = torch_pipeline(task, problem, adapted(model, CATALOG, entry, problem).eval())
    return pipeline, replace(card, splits={**card.splits, "test": test}), problem


def measured(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, float], int, list[dict[str, Any]]]:
    """The metrics of its bundle, how many items they are of, and what the graph was fed."""
    pipeline, card, problem = of_few_items(name)
    fed: list[dict[str, Any]] = []

    @contextmanager
    def runs(_: object) -> Iterator[Any]:
        yield lambda feeds: fed.append(dict(feeds)) or pipeline(feeds)  # type: ignore[func-returns-value]

    monkeypatch.setattr(evaluate, "bundle_pipeline", runs)
    manifest = SimpleNamespace(problem=problem, pipeline_signature=pipeline.signature, metrics={})
    task = CATALOG.make_task(problem.task)
    bundle: Any = SimpleNamespace(manifest=manifest)
    metrics, items = evaluate._measure(bundle, task, card, "test", lambda _done, _total: None)
    return metrics, items, fed


@pytest.mark.parametrize("name", METRICS)
def test_every_task_measures_the_answers_of_a_bundle(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, items, fed = measured(name, monkeypatch)
    assert set(metrics) == METRICS[name]
    assert items == len(fed) >= ITEMS.get(name, 1)
    assert CATALOG.task(CATALOG.model(name).spec.task).spec.monitored in metrics


def test_a_text_is_measured_as_if_it_were_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, items, fed = measured("gru_lm", monkeypatch)
    pipeline, _, problem = of_few_items("gru_lm")
    tokens = np.concatenate([feeds["tokens"] for feeds in fed], axis=1)
    assert items == -(-tokens.shape[1] // 64) > 2
    whole = pipeline({**fed[0], "tokens": tokens})
    bits = negative_log_likelihood(whole["logits"][0, :-1], tokens[0, 1:])
    # all targets but the last of the text, which no window is fed
    assert metrics["perplexity"] == pytest.approx(float(2 ** bits.mean()), rel=0.02)
    assert problem.vocabulary
