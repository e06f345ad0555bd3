"""Answers from this bundle on this device; needs only numpy, onnxruntime and Pillow.

    python run.py [OPTIONS] a.png folder ...   or "a text" (for sounds, a class): answers
    python run.py [--variant int8] --self-test       every file against its hash, this device against the golden cases

A folder stands for the files in it. Options of the task, as --threshold 0.5 of a detector, stand anywhere, too.
Exit code 0: done.  1: the self-test differs.  2: bad usage or file; with --strict, an input larger than was proved.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import numpy as np
except ModuleNotFoundError:
    sys.exit(print("numpy is not installed: pip install numpy onnxruntime pillow", file=sys.stderr) or 2)

Arrays = dict[str, Any]
Run = Callable[[Arrays], Arrays]


def first_state(signature: Mapping[str, Any]) -> tuple[Arrays, dict[str, str]]:
    """The zeros that a sequence begins with, by input, and the output that each is fed afterwards."""
    feedback = {port["feeds"]: port["name"] for port in signature["outputs"] if port["feeds"]}
    ports = [port for port in signature["inputs"] if port["name"] in feedback]
    zeros = {p["name"]: np.zeros([n if isinstance(n, int) else 1 for n in p["shape"]], p["dtype"]) for p in ports}
    return zeros, feedback


def files(argument: str) -> list[str]:
    """The argument; of a folder the files in it by name, but for hidden ones."""
    if not os.path.isdir(argument):  # noqa: PTH112  a text may be too long a path
        return [argument]
    listed = [str(file) for file in sorted(Path(argument).iterdir()) if file.is_file() and file.name[0] != "."]
    if not listed:
        raise ValueError("there are no files in this folder")
    return listed


def read_items(task: Any, argument: str, problem: Mapping[str, Any]) -> list[tuple[str, Arrays]]:
    """The items of a file, or of a text in quotes, each with its name; the only item of a file needs none."""
    if hasattr(task, "read_text") and not os.path.exists(argument):  # noqa: PTH110  may be too long a path
        return [("", task.read_text(argument, problem))]
    inputs = task.read(Path(argument), problem)
    return [("", dict(inputs))] if isinstance(inputs, Mapping) else list(inputs)


def larger_than_proved(feeds: Arrays, manifest: Mapping[str, Any]) -> list[str]:
    """A sentence for each axis of an input that is longer than any at which this bundle was proved."""
    proved, ports = manifest.get("proved", {}), manifest["pipeline_signature"]["inputs"]
    axes = {pair for port in ports for pair in zip(port["shape"], feeds[port["name"]].shape, strict=True)}
    return sorted(f"its {dim} is {n:,}, proved up to {proved[dim]:,}" for dim, n in axes if n > proved.get(dim, n))


@dataclass(frozen=True)
class Answering:
    """What all inputs have in common; `selftest` and `task` are the files beside this one."""

    selftest: Any
    task: Any
    manifest: Mapping[str, Any]
    problem: Mapping[str, Any]
    options: Any

    def items(self, arguments: Sequence[str]) -> Iterator[tuple[str, Arrays]]:
        """Names and inputs of what the arguments stand for."""
        current = ""
        try:
            for argument in arguments:
                current = argument
                for current in files(argument):
                    for name, inputs in read_items(self.task, current, self.problem):
                        yield (f"{current}, {name}" if name else current), inputs
        except (OSError, ValueError) as error:
            raise self.selftest.Refused(f"{current} cannot be read: {error}") from error

    def checked(self, arguments: Sequence[str]) -> Iterator[tuple[str, Arrays]]:
        """The items; a larger one than was proved is told, or refused."""
        state, _ = first_state(self.manifest["pipeline_signature"])
        for name, inputs in self.items(arguments):
            feeds = {**inputs, **state}
            sentences = [f"{name}: {words}" for words in larger_than_proved(feeds, self.manifest)]
            if sentences and self.options.strict:
                raise self.selftest.Refused("\n".join(sentences))
            sys.stderr.writelines(self.selftest.plain(sentence) + "\n" for sentence in sentences)
            yield name, feeds

    def answers(self, run: Run, arguments: Sequence[str]) -> Iterator[tuple[str, Arrays]]:
        """Every item's name with its answer."""
        items, refused = self.checked(arguments), self.selftest.Refused
        if self.options.record.get("signature"):
            return iter(import_module("variant").answers(run, items, self.manifest, self.options, refused))
        _, feedback = first_state(self.manifest["pipeline_signature"])
        task = getattr(self.task, "generate", None) or getattr(self.task, "respond", None)  # as API 1 calls it
        return ((name, task(run, feeds, feedback, self.problem) if task else run(feeds)) for name, feeds in items)

    def show(self, run: Run, arguments: Sequence[str]) -> None:
        """Print the answers as they come."""
        show, answered = getattr(self.task, "keep", self.task.show), list[tuple[str, Arrays]]()
        for name, answer in self.answers(run, arguments):
            answered.append((name, answer))
            lines = show(answer, self.problem).split("\n")
            print(self.selftest.plain("\n  ".join([f"{name}:", *lines]) if lines[1:] else f"{name}: {lines[0]}"))
        if hasattr(self.task, "compare") and len(answered) > 1:
            print(self.selftest.plain(self.task.compare(*map(list, zip(*answered, strict=True)), self.problem)))

    def document(self, run: Run, arguments: Sequence[str]) -> list[dict[str, Any]]:
        """The answers for --json: with the names of classes, in words, and every output as numbers."""
        show: Any = getattr(self.task, "keep", self.task.show)
        record: Any = getattr(self.task, "record", lambda *_: {})
        return [
            {
                "input": name,
                **record(answer, self.problem),
                "text": show(answer, self.problem),
                "outputs": {port: np.asarray(value).tolist() for port, value in answer.items()},
            }
            for name, answer in self.answers(run, arguments)
        ]


