"""`zoo train --weights`: published weights fetched from a mirror, a new head for new classes, the rest frozen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision.models import shufflenet_v2_x0_5

from tests.tiny import mirror
from zoo.runs.cache import cache_root
from zoo.runs.run import Run

PLUGIN = """
import zoo

INPUT = zoo.ImageInput(size=(32, 32), min_size=1)

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="small", task="image-classification", trainer="classification", input=INPUT,
                        builder="zoo_torchvision.model:shufflenet_v2_x0_5", head=("fc.",))

@zoo.hookimpl
def zoo_weights():
    yield zoo.WeightsSpec(model="small", tag="v1", licence="CC0-1.0", sha256={sha256!r}, size=5_000_000,
                          url="https://publisher.example/files/v1.pth", classes="zoo_torchvision.imagenet:CLASSES")
"""


class Quiet(SimpleHTTPRequestHandler):
    """A plain file server: it knows no ranges."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a mirror that serves the folder `mirror`."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "mirror")))
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def photos(folder: Path) -> Path:
    """Two classes of ten pictures each."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 40), ("light", 200)):
        (folder / name).mkdir(parents=True)
        for index in range(10):
            pixels = rng.integers(level, level + 40, (40, 48, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


def test_fine_tuning_begins_with_published_weights(
    server: str,
    tmp_path: Path,
    install_plugin: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    zoo_command: Callable[..., Any],
) -> None:
    torch.manual_seed(0)
    published = shufflenet_v2_x0_5().state_dict()
    install_plugin("small", PLUGIN.format(sha256=mirror(tmp_path / "mirror", "v1", published)[:8]))
    monkeypatch.setenv("ZOO_MIRROR", server)
    place = tmp_path / "run"
    said = zoo_command(
        *f"train small --weights v1 --freeze backbone --data {photos(tmp_path / 'photos')} -o {place}".split(),
        *["--max-steps", "3", "--batch-size", "4", "--device", "cpu", "--precision", "32"],
    )
    assert said.code == 0, said.err
    assert "started from small/small@small/v1 with a new head (fc.) for 2 classes" in said.out
    assert len(list((cache_root() / "weights").rglob("*.pth"))) == 1

    run = Run.open(place)
    assert run.problem.classes == ("dark", "light")
    trained = load_file(run.checkpoint("last").checkpoint.model)
    assert trained["fc.weight"].shape == (2, 1024)
    assert all(torch.equal(trained[name], tensor) for name, tensor in published.items() if not name.startswith("fc."))


def test_weights_that_are_not_the_published_ones_train_nothing(
    server: str,
    tmp_path: Path,
    install_plugin: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    zoo_command: Callable[..., Any],
) -> None:
    mirror(tmp_path / "mirror", "v1", {"fc.weight": torch.zeros(1)})
    install_plugin("small", PLUGIN.format(sha256="0" * 8))
    monkeypatch.setenv("ZOO_MIRROR", server)
    place = tmp_path / "run"
    said = zoo_command(*f"train small --weights v1 --data {photos(tmp_path / 'photos')} -o {place}".split())
    assert said.code == 1
    assert "and 00000000… was expected" in said.err
    assert not place.exists()

    monkeypatch.setenv("ZOO_OFFLINE", "1")
    said = zoo_command("predict", "small@v1", str(tmp_path / "photos" / "dark" / "0.png"))
    assert (said.code, "is not in the cache, and ZOO_OFFLINE is set" in said.err) == (3, True)
