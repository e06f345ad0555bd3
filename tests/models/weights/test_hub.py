"""Weights on the hub, from a hub on this machine: found, checked, and refused with a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.weights.local_hub import LocalHub, running_hub
from zoo.api.errors import UsageError
from zoo.models.weights.hub import hub_folder

ASK = """
import json, sys
from zoo.api.errors import ZooError
from zoo.models.weights.hub import cached_hub_weights, hub_weights, stated_digest
try:
    path = hub_weights(sys.argv[1])
    cached = cached_hub_weights(sys.argv[1]) == path
    print(json.dumps({"content": path.read_text(), "digest": stated_digest(path), "cached": cached}))
except ZooError as error:
    print(json.dumps({"kind": type(error).__name__, "message": error.message, "hint": error.hint}))
"""
HUB = {
    "owner/whole": {"model.safetensors": b"weights", "config.json": b"{}", "pytorch_model.bin": b"never"},
    "owner/pickled": {"pytorch_model.bin": b"never"},
    "owner/gated": {"model.safetensors": b"weights"},
}


def ask(repository: str, home: Path, *, address: str, offline: bool = False) -> dict[str, object]:
    """What a process of its own answers: the hub's library reads its address when it is imported."""
    environment = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": address, "ZOO_OFFLINE": "1" if offline else ""}
    done = subprocess.run(
        [sys.executable, "-c", ASK, repository], check=True, capture_output=True, text=True, env=environment
    )
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return {**answer, "said": done.stderr}


def test_weights_arrive_with_the_digest_that_the_hub_states_and_nothing_else_does(tmp_path: Path) -> None:
    with running_hub(LocalHub(HUB)) as hub:
        answer = ask("owner/whole", tmp_path, address=hub.address)
        asked = len(hub.requests)
        again = ask("owner/whole", tmp_path, address=hub.address, offline=True)
        assert len(hub.requests) == asked
    digest = hashlib.sha256(b"weights").hexdigest()
    assert answer == {"content": "weights", "digest": digest, "cached": True, "said": ""}
    assert again == answer
    assert not any("pytorch_model.bin" in request for request in hub.requests)


def test_what_the_hub_refuses_is_a_sentence(tmp_path: Path) -> None:
    with running_hub(LocalHub(HUB, gated=("owner/gated",))) as hub:
        gated = ask("owner/gated", tmp_path, address=hub.address)
        missing = ask("owner/nothing", tmp_path, address=hub.address)
        revision = ask("owner/whole@v9", tmp_path, address=hub.address)
        pickled = ask("owner/pickled", tmp_path, address=hub.address)
    assert gated["message"] == "owner/gated is given to those only who have accepted its licence"
    assert missing["message"] == "the hub has no repository owner/nothing, or it is private"
    assert revision["message"] == "owner/whole has no revision 'v9'"
    assert pickled["message"] == (
        "owner/pickled has no model.safetensors: a pickle can run code when it is read, and zoo downloads none"
    )


@pytest.mark.parametrize("name", ["nonsense", "../x", "-x/y", "a/b..c", "a/" + "b" * 100])
def test_a_name_that_the_hub_gives_to_nobody_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="names nothing on the hub"):
        hub_folder(name, ["config.json"], extra="timm")


def test_an_answer_that_is_not_the_hubs_is_one_line(tmp_path: Path) -> None:
    with running_hub(LocalHub(HUB, status=401)) as hub:
        unknown = ask("owner/whole", tmp_path, address=hub.address)
    with running_hub(LocalHub(HUB, status=403)) as hub:
        forbidden = ask("owner/whole", tmp_path, address=hub.address)
    with running_hub(LocalHub(HUB, status=404)) as hub:
        missing = ask("owner/whole", tmp_path, address=hub.address)
    with running_hub(LocalHub(HUB, login_page=b"<html>Log in first</html>")) as hub:
        page = ask("owner/whole", tmp_path, address=hub.address)
    closed = ask("owner/whole", tmp_path, address="http://127.0.0.1:9")
    start = "owner/whole cannot be had from the hub: "
    assert unknown["message"] == "the hub does not let you read owner/whole: the server answers 401 Unauthorized"
    assert forbidden["message"] == "the hub does not let you read owner/whole: the server answers 403 Forbidden"
    assert (missing["kind"], missing["message"]) == ("UsageError", "the hub has no repository owner/whole")
    assert page["message"] == f"{start}the server's answer is not the hub's, but a page perhaps that wants a login"
    assert closed["message"] == f"{start}[Errno 111] Connection refused"


@pytest.mark.slow
def test_a_download_that_breaks_off_leaves_nothing_and_says_one_sentence(tmp_path: Path) -> None:
    with running_hub(LocalHub(HUB, cut=("owner/whole",))) as hub:
        answer = ask("owner/whole", tmp_path, address=hub.address)
    assert answer["kind"] == "NetworkError"
    assert str(answer["message"]).startswith("owner/whole cannot be had from the hub: peer closed connection")
    assert answer["said"] == ""
    assert not list(tmp_path.rglob("model.safetensors"))


def test_without_network_and_cache_the_sentence_says_so(tmp_path: Path) -> None:
    answer = ask("owner/whole", tmp_path, address="http://127.0.0.1:9", offline=True)
    assert (answer["kind"], answer["message"]) == (
        "NetworkError",
        "owner/whole cannot be had from the hub: it is not in the cache, and ZOO_OFFLINE is set",
    )
