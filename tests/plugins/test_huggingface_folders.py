"""What others have trained: folders of transformers answer in zoo as they do in the library, or say why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from skimage import data as photographs

import zoo
from tests.data.text.subword.tokenizers_of_all_kinds import byte_level_bpe
from tests.models.weights.local_hub import LocalHub, running_hub
from zoo import BadFile

transformers = pytest.importorskip("transformers")

from zoo_huggingface.cards import cards  # noqa: E402

NAMES = {"id2label": {0: "cat", 1: "dog", 2: "bird"}, "label2id": {"cat": 0, "dog": 1, "bird": 2}}
SCENE = {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 96, "width": 96}}


ASTRONAUT = photographs.astronaut()  # type: ignore[no-untyped-call]


def saved(card: str, kind: str, folder: Path, processor: dict[str, Any]) -> Any:
    """A random network of a card, as the library saves it; and the network."""
    torch.manual_seed(5)
    config = transformers.AutoConfig.for_model(cards()[card]["family"], **cards()[card]["config"], **NAMES)
    network = getattr(transformers, kind).from_config(config).eval()
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return network


def probabilities(answer: Any) -> dict[str, float]:
    """Of an answer, by class."""
    return {row["name"]: row["probability"] for row in answer.shown.record["classes"]}


@pytest.fixture
def vit(tmp_path: Path) -> Path:
    """A small ViT."""
    processor = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
    saved("vit_micro", "AutoModelForImageClassification", tmp_path / "vit", processor)
    return tmp_path / "vit"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(ASTRONAUT).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_classifier_of_pictures_answers_as_in_the_library(vit: Path, photo: Path) -> None:
    (answer,) = zoo.predict(f"image_classifier@{vit}", [photo])
    processor = transformers.ViTImageProcessor.from_pretrained(vit)
    network = transformers.ViTForImageClassification.from_pretrained(vit).eval()
    with torch.no_grad():
        logits = network(**processor(images=ASTRONAUT, return_tensors="pt")).logits
    expected = dict(zip(("cat", "dog", "bird"), logits.softmax(-1)[0].tolist(), strict=True))
    assert probabilities(answer) == pytest.approx(expected, abs=1e-3)


def test_a_named_model_starts_from_a_folder_with_a_new_head(vit: Path) -> None:
    network = transformers.ViTForImageClassification.from_pretrained(vit)
    model = zoo.create_model("vit_micro", weights=str(vit), num_classes=7)
    own, other = model.state_dict(), network.state_dict()
    assert torch.equal(own["network.vit.embeddings.cls_token"], other["vit.embeddings.cls_token"])
    assert own["network.classifier.weight"].shape == (7, 32)
    same = zoo.create_model("vit_micro", weights=str(vit))
    assert torch.equal(same.state_dict()["network.classifier.weight"], other["classifier.weight"])


def test_detectors_and_segmenters_answer_as_in_the_library(tmp_path: Path) -> None:
    detr = saved("detr_micro", "AutoModelForObjectDetection", tmp_path / "detr", SCENE)
    segformer = saved("segformer_micro", "AutoModelForSemanticSegmentation", tmp_path / "segformer", SCENE)
    pixels = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        logits, boxes = zoo.create_model("detector", weights=str(tmp_path / "detr")).eval()(pixels)
        expected = detr(pixels)
        assert torch.allclose(logits, expected.logits, atol=1e-5)
        assert torch.allclose(boxes, expected.pred_boxes, atol=1e-5)
        scores = zoo.create_model("segmenter", weights=str(tmp_path / "segformer")).eval()(pixels)
        raw = segformer(pixels).logits
    assert scores.shape == (2, 3, 96, 96)
    assert torch.allclose(scores, torch.nn.functional.interpolate(raw, (96, 96), mode="bilinear"), atol=1e-5)


@pytest.fixture
def roberta(tmp_path: Path) -> Path:
    """A small RoBERTa with its own head and a byte-level BPE."""
    torch.manual_seed(5)
    tokenizer = byte_level_bpe()
    size = tokenizer.get_vocab_size()
    config = {**cards()["roberta_micro"]["config"], **NAMES, "vocab_size": size, "pad_token_id": 3}
    network = transformers.RobertaForSequenceClassification(transformers.RobertaConfig(**config)).eval()
    network.save_pretrained(tmp_path / "roberta")
    tokenizer.save(str(tmp_path / "roberta" / "tokenizer.json"))
    return tmp_path / "roberta"


def test_a_classifier_of_texts_answers_as_in_the_library(roberta: Path) -> None:
    texts = ["Don't stop", "北京市 😀 x", "a  b\n c <mask>"]
    answers = zoo.predict(f"text_classifier@{roberta}", texts)
    tokenizer, network = byte_level_bpe(), transformers.RobertaForSequenceClassification.from_pretrained(roberta)
    for text, answer in zip(texts, answers, strict=True):
        with torch.no_grad():
            logits = network.eval()(input_ids=torch.tensor([tokenizer.encode(text).ids])).logits
        expected = dict(zip(("cat", "dog", "bird"), logits.softmax(-1)[0].tolist(), strict=True))
        assert probabilities(answer) == pytest.approx(expected, abs=1e-5)


def test_an_encoder_with_a_bpe_learns_and_its_run_answers(roberta: Path, tmp_path: Path) -> None:
    rows = [f"{'the cats' if at % 2 else 'zebra'} {at},{'xy'[at % 2]}" for at in range(40)]
    (tmp_path / "data.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    run = zoo.train(
        "encoder", data=tmp_path / "data.csv", weights=roberta, epochs=1, output=tmp_path / "run", threads=1
    )
    assert isinstance(run.problem.input, zoo.TokenInput)
    assert run.problem.input.unit == "subword"
    (answer,) = zoo.predict(run.path, ["the cats 3"])
    assert answer.shown is not None
    assert answer.shown.record["text"] == "the cats 3"


def _other_width(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 64}))


def _more_layers(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))


def _unknown_family(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "nonsense"}))


def _classes(labels: object) -> Callable[[Path], None]:
    return lambda folder: _changed(folder, id2label=labels)


def _changed(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def _split(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")


def _other_code(folder: Path) -> None:
    _changed(folder, auto_map={"AutoModel": "modeling_mine.Model"})
    (folder / "modeling_mine.py").write_text("raise SystemExit(7)\n")


def _broken_file(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"nonsense")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_other_width, "has other shapes than its config.json says"),
        (_more_layers, "lacks vit"),
        (_unknown_family, "is of the family 'nonsense', which the installed transformers does not have"),
        (_other_code, "zoo runs no code from files"),
        (_split, "has its parameters in several files"),
        (_broken_file, "cannot be read as its config.json says"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "nobody knows how its pictures are prepared"),
        (lambda folder: (folder / "model.safetensors").unlink(), "zoo reads none"),
    ],
)
def test_a_folder_that_does_not_fit_together_is_one_sentence(
    vit: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(vit)
    with pytest.raises(BadFile, match=sentence) as error:
        zoo.create_model("vit_micro", weights=str(vit), num_classes=3)
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_classes(["cat", "dog"]), "does not number its classes"),
        (_classes({"first": "cat"}), "does not number its classes"),
        (_classes({"0": "cat", "2": "dog"}), "does not number its classes"),
        (lambda folder: _changed(folder, hidden_size=-1), "no vit has this configuration: Trying to create tensor"),
        (lambda folder: _changed(folder, hidden_size="many"), "no vit has this configuration"),
        (lambda folder: _changed(folder, model_type="t5"), "no t5 has this configuration"),
    ],
)
def test_a_whole_model_that_cannot_be_built_is_one_sentence(
    vit: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(vit)
    with pytest.raises(BadFile, match=sentence) as error:
        zoo.create_model("image_classifier", weights=str(vit))
    assert "\n" not in error.value.message


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(zoo.UnknownName, match="there are no weights 'nofolder' for image_classifier"):
        zoo.predict("image_classifier@nofolder", ["photo.png"])


def test_a_family_that_the_library_does_not_have_is_named(vit: Path) -> None:
    _unknown_family(vit)
    with pytest.raises(BadFile, match="is of the family 'nonsense', which the installed transformers does not have"):
        zoo.create_model("image_classifier", weights=str(vit))


@pytest.mark.slow
def test_a_name_on_the_hub_is_a_whole_model(vit: Path, photo: Path) -> None:
    files = {path.name: path.read_bytes() for path in vit.iterdir()}
    code = "import sys; from zoo.cli import main; sys.exit(main())"
    with running_hub(LocalHub({"me/vit": files, "me/locked": files}, gated=("me/locked",))) as hub:
        environment = {**os.environ, "HF_HOME": str(vit / "hub"), "HF_ENDPOINT": hub.address}
        answers = []
        for name in ("me/vit", "me/locked", "me/none"):
            command = [sys.executable, "-c", code, "predict", f"hf-hub:{name}", str(photo), "--json"]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            answers.append((done.returncode, json.loads(done.stdout)))
    assert answers[0][0] == 0, answers[0]
    assert answers[1][0] == 2
    assert "accepted its licence" in answers[1][1]["error"]["message"]
    assert "no repository me/none" in answers[2][1]["error"]["message"]
