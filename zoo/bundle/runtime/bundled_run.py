"""Answers from this bundle on this device, and its self-test; needs only numpy, onnxruntime and Pillow.

    python run.py [--variant int8] [--strict] [--threshold 0.5] a.png ...   or "a text" (for sounds, a class): answers
    python run.py [--variant int8] --self-test       every file against its hash, this device against the golden cases
Exit code 0: done.  1: the self-test differs.  2: bad usage or file; with --strict, an input larger than was proved.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Run = Callable[[Arrays], Arrays]
MAX_DIFFERING_LEVELS, FEW_LEVELS, SIGNATURE, WEIGHTS = 1e-3, 2, "manifest.json.sig", "model.onnx.data"


def plain(text: str) -> str:
    """Text that commands no terminal: what cannot be seen is spelled out, but for line feeds, spaces and joiners."""
    return "".join(c if c.isprintable() or c in "\n\xa0\u200c\u200d\u3000" else repr(c)[1:-1] for c in text)


def differing_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """A sentence per file that is missing, changed or not in the manifest."""
    listed = {file["name"]: file for file in manifest["files"]}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}
    yield from (f"{name} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{name} is not in the manifest" for name in sorted(present - {*listed, "manifest.json", SIGNATURE}))
    for name in sorted(listed.keys() & present):
        path, size = folder / name, listed[name]["bytes"]
        if path.is_symlink() or not path.is_file():
            yield f"{name} is a link or a device, not a file"
            continue
        data: Any = np.memmap(path, np.uint8, "r") if path.stat().st_size else b""  # may be larger than the memory
        if len(data) != size or hashlib.sha256(data).hexdigest() != listed[name]["sha256"]:
            yield f"{name} was changed: its bytes are not those that the manifest names"


def roll_out(run: Run, feeds: Arrays, *, steps: int, feedback: Mapping[str, str]) -> Arrays:
    """One run; or `steps` runs, each fed its own slice and, by `feedback`, the outputs of the one before."""
    if steps == 1:
        return run(feeds)
    state, answers = {name: feeds[name] for name in feedback}, list[Arrays]()
    for step in range(steps):
        answers.append(run({name: value[step] for name, value in feeds.items() if name not in feedback} | state))
        state = {name: answers[-1][output] for name, output in feedback.items()}
    return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}


def difference(answer: Any, expected: Any, tolerance: Mapping[str, Any]) -> str:
    """Why an answer is not the expected one; empty when it is, within its tolerance."""
    if answer.shape != expected.shape:
        return f"has shape {list(answer.shape)} instead of {list(expected.shape)}"
    error = np.abs(answer.astype("float64") - expected.astype("float64")).ravel()
    largest, rms = float(error.max(initial=0.0)), float(np.sqrt(np.sum(error**2) / max(error.size, 1)))
    few = bool(np.count_nonzero(error) <= max(MAX_DIFFERING_LEVELS * error.size, FEW_LEVELS))
    near = largest <= (tolerance.get("max") or 0) and rms <= (tolerance.get("rms") or 0)  # NaN is never near
    rules = {"equal": np.array_equal(answer, expected), "choice": few, "levels": few and largest <= 1}
    return "" if rules.get(tolerance["compare"], near) else f"is off by up to {largest:.3g} (rms {rms:.3g})"


def differing_answers(file: Any, case: Mapping[str, Any], run: Run) -> Iterator[str]:
    """A sentence per output of a golden case, a path or an open file, that this device does not reproduce."""
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    feeds = {name[3:]: value for name, value in arrays.items() if name.startswith("in.")}
    answers = roll_out(run, feeds, steps=case["steps"], feedback=case["feedback"])
    for output in case["outputs"]:
        name = output["name"]
        if wrong := difference(answers[name], arrays["out." + name], output) if name in answers else "is missing":
            yield f"{case['name']}: {name} {wrong}"


def session(path: Path) -> Run:
    """The graph, ready to run: with weights beside it by its path, else as bytes, which open no other file."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # its builds for Linux send telemetry unless told so before they load
    import onnxruntime  # noqa: PLC0415  zoo brings its own sandboxed one

    source = str(path) if (path.parent / WEIGHTS).exists() else path.read_bytes()
    opened = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    names = [port.name for port in opened.get_outputs()]
    return lambda feeds: dict(zip(names, opened.run(names, feeds), strict=True))


