"""docs/api: every public name stands on one page, and everything about it says what it is."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from textwrap import dedent

import zoo
from docs.reference import FOLDER, pages
from zoo.api import hookspecs
from zoo.registry.loader import HOOKS


def test_the_pages_are_those_of_the_sources() -> None:
    written = {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    assert written == pages(), "python docs/reference.py"


def test_every_public_name_and_hook_stands_on_one_page() -> None:
    shown = [name for text in pages().values() for name in re.findall(r"^::: (\S+)$", text, re.MULTILINE)]
    hooks = [f"zoo.api.hookspecs.{name}" for name in HOOKS]
    assert sorted(shown) == sorted([*(f"zoo.{name}" for name in zoo.__all__), *hooks])


def test_every_hook_says_what_it_is_for() -> None:
    assert [name for name in HOOKS if not getattr(hookspecs, name).__doc__] == []


def test_every_field_and_method_says_what_it_is() -> None:
    silent = []
    for name in zoo.__all__:
        value = getattr(zoo, name)
        if inspect.isclass(value) and value.__module__.startswith("zoo"):
            (node,) = ast.parse(dedent(inspect.getsource(value))).body
            assert isinstance(node, ast.ClassDef)
            silent += [f"{name}.{member}" for member in undocumented(node)]
    assert silent == []


def undocumented(node: ast.ClassDef) -> Iterator[str]:
    """Public fields without a sentence below them, and public methods without a docstring."""
    for statement, after in zip(node.body, [*node.body[1:], None], strict=True):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                yield from () if told else (name,)
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                yield from () if ast.get_docstring(statement) else (name,)
