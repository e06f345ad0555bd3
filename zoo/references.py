"""References, "module:object", and the optional dependencies that they may need."""

from __future__ import annotations

import importlib
from functools import cache


def resolve(reference: str) -> object:
    """The object that "package.module:object" names; imports the module on first use."""
    module, _, path = reference.partition(":")
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


@cache
def missing_requirements(distribution: str, extra: str) -> tuple[str, ...]:
    """What an extra of an installed distribution asks for and this environment lacks, as in ("timm>=1.0",).

    LookupError when the distribution declares no such extra, so that a plugin's typing mistake is not taken for
    an extra that needs nothing.
    """
    from importlib.metadata import distribution as find  # noqa: PLC0415  only models with an extra pay for these

    from packaging.requirements import Requirement  # noqa: PLC0415
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    found = find(distribution)
    if canonicalize_name(extra) not in {
        canonicalize_name(name) for name in found.metadata.get_all("Provides-Extra", [])
    }:
        raise LookupError(f"{distribution} declares no extra {extra!r}")
    wanted = [Requirement(text) for text in found.requires or ()]
    of_extra = [
        requirement
        for requirement in wanted
        if requirement.marker
        and requirement.marker.evaluate({"extra": extra})
        and not requirement.marker.evaluate({"extra": ""})
    ]
    return tuple(
        f"{requirement.name}{requirement.specifier}"
        for requirement in of_extra
        if not requirement.specifier.contains(_installed(requirement.name) or "0", prereleases=True)
        or _installed(requirement.name) is None
    )


def _installed(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version(name)
    except PackageNotFoundError:
        return None
