"""The variants of a bundle, the runtimes that it was put to, and its speed, a line each."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.bundle.runtime.manifest import Manifest
from zoo.bundle.runtime.speed_record import SpeedRecord
from zoo.cli.terminal import text

_VERDICTS = {"PASS": "proved", "WARN": "proved, with a warning", "unproved": "NOT PROVED"}


def parts_of(manifest: Manifest) -> list[tuple[str, str]]:
    """Facts for a table: ("variant", "int8: proved; smaller, faster; dynamic, U8S8; pipeline.onnx 38.2 kB")."""
    variants = [
        (
            f"{variant.name}: {_VERDICTS[variant.verdict]}",
            ", ".join(variant.claims),
            variant.method,
            f"pipeline.onnx {text.size(variant.bytes)}",
        )
        for variant in manifest.variants
    ]
    runtimes = [
        (f"{runtime.name}: {_VERDICTS[runtime.verdict]}", runtime.provider, _files(runtime.files))
        for runtime in manifest.runtimes
    ]
    return [
        *(("variant", "; ".join(filter(None, words))) for words in variants),
        *(("runtime", "; ".join(filter(None, words))) for words in runtimes),
    ]


def speed_of(speed: SpeedRecord | None) -> str:
    """As in "0.21 ms an answer, 260 ms to the first, 75 MB, one thread; AMD EPYC, 2 cores"; else empty."""
    if speed is None:
        return ""
    memory = f", {text.size(speed.peak_bytes)}" if speed.peak_bytes is not None else ""
    spent = f"{speed.milliseconds:.3g} ms an answer, {speed.first_milliseconds:,.0f} ms to the first"
    return f"{spent}{memory}, one thread; {speed.machine}"


def _files(files: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(main for main, *_ in files.values())
