"""The docstring of every public name: what one gets, arguments, returns, errors, and an example that runs."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from docs.run_examples import ROOT

DOCUMENTED = {
    name: value
    for name in zoo.__all__
    if inspect.isclass(value := getattr(zoo, name)) or inspect.isfunction(value)
    if value.__module__.startswith("zoo")
}
FUNCTIONS = {name: value for name, value in DOCUMENTED.items() if inspect.isfunction(value)}
SLOW = {"Checked", "Evaluation", "Run", "Verified", "Written", "evaluate", "export", "resume", "train", "verify"}
"""Names whose examples train, evaluate, export or verify."""
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def failures(name: str) -> str:
    """What the examples of a name print that they do not show."""
    given = {"zoo": zoo, "np": np, "torch": torch, "Path": Path, "__name__": "examples", **DOCUMENTED}
    text = inspect.cleandoc(DOCUMENTED[name].__doc__ or "")
    example = doctest.DocTestParser().get_doctest(text, given, name, None, 0)
    assert example.examples
    printed: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=printed.append)
    return "".join(printed)


@pytest.fixture
def world(empty_directory: Path) -> Path:
    """The folder in which the examples run: a picture lies there."""
    shutil.copy(ROOT / "docs" / "pictures" / "seven.png", empty_directory)
    return empty_directory


@pytest.mark.parametrize("name", sorted(DOCUMENTED.keys() - SLOW))
def test_an_example_runs(name: str, world: Path) -> None:
    assert failures(name) == ""


@pytest.mark.ci
@pytest.mark.parametrize("name", sorted(SLOW))
def test_an_example_that_takes_longer_runs(name: str, world: Path) -> None:
    if name in ("Checked", "Verified", "verify"):
        zoo.export("cnn@digits", output="bundle")
    assert failures(name) == ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_each_argument_is_and_what_it_returns(name: str) -> None:
    text = inspect.cleandoc(FUNCTIONS[name].__doc__ or "")
    assert described(text, "Args") == list(inspect.signature(FUNCTIONS[name]).parameters)
    assert "\nReturns:\n    " in text


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_begins_with_a_sentence(name: str) -> None:
    first = inspect.cleandoc(DOCUMENTED[name].__doc__ or "").partition("\n\n")[0]
    assert re.search(r"[.:]( +\[torch\])?$", first), first


def test_what_a_function_raises_is_an_error_of_zoo_or_of_python() -> None:
    for value in FUNCTIONS.values():
        for error in described(inspect.cleandoc(value.__doc__ or ""), "Raises"):
            assert error in zoo.__all__ or error == "ValueError", error


def described(text: str, section: str) -> list[str]:
    """The names that a section of a docstring describes, in order."""
    match: Any = re.search(rf"^{section}:\n(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^    (\w+): ", match[1], re.MULTILINE) if match else []
