"""What `--weights` means to the library's models: a folder, or `hf:ID[@REVISION]` on its hub; torch-free.

`find` takes whatever a folder holds, the architecture included; the others take the weights of a model that is named.
"""

from __future__ import annotations

from typing import Any, Final

from zoo import BadFile, TokenInput, WeightsSource
from zoo_huggingface.folders import Folder, find_folder, kind_of
from zoo_huggingface.processors import Prepared, prepared
from zoo_huggingface.tokenizers_of_folders import longest, read_tokenizer

PICTURES: Final = {
    "ImageClassification": "image_classifier",
    "ImageClassificationWithTeacher": "image_classifier",
    "ObjectDetection": "detector",
    "SemanticSegmentation": "segmenter",
}
"""The model of the plugin, by what a configuration says that its network does."""
TEXTS: Final = "SequenceClassification"


def find(text: str) -> WeightsSource | None:
    """A whole model with its classes; None for what is none, BadFile where zoo cannot take it as it is."""
    folder = find_folder(text)
    if folder is None:
        return None
    architecture = folder.architecture()
    kind = kind_of(architecture)
    if kind in PICTURES:
        return _picture(folder, architecture, model=f"huggingface/{PICTURES[kind]}")
    if kind == TEXTS:
        return _text(folder, architecture, model="huggingface/text_classifier")
    if folder.has("modules.json") or folder.has("sentence_bert_config.json"):
        return _text(folder, architecture, model="huggingface/sentence_encoder")
    if folder.has("preprocessor_config.json") and not folder.has("tokenizer.json"):
        return _picture(folder, architecture, model="huggingface/image_classifier")  # without a head
    raise BadFile(
        f"{folder.name} is a {(architecture.get('architectures') or ['network'])[0]}, which answers nothing by itself",
        hint=f"train with it: zoo train encoder --weights {text} --data ...",
    )


def text_encoder(text: str) -> WeightsSource | None:
    """The encoder in a folder or on the hub, for a new head or for embeddings."""
    folder = find_folder(text)
    if folder is None:
        return None
    return _text(folder, folder.architecture(), model="")


def picture_network(text: str) -> WeightsSource | None:
    """The weights of a network for pictures that is named beside them."""
    folder = find_folder(text)
    if folder is None:
        return None
    return _picture(folder, folder.architecture(), model="")


def _text(folder: Folder, architecture: dict[str, Any], *, model: str) -> WeightsSource:
    weights = folder.weights()
    vocabulary, rules, unit = read_tokenizer(folder)
    width = next((architecture[key] for key in ("hidden_size", "dim", "d_model", "emb_dim") if key in architecture), 0)
    whole = model.endswith("text_classifier")
    return WeightsSource(
        name=folder.name,
        model=model,
        classes=folder.classes() if whole else (),
        vocabulary=vocabulary,
        input=TokenInput(max_length=longest(folder, architecture), unit=unit, embedding=width),
        facts={"tokenizer": rules, "architecture": architecture},
        licence=folder.licence(),
        reader=f"zoo_huggingface.reading:{'classifier' if whole else 'encoder'}_state",
        file=weights,
    )


def _picture(folder: Folder, architecture: dict[str, Any], *, model: str) -> WeightsSource:
    weights = folder.weights()
    kind = kind_of(architecture)
    made = _prepared(folder, architecture)
    return WeightsSource(
        name=folder.name,
        model=model,
        classes=folder.classes() if kind in PICTURES else (),
        input=made.input,
        facts={"architecture": architecture | ({"bgr": True} if made.bgr else {})} if model else {},
        licence=folder.licence(),
        reader="zoo_huggingface.reading:picture_state",
        file=weights,
        notes=made.notes,
    )


def _prepared(folder: Folder, architecture: dict[str, Any]) -> Prepared:
    if not folder.has("preprocessor_config.json"):
        raise BadFile(
            f"{folder.path} has no preprocessor_config.json, so nobody knows how its pictures are prepared",
            hint="save it beside the weights with the processor's save_pretrained",
        )
    size = architecture.get("image_size")
    side = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list) else None
    where = str(folder.path / "preprocessor_config.json")
    return prepared(folder.json("preprocessor_config.json"), where=where, side=side)