def first_state(signature: Mapping[str, Any]) -> tuple[Arrays, dict[str, str]]:
    """The zeros that a sequence begins with, by input, and the output that each is fed afterwards."""
    feedback = {port["feeds"]: port["name"] for port in signature["outputs"] if port["feeds"]}
    ports = [port for port in signature["inputs"] if port["name"] in feedback]
    zeros = {p["name"]: np.zeros([n if isinstance(n, int) else 1 for n in p["shape"]], p["dtype"]) for p in ports}
    return zeros, feedback


def self_test(folder: Path, manifest: Mapping[str, Any], about: Mapping[str, Any]) -> int:
    """Say what differs, `about` the bundle or one of its variants; 0 when nothing does."""
    wrong = list(differing_files(folder, manifest))
    if not wrong:
        runs = {name: session(folder / name) for name in {case["graph"] for case in about["golden"]}}
        for case in about["golden"]:
            wrong += differing_answers(folder / case["file"], case, runs[case["graph"]])
    sys.stdout.writelines(plain(line.replace("\n", r"\n")) + "\n" for line in wrong)
    proved = "unproved" not in (manifest["verdict"], about["verdict"])
    passed = f"self-test passed: {len(manifest['files'])} files, {len(about['golden'])} golden cases"
    print(("self-test failed" if wrong else passed) if proved else "this was published without a proof")
    return 0 if proved and not wrong else 1


def read_items(task: Any, argument: str, problem: Mapping[str, Any]) -> list[tuple[str, Arrays]]:
    """The items of a file, or of a text in quotes, each with its name; the only item of a file needs none."""
    if hasattr(task, "read_text") and not os.path.exists(argument):  # noqa: PTH110  may be too long a path
        return [("", task.read_text(argument, problem))]
    inputs = task.read(Path(argument), problem)
    return [("", dict(inputs))] if isinstance(inputs, Mapping) else list(inputs)


def larger_than_proved(title: str, feeds: Arrays, manifest: Mapping[str, Any]) -> bool:
    """Whether an axis of an input is longer than any at which this bundle was proved; stderr says which."""
    proved, ports = manifest.get("proved", {}), manifest["pipeline_signature"]["inputs"]
    axes = {pair for port in ports for pair in zip(port["shape"], feeds[port["name"]].shape, strict=True)}
    larger = sorted(f"its {dim} is {n:,}, proved up to {proved[dim]:,}" for dim, n in axes if n > proved.get(dim, n))
    sys.stderr.writelines(plain(f"{title}: {sentence}\n") for sentence in larger)
    return bool(larger)


def main(arguments: list[str]) -> int:
    """The exit code."""
    folder = Path(__file__).resolve().parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    at, variants = [*arguments, "--variant"].index("--variant"), {v["name"]: v for v in manifest.get("variants", ())}
    about = variants.get("".join(arguments[at + 1 : at + 2])) if at < len(arguments) else manifest
    arguments = arguments[:at] + arguments[at + 2 :] if about else []
    if about and arguments == ["--self-test"]:
        return self_test(folder, manifest, about)
    sys.dont_write_bytecode = True  # a bundle stays the files it was
    import task  # type: ignore[import-not-found]  # noqa: PLC0415  lies beside this file

    problem = {**manifest["problem"], "classes": [c.replace("\n", r"\n") for c in manifest["problem"]["classes"]]}
    strict, given = "--strict" in arguments, [text for text in arguments if text != "--strict"]
    arguments = getattr(task, "choose", lambda chosen, _: chosen)(given, problem)
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, "Variants:", ", ".join(variants) or "none", file=sys.stderr)
        return 2
    graph = f"variants/{about['name']}/pipeline.onnx" if about and about is not manifest else "pipeline.onnx"
    run, (state, feedback) = session(folder / graph), first_state(manifest["pipeline_signature"])
    generate = getattr(task, "generate", None) or getattr(task, "respond", None)  # as plugins of API 1 call it
    answers, names = list[Arrays](), list[str]()
    for argument in arguments:
        try:
            items = read_items(task, argument, problem)
        except (OSError, ValueError) as error:
            print(plain(f"{argument} cannot be read: {error}"), file=sys.stderr)
            return 2
        for name, inputs in items:
            feeds = {**inputs, **state}
            if larger_than_proved(argument, feeds, manifest) and strict:
                return 2
            answers.append(generate(run, feeds, feedback, problem) if generate else run(feeds))
            names.append(f"{argument}, {name}" if name else argument)
            print(plain(f"{names[-1]}: {getattr(task, 'keep', task.show)(answers[-1], problem)}"))
    if hasattr(task, "compare") and len(answers) > 1:
        print(plain(task.compare(names, answers, problem)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