def main(arguments: list[str]) -> int:
    """The exit code."""
    folder = Path(__file__).resolve().parent
    sys.dont_write_bytecode = True  # a bundle stays the files it was
    sys.path.insert(0, str(folder))
    import selftest  # type: ignore[import-not-found]  # noqa: PLC0415  lies beside this file

    signal.signal(getattr(signal, "SIGPIPE", signal.SIGTERM), signal.SIG_DFL)  # as others end where nobody reads on
    parser = argparse.ArgumentParser(prog="run.py", usage="run.py [OPTIONS] INPUT...", description=__doc__)
    parser.formatter_class, parser.allow_abbrev = argparse.RawDescriptionHelpFormatter, False
    selftest.add_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document with every output as numbers")
    parser.add_argument("--strict", action="store_true", help="do not answer an input larger than was proved")
    parser.add_argument("--batch-size", type=int, metavar="N", help="pictures of equal size that go through together")
    parser.add_argument("--self-test", action="store_true", help="compare files and answers with those of the export")
    options, given = parser.parse_known_args(arguments)
    try:
        manifest = selftest.read_manifest(folder)
        batch = None if options.batch_size is None else "batch"
        if batch and batch not in [record["name"] for record in manifest.get("variants", ())]:
            target = manifest["lineage"]["target"] or "TARGET"
            raise selftest.Refused(
                f"this bundle has no pipeline for batches; zoo export {target} --onnx --batch adds one"
            )
        options.record = about = selftest.chosen(manifest, options.variant or batch)
        if batch and about["name"] != batch:
            raise selftest.Refused(f"the variant {about['name']} takes one picture at a time; leave --batch-size out")
        session = selftest.opener(folder, manifest, options)
        if options.self_test and not given:
            return int(selftest.self_test(folder, manifest, about, session))
        graph = "pipeline.onnx" if about is manifest else f"variants/{about['name']}/pipeline.onnx"
        return answer(options, given, manifest, lambda: session(graph), selftest)
    except selftest.Refused as error:
        print(selftest.plain(str(error)), file=sys.stderr)
        return 2


def answer(options: Any, given: list[str], manifest: Mapping[str, Any], load: Callable[[], Run], selftest: Any) -> int:
    """Print the answers to what is given; the exit code."""
    task = selftest.module("task")
    problem = {**manifest["problem"], "classes": [c.replace("\n", r"\n") for c in manifest["problem"]["classes"]]}
    inputs = getattr(task, "choose", lambda chosen, _: chosen)(given, problem)
    if options.self_test or not inputs or inputs[0].startswith("-"):
        wrong = f"\n{' '.join(given)}: there is no input, or no such option" if given else ""
        raise selftest.Refused(f"{__doc__}{wrong}")
    answering = Answering(selftest, task, manifest, problem, options)
    if options.json:
        answers = answering.document(load(), inputs)
        print(json.dumps({"model": manifest["model"], "variant": options.variant, "answers": answers}))
    else:
        answering.show(load(), inputs)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
