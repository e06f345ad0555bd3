"""Whole ways of generators: two players trained twice alike, and a decoder taken out of a run of a vae."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo
from zoo.api.errors import UsageError
from zoo.models.load import load_trained
from zoo.models.target import RunTarget, find_target
from zoo.registry.catalog import Catalog


def trained(model: str, place: Path, **options: Any) -> dict[str, torch.Tensor]:
    """Two steps on a few digits; the parameters that were kept."""
    run = zoo.train(model, output=place, max_steps=2, batch_size=16, threads=1, **options)
    return load_file(run.checkpoint("best").checkpoint.model)


@pytest.mark.slow
def test_two_players_end_alike_with_the_same_seed(tmp_path: Path) -> None:
    one = trained("dcgan", tmp_path / "one", seed=1)
    torch.rand(3)  # what was drawn in between does not matter
    two = trained("dcgan", tmp_path / "two", seed=1)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [path.name for path in (tmp_path / "one" / "pictures" / "epochs").iterdir()] == ["0001.png"]


@pytest.mark.slow
def test_the_decoder_of_a_run_of_a_vae_is_a_target(tmp_path: Path) -> None:
    whole = trained("vae", tmp_path / "vae")
    catalog = Catalog.discover()
    target = find_target(f"vae_decoder@{tmp_path / 'vae'}", catalog)
    assert isinstance(target, RunTarget) and target.model is not None
    part = load_trained(target, catalog)
    assert (part.entry.full_name, part.problem.task) == ("autoencoder/vae_decoder", "image-generation")
    state = part.model.state_dict()
    assert all(torch.equal(tensor, whole[f"decoder.{name}"]) for name, tensor in state.items())
    measured = zoo.evaluate(f"vae_decoder@{tmp_path / 'vae'}")
    assert measured.items == 2_000 and measured.metrics["frechet_random"] > 0
    with pytest.raises(UsageError, match=r"trained autoencoder/vae, and gan/dcgan is no part of it"):
        load_trained(find_target(f"dcgan@{tmp_path / 'vae'}", catalog), catalog)
