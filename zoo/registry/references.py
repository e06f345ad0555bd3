"""References, "module:object", and the optional dependencies that they may need."""

from __future__ import annotations

import importlib
import re
from functools import cache
from operator import eq, ge, gt, le, lt, ne

from zoo.registry.distributions import canonical, installed_metadata


def resolve(reference: str) -> object:
    """The object that "package.module:object" names, or the module of "package.module"; imported on first use."""
    module, _, path = reference.partition(":")
    value: object = importlib.import_module(module)
    for part in filter(None, path.split(".")):
        value = getattr(value, part)
    return value


_NAMED = re.compile(r"""extra\s*==\s*['"]([\w.-]+)""")
_OF_EXTRA = re.compile(r"""([\w.-]+)([<>=!\d.,\s]*);\s*extra\s*==\s*['"][\w.-]+['"]\s*""")
_CLAUSE = re.compile(r"(>=|<=|==|!=|<|>)(\d+(?:\.\d+)*)")
_FINAL = re.compile(r"\d+(?:\.\d+)*")
_HOLDS = {">=": ge, "<=": le, "==": eq, "!=": ne, "<": lt, ">": gt}


@cache
def missing_requirements(distribution: str, extra: str) -> tuple[str, ...]:
    """What an extra of an installed distribution asks for and this environment lacks, as in ("timm>=1.0",).

    LookupError when the distribution declares no such extra, so that a plugin's typing mistake is not taken for
    an extra that needs nothing.
    """
    metadata = installed_metadata(distribution)
    if metadata is None:
        raise LookupError(f"the distribution {distribution} is not installed")
    if canonical(extra) not in map(canonical, metadata.extras):
        raise LookupError(f"{distribution} declares no extra {extra!r}")
    missing = [_missing(text, extra) for text in metadata.requires if _concerns(text, extra)]
    return tuple(requirement for requirement in missing if requirement)


def _concerns(text: str, extra: str) -> bool:
    """False where a requirement's condition is about other extras alone, or about none."""
    named = {canonical(name) for name in _NAMED.findall(text)}
    return canonical(extra) in named if named else "extra" in text.partition(";")[2]


def _missing(text: str, extra: str) -> str:
    """A requirement without its condition, where it belongs to this extra and is not met; else nothing.

    What is plain, as nearly all are, needs no parser of requirements: it would cost every `zoo list` a tenth.
    """
    plain = _OF_EXTRA.fullmatch(text)
    if plain is None:
        return _missing_by_grammar(text, extra)
    name, clauses = plain[1], "".join(plain[2].split())
    installed = _installed(name)
    if installed is None:
        return name + clauses
    bounds = [_CLAUSE.fullmatch(clause) for clause in clauses.split(",") if clause]
    if not _FINAL.fullmatch(installed) or None in bounds:
        return _missing_by_grammar(text, extra)
    from packaging.version import Version  # noqa: PLC0415  only models with an extra pay for it

    present = Version(installed)
    met = all(_HOLDS[bound[1]](present, Version(bound[2])) for bound in bounds if bound)
    return "" if met else name + clauses


def _missing_by_grammar(text: str, extra: str) -> str:
    """The same for any requirement and any version."""
    from packaging.requirements import Requirement  # noqa: PLC0415  slow to import

    wanted = Requirement(text)
    if not wanted.marker or not wanted.marker.evaluate({"extra": extra}) or wanted.marker.evaluate({"extra": ""}):
        return ""
    installed = _installed(wanted.name)
    met = installed is not None and wanted.specifier.contains(installed, prereleases=True)
    return "" if met else f"{wanted.name}{wanted.specifier}"


def _installed(name: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    metadata = installed_metadata(name)
    return None if metadata is None else metadata.version
