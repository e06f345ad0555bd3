from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from zoo.data.audio.mu_law import SILENCE, read_wave, to_codes, to_signal, wave_bytes


def riff(kind: int, bits: int, data: bytes, *, channels: int = 1, extensible: bool = False, promised: int = 0) -> bytes:
    """A wav file of any kind, written by hand."""
    block = channels * bits // 8
    facts = struct.pack("<HIIHH", channels, 8000, 8000 * block, block, bits)
    head = struct.pack("<H", 0xFFFE if extensible else kind) + facts
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 0, kind) + bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", promised or len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_codes_are_those_of_mu_law() -> None:
    signal = np.array([-2.0, -1.0, -0.5, -0.01, 0.0, 0.01, 0.5, 1.0, 2.0])
    assert to_codes(signal).tolist() == [0, 0, 16, 98, 128, 157, 239, 255, 255]
    assert int(to_codes(np.zeros(1))[0]) == SILENCE
    assert to_signal(np.array([0, 255])).tolist() == pytest.approx([-1.0, 1.0])
    assert to_signal(np.array([127, 128])).tolist() == pytest.approx([-8.6205e-5, 8.6205e-5], rel=1e-3)


def test_every_code_comes_back() -> None:
    codes = np.arange(256)
    assert to_codes(to_signal(codes)).tolist() == codes.tolist()
    assert np.all(np.diff(to_signal(codes)) > 0)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    signal = np.array([0.0, 0.25, -1.0, 1.0])
    (tmp_path / "a.wav").write_bytes(wave_bytes(signal, 11025))
    rate, found = read_wave(tmp_path / "a.wav")
    assert rate == 11025
    assert found == pytest.approx(signal * 32767 / 32768, abs=2**-16)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    ("bits", "data"),
    [
        (8, bytes([0, 64, 128, 192])),
        (16, struct.pack("<4h", -(2**15), -(2**14), 0, 2**14)),
        (24, b"".join(value.to_bytes(3, "little", signed=True) for value in (-(2**23), -(2**22), 0, 2**22))),
        (32, struct.pack("<4i", -(2**31), -(2**30), 0, 2**30)),
    ],
)
def test_every_width_of_pcm_is_read(tmp_path: Path, bits: int, data: bytes, extensible: bool) -> None:
    (tmp_path / "a.wav").write_bytes(riff(1, bits, data, extensible=extensible))
    assert read_wave(tmp_path / "a.wav")[1].tolist() == [-1.0, -0.5, 0.0, 0.5]


def test_of_two_channels_the_mean_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(riff(1, 16, struct.pack("<4h", 2**14, 0, -(2**14), -(2**14)), channels=2))
    assert read_wave(tmp_path / "a.wav")[1].tolist() == [0.25, -0.5]


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("bits", "form"), [(32, "<4f"), (64, "<4d")])
def test_floating_point_is_read(tmp_path: Path, bits: int, form: str, extensible: bool) -> None:
    (tmp_path / "a.wav").write_bytes(riff(3, bits, struct.pack(form, -1.0, -0.5, 0.0, 0.5), extensible=extensible))
    assert read_wave(tmp_path / "a.wav")[1].tolist() == [-1.0, -0.5, 0.0, 0.5]


@pytest.mark.parametrize("promised", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_what_a_pipe_wrote_is_read_to_its_end(tmp_path: Path, promised: int) -> None:
    data = struct.pack("<4h", -(2**15), 0, 2**14, 0)
    (tmp_path / "a.wav").write_bytes(riff(1, 16, data, promised=promised))
    assert read_wave(tmp_path / "a.wav")[1].tolist() == [-1.0, 0.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "cut off"),
        (b"ID3 this is an mp3 and no wav file at all, whatever it is called", "RIFF"),
        (riff(3, 32, struct.pack("<4f", 0, 1, float("nan"), 0)), "not finite"),
        (riff(7, 8, bytes(16)), "mu-law"),
        (riff(1, 16, bytes(16), promised=160), "cut off: 16 of 160 bytes"),
        (riff(1, 16, bytes(16))[:20], "cut off|fmt"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "a.wav").write_bytes(raw)
    with pytest.raises(ValueError, match=said):
        read_wave(tmp_path / "a.wav")


def test_the_standard_library_reads_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wave_bytes(np.zeros(5), 8000))
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels(), file.getsampwidth()) == (5, 8000, 1, 2)
