"""Videos frame by frame, decoded by PyAV, which the extra `video` installs.  Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.errors import BadFile, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image


def check_video_reader(path: Path | str) -> None:
    """MissingExtra where videos cannot be read."""
    if find_spec("av") is None:
        raise MissingExtra(
            f"{path} is a video, and reading videos needs the package av",
            hint='pip install "edgezoo[video]" (with libx264 and libx265, GPL)',
        )


def video_frames(path: Path, *, every: int = 1) -> Iterator[tuple[int, Image]]:
    """The number of each frame, counted from 1, and its picture, upright; of every so many frames the first.

    MissingExtra without PyAV, BadFile for what holds no video that it can decode.
    """
    check_video_reader(path)
    import av  # noqa: PLC0415  an extra

    count = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadFile(f"{path} holds no video")
            for index, frame in enumerate(container.decode(video=0)):
                count = index + 1
                if index % every == 0:
                    yield count, _upright(frame)
    except av.FFmpegError as error:
        after = f" after frame {count}" if count else ""
        raise BadFile(f"{path} cannot be read as a video{after}: {error.strerror or error}") from error
    if not count:
        raise BadFile(f"{path} holds no frame")


def _upright(frame: Any) -> Image:
    """The frame as the camera was held."""
    picture: Image = frame.to_image()
    turn = int(getattr(frame, "rotation", 0) or 0) % 360
    return picture.rotate(turn, expand=True) if turn else picture
