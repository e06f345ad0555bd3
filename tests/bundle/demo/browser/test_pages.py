"""Every task's page in headless Chromium: the proof is replayed, and the answers are those of zoo itself.

Five minutes on two cores, most of them for ten exports.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from tests.bundle.demo.browser.conftest import Visit, file_step
from zoo.data.audio.mu_law import wave_bytes

pytestmark = pytest.mark.ci

PICTURES = Path(__file__).parents[4] / "docs" / "pictures"
SEVEN, SCENE = PICTURES / "seven.png", PICTURES / "scene.png"
Bundles = Callable[[str], Path]


def record(bundle: Path, given: object, **options: Any) -> Any:
    """The answer of zoo itself, from the same bundle."""
    return zoo.predict(bundle, given, **options)[0].record()


def replayed(seen: Any) -> None:
    assert seen["errors"] == []
    assert seen["proof"] == "pass"
    assert re.fullmatch(
        r"Replayed here: this browser gives all \d recorded answers, within the tolerances of the proof\.",
        seen["verdict"],
    )


def test_a_dropped_digit_is_classified(visit: Visit, bundles: Bundles) -> None:
    seen = visit("cnn@digits", file_step("drop", SEVEN, "image/png"), {"until": "^7, "})
    replayed(seen)
    best = record(bundles("cnn@digits"), SEVEN)["classes"][0]
    assert seen["status"] == f"{best['name']}, with a probability of {100 * best['probability']:.1f} %."


def test_a_digit_is_drawn_by_mouse_and_by_keyboard(visit: Visit) -> None:
    one = [[0.5, 0.15], [0.5, 0.85]]
    seen = visit("cnn@digits", {"draw": one}, {"until": "^1, "})
    replayed(seen)
    keys = [*["Shift+ArrowUp"] * 9, *["ArrowDown"] * 18]
    assert visit("cnn@digits", {"keys": keys}, {"until": "^1, "})["errors"] == []


def test_a_camera_is_watched_and_stopped(visit: Visit) -> None:
    steps = [
        {"click": "Use the camera"},
        {"until": "probability"},
        {"click": "Stop the camera"},
        {"click": "Use the camera"},
    ]
    replayed(visit("cnn@digits", *steps))


def test_a_chosen_scene_has_its_boxes(visit: Visit, bundles: Bundles) -> None:
    detections = record(bundles("yolo_nano@digit_scenes"), SCENE)["detections"]
    labels = ", ".join(row["label"] for row in detections)
    sentence = f"{len(detections)} found: {labels}."
    seen = visit(
        "yolo_nano@digit_scenes", file_step("choose", SCENE, "image/png"), {"until": f"^{re.escape(sentence)}$"}
    )
    replayed(seen)
    first = next(line for line in seen["answer"].splitlines() if " at " in line)
    assert first.startswith(f"{detections[0]['label']} at ")


def test_a_dropped_scene_is_segmented(visit: Visit, bundles: Bundles) -> None:
    classes = record(bundles("fcn_tiny@digit_scenes"), SCENE)["classes"]
    sentence = f"{len(classes)} classes; background on {100 * classes[0]['share']:.1f} %."
    seen = visit("fcn_tiny@digit_scenes", file_step("drop", SCENE, "image/png"), {"until": f"^{re.escape(sentence)}$"})
    replayed(seen)


def test_a_dropped_digit_is_given_back(visit: Visit) -> None:
    seen = visit("conv_autoencoder@digits", file_step("drop", SEVEN, "image/png"), {"until": "28 by 28"})
    replayed(seen)
    assert seen["canvases"] == 2


def test_two_faces_are_compared(visit: Visit, bundles: Bundles) -> None:
    bundle = bundles("facenet_tiny@digits")
    first, second = (np.array(record(bundle, path)["embedding"]) for path in (SEVEN, SCENE))
    steps = [{"click": "Forget these pictures"}, file_step("drop", SEVEN, "image/png"), {"until": "^One picture"}]
    steps += [file_step("drop", SCENE, "image/png"), {"until": "^Most like picture 1"}]
    seen = visit("facenet_tiny@digits", *steps)
    replayed(seen)
    assert f"similarity {first @ second:.3f}" in seen["status"]


def test_pictures_are_made_from_a_seed(visit: Visit) -> None:
    steps = [{"fill": ["Pictures", 3]}, {"click": "Make pictures"}, {"until": "^3 pictures of 28 by 28 pixels"}]
    seen = visit("dcgan@digits", *steps)
    replayed(seen)
    assert seen["canvases"] == 3


@pytest.mark.parametrize("weights", ["gru@names", "bert_tiny@names"])
def test_a_text_is_classified(visit: Visit, bundles: Bundles, weights: str, tmp_path: Path) -> None:
    text, file = "Łódź Gdańsk", tmp_path / "ada.txt"
    file.write_text("\N{ZERO WIDTH NO-BREAK SPACE}Ada Lovelace", encoding="utf-8")
    best = [record(bundles(weights), given)["classes"][0] for given in (text, "Ada Lovelace")]
    wanted = [f"{row['name']}, with a probability of {100 * row['probability']:.1f} %." for row in best]
    steps = [{"fill": ["Your text", text]}, {"until": re.escape(wanted[0])}]
    steps += [file_step("drop", file, "text/plain"), {"until": re.escape(wanted[1])}]
    replayed(visit(weights, *steps))


def test_texts_are_compared(visit: Visit, bundles: Bundles) -> None:
    bundle = bundles("sentence_bert_tiny")
    ada, grace = (np.array(record(bundle, text)["embedding"]) for text in ("Ada Lovelace", "Grace Hopper"))
    steps = [
        {"fill": ["Your texts, one a line", "Ada Lovelace\nGrace Hopper"]},
        {"until": "Ada Lovelace and Grace Hopper"},
    ]
    seen = visit("sentence_bert_tiny", *steps)
    replayed(seen)
    assert f"similarity {ada @ grace:.3f}." in seen["status"]


def test_the_likeliest_text_is_the_one_that_zoo_writes(visit: Visit, bundles: Bundles) -> None:
    text = record(bundles("gru_lm@names"), "Ber", settings={"temperature": 0, "length": 40})["text"]
    steps: list[dict[str, Any]] = [{"fill": ["The beginning", "Ber"]}, {"fill": ["Length", 40]}]
    steps += [{"fill": ["Temperature", 0]}, {"click": "Write on"}, {"until": "^Written"}]
    seen = visit("gru_lm@names", *steps)
    replayed(seen)
    assert seen["answer"] == text


def test_a_sound_goes_on_from_a_dropped_one(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "tone.wav"
    file.write_bytes(wave_bytes(np.sin(np.arange(400) / 9) / 2, 8000))
    steps = [
        file_step("drop", file, "audio/wav"),
        {"fill": ["Seconds", 0.1]},
        {"click": "Make sound"},
        {"until": "of sound"},
    ]
    seen = visit("wavenet_tiny@tones", *steps)
    replayed(seen)
    assert seen["status"].startswith("0.15 s of sound at 8000 Hz")
    assert seen["sound"].startswith("blob:")


def test_a_variant_replays_its_own_answers(visit: Visit, bundles: Bundles, tmp_path: Path) -> None:
    bundle = tmp_path / "cnn"
    assert zoo.export("cnn@digits", output=bundle, variants=("int8",), evaluate=300, keep_anyway=True).published
    seen = visit(bundle, file_step("drop", SEVEN, "image/png"), {"until": "^7, "}, variant="int8")
    assert (seen["errors"], seen["verdict"].endswith("within the tolerances of the proof.")) == ([], True)


# --- what goes wrong --------------------------------------------------------------------------------


def test_a_file_that_is_no_picture_is_a_sentence(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no picture")
    seen = visit("cnn@digits", file_step("drop", file, "text/plain"), {"until": "no picture that"})
    assert seen["status"] == "notes.txt is no picture that this browser can read."


@pytest.mark.parametrize(
    ("without", "words"), [("WebAssembly", "needs WebAssembly"), ("DecompressionStream", "of 2023")]
)
def test_an_old_browser_is_told_in_one_sentence(visit: Visit, without: str, words: str) -> None:
    seen = visit("cnn@digits", without=[without])
    assert words in seen["verdict"]
    assert (seen["proof"], seen["errors"], seen["status"]) == ("none", [], "")


def test_answers_that_differ_fail_the_replay(visit: Visit) -> None:
    def narrowed(page: str) -> str:
        return re.sub(r'"max": [0-9.e-]+', '"max": 1e-30', page)

    seen = visit("cnn@digits", change=narrowed)
    assert seen["proof"] == "fail"
    assert re.match(r"This browser answers otherwise: \d of 5 golden cases are reproduced\.", seen["verdict"])


@pytest.mark.parametrize(
    ("weights", "width", "scheme"),
    [
        ("cnn@digits", 390, "dark"),
        ("cnn@digits", 1440, "light"),
        ("yolo_nano@digit_scenes", 390, "light"),
        ("facenet_tiny@digits", 1440, "dark"),
        ("gru_lm@names", 390, "light"),
        ("wavenet_tiny@tones", 1440, "dark"),
    ],
)
def test_everybody_can_use_the_page(visit: Visit, npm: Path, weights: str, width: int, scheme: str) -> None:
    axe = str(npm / "node_modules" / "axe-core" / "axe.min.js")
    seen = visit(weights, width=width, scheme=scheme, axe=axe)
    assert seen["violations"] == []
    assert not seen["sideways"]
