"""Licences of weights: which forbid commercial use, and what is fetched only once that is accepted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zoo.api.errors import UsageError
from zoo.models.weights.hub import stated_licence
from zoo.models.weights.licence import ACCEPTED, accepted_licences, check_licence, forbids_commercial_use
from zoo_torchvision.plugin import WEIGHTS_LICENCE


@pytest.mark.parametrize(
    "licence",
    ["cc-by-nc-4.0", "CC-BY-NC-SA-4.0", "fair-noncommercial-research-license", "apple-amlr", "seer-license"],
)
def test_a_licence_that_forbids_commercial_use_is_known(licence: str) -> None:
    assert forbids_commercial_use(licence)


@pytest.mark.parametrize(
    "licence", ["apache-2.0", "MIT", "cc-by-4.0", "apple-ascl", "ncsa", "gemma", "", "none stated", WEIGHTS_LICENCE]
)
def test_other_licences_are_not_held_for_one(licence: str) -> None:
    assert not forbids_commercial_use(licence)


def test_it_must_be_accepted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ACCEPTED, raising=False)
    check_licence("m@v1", "mit")
    with pytest.raises(UsageError) as caught:
        check_licence("m@v1", "cc-by-nc-4.0")
    assert caught.value.message == "the licence of m@v1, cc-by-nc-4.0, forbids commercial use"
    assert caught.value.hint == "if that suits you, add --accept-licence, or set ZOO_ACCEPT_LICENCE=1"
    with accepted_licences():
        check_licence("m@v1", "cc-by-nc-4.0")
    assert ACCEPTED not in os.environ
    monkeypatch.setenv(ACCEPTED, "1")
    check_licence("m@v1", "cc-by-nc-4.0")


@pytest.mark.parametrize(
    ("config", "card", "licence"),
    [
        ('{"pretrained_cfg": {"license": "mit"}}', "---\nlicense: apache-2.0\n---\n", "mit"),
        ("{}", "---\ntags:\n- timm\nlicense: apache-2.0\n---\nlicense: gone", "apache-2.0"),
        ("{}", '---\nlicense: other\nlicense_name: "apple-amlr"\n---\n', "apple-amlr"),
        ("[]", "no head\nlicense: mit", ""),
        ("nonsense", "", ""),
    ],
)
def test_the_licence_of_a_repository(config: str, card: str, licence: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "README.md").write_text(card)
    assert stated_licence(tmp_path) == licence


def test_a_folder_without_a_word_about_it_states_none(tmp_path: Path) -> None:
    assert stated_licence(tmp_path) == ""
