"""Opens the sources that `data` names: `KIND:PATH`, a path, or `scenes:key=value,...`."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfflow.data.chairs import open_chairs
from tfflow.data.damage import ON_ERROR, Skipping
from tfflow.data.frames import open_frames
from tfflow.data.hd1k import open_hd1k
from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.data.kitti import open_kitti, open_multiview
from tfflow.data.middlebury import open_middlebury
from tfflow.data.own import as_source
from tfflow.data.pairs import open_pairs
from tfflow.data.records import Sample, Source
from tfflow.data.sintel import open_sintel
from tfflow.data.spring import open_spring
from tfflow.data.things import open_things
from tfflow.data.video import open_video
from tfflow.data.viper import open_viper
from tfflow.errors import InputError, unknown_name
from tfflow.registry import Registry

if TYPE_CHECKING:
    from tfflow.data.scenes import Scenes

Opener = Callable[[Path, str, str], Source]  # (path, name of the source, on_error)

_BUILT_IN: dict[str, Opener] = {
    "chairs": open_chairs,
    "chairs-train": partial(open_chairs, split="train"),
    "chairs-val": partial(open_chairs, split="val"),
    "sintel-clean": partial(open_sintel, rendering="clean"),
    "sintel-final": partial(open_sintel, rendering="final"),
    "kitti2012": partial(open_kitti, year="2012"),
    "kitti2015": partial(open_kitti, year="2015"),
    "kitti-multiview": open_multiview,
    "middlebury": open_middlebury,
    "things-clean": open_things,
    "things-final": partial(open_things, rendering="final"),
    "things-test": partial(open_things, part="TEST"),
    "hd1k": open_hd1k,
    "spring": open_spring,
    "viper": open_viper,
    "viper-val": partial(open_viper, part="val"),
    "pairs": open_pairs,
    "frames": open_frames,
    "frames-nocuts": partial(open_frames, cuts=False),
    "video": open_video,
    "video-nocuts": partial(open_video, cuts=False),
}
KINDS: Registry[Opener] = Registry("kind of data", _BUILT_IN)
"""All kinds by name, including registered ones."""
DESCRIPTIONS = {
    "video, video-nocuts": "a video file",
    "frames, frames-nocuts": "a folder of images in natural order (2 before 10), or a folder of such folders",
    "scenes": "the built-in scenes, with exact flow; no files",
    "pairs": "a list or a pattern of image pairs, with or without flow",
    "chairs, chairs-train, chairs-val": "Flying Chairs",
    "sintel-clean, sintel-final": "MPI-Sintel",
    "kitti2012, kitti2015, kitti-multiview": "KITTI",
    "middlebury": "Middlebury",
    "things-clean, things-final, things-test": "FlyingThings3D",
    "hd1k": "HD1K",
    "spring": "Spring",
    "viper, viper-val": "VIPER",
}
"""The kinds of this package and what each reads, in the order of a list for users."""
PLAIN = ("frames", "frames-nocuts", "video", "video-nocuts")
"""Kinds of frames without ground truth. Those with "-nocuts" do not search for shot cuts."""
SCENES = "scenes"  # the only kind without files


def described_kinds() -> dict[str, str]:
    """Kinds, with commas -> what they read; registered ones at the end."""
    own = [kind for kind in KINDS if kind not in _BUILT_IN]
    return DESCRIPTIONS | dict.fromkeys(own, "your own")


def register_data(kind: str, opener: Callable[[Path], Any]) -> None:
    """Registers a data set of your own for every function and command: `data="mine:PATH"`, `--data mine:PATH`.

        class Mine:
            def __init__(self, path): self.files = sorted(path.glob("*.npz"))
            def __len__(self): return len(self.files)
            def sample(self, index): return dict(np.load(self.files[index]))     # image1, image2, and flow12 if known

        tfflow.register_data("mine", Mine)

    opener: called with the path; returns what `tfflow.data.own.as_source` takes.
    Raises InputError if another kind has the name.
    """
    if kind == SCENES:
        raise InputError(f"a kind of data called {kind!r} is known already: choose another name")
    KINDS.register(kind, _Own(opener))


@dataclasses.dataclass(frozen=True)
class _Own:
    """A user's opener, with the arguments of the built-in ones."""

    opener: Callable[[Path], Any]

    def __call__(self, path: Path, name: str, on_error: str = "stop") -> Source:
        return as_source(self.opener(path), name)


def open_sources(data: Any, on_error: str = "stop") -> list[Source]:
    """The sources that `data` names. data: None, an argument of `open_any`, or a list or tuple of them."""
    given = list(data) if isinstance(data, list | tuple) else [] if data is None else [data]
    return [open_any(one, on_error) for one in given]


def open_any(data: Any, on_error: str = "stop") -> Source:
    """The source of "KIND:PATH", of a path, or of an object (`as_source`)."""
    if isinstance(data, str | os.PathLike):
        return open_source(os.fspath(data), on_error)
    source = as_source(data)
    return Skipping(source) if on_error == "skip" and not isinstance(source, Skipping) else source


def open_source(spec: str, on_error: str = "stop") -> Source:
    """The source that `spec` names: "KIND:PATH", a folder of frames, a video file, or "scenes[:key=value,...]".

    on_error: "stop" raises InputError for a damaged file. "skip" warns and takes the next good sample (`Skipping`).
    Raises InputError for a missing path, an empty folder, an unknown kind or an unknown setting.
    """
    if on_error not in ON_ERROR:
        raise unknown_name("way to treat errors", on_error, ON_ERROR)
    kind, colon, rest = spec.partition(":")
    if kind == SCENES:
        scenes = open_scenes(rest)
        scenes.name = spec
        return scenes
    if kind in KINDS and colon:
        if not rest:
            raise InputError(f"'{spec}' names no path: expected {kind}:PATH")
        source = KINDS[kind](Path(rest).expanduser(), spec, on_error)
    else:
        source = _open_bare(spec, on_error)
    return Skipping(source) if on_error == "skip" else source


def each_sample(source: Source) -> Iterator[tuple[str, Sample]]:
    """(record name, sample) of every record once, in order. If `source` is Skipping, without the damaged ones."""
    for index in range(len(source)):
        if not isinstance(source, Skipping):
            yield source.record_name(index), source.sample(index)
            continue
        used, sample = source.find(index)
        if used == index:
            yield source.record_name(index), sample


def _open_bare(spec: str, on_error: str) -> Source:
    if not spec.strip():
        raise InputError("no data is named: expected KIND:PATH, a folder of frames or a video")
    path = Path(spec).expanduser()
    kind, colon, _ = spec.partition(":")
    if path.is_dir():
        return open_frames(path, spec, on_error)
    if path.exists():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            raise InputError(f"'{spec}' is one image: expected a folder of frames, a video, or KIND:PATH")
        return open_video(path, spec, on_error)
    named = colon and len(kind) > 1 and not set(kind) & set("/\\.~")  # one letter is a Windows drive
    if named or (not colon and difflib.get_close_matches(kind, [*KINDS, SCENES], n=1, cutoff=0.7)):
        if kind in KINDS:
            raise InputError(f"'{spec}' names no path: expected {kind}:PATH")
        raise unknown_name("kind of data", kind, [*KINDS, SCENES])
    raise InputError(f"no such file or folder: '{spec}'; check the path, or see `tfflow data` for KIND:PATH")


def open_scenes(settings: str = "", **arguments: Any) -> Scenes:
    """Built-in scenes.

    settings: "preset=mixed,size=192x256,count=64,seed=1,textures=FOLDER,noise=0.1,...": a preset, arguments of
    `Scenes`, and settings that replace those of the preset. arguments: of `Scenes`, unless `settings` has them.
    """
    from tfflow.data.scenes import (
        Scenes,
        SceneSettings,
        preset,
    )  # imported on demand: a user's own frames do not need it

    spec = f"{SCENES}:{settings}"
    defaults = {field.name: field.default for field in dataclasses.fields(SceneSettings)}
    own: dict[str, Any] = {"size": (192, 256), "count": 0, "seed": 0, "textures": "", "preset": ""}
    given: dict[str, Any] = {}
    for pair in filter(None, settings.split(",")):
        key, equals, text = pair.partition("=")
        if key not in defaults and key not in own:
            raise unknown_name("setting of scenes", key, [*own, *defaults])
        if not equals:
            raise InputError(f"'{spec}': expected {key}=VALUE, got '{pair}'")
        given[key] = _value(spec, key, text, defaults.get(key, own.get(key)))
    arguments |= {key: value for key, value in given.items() if key in own}
    try:
        base = preset(arguments.pop("preset", "default"))
        scene = dataclasses.replace(base, **{key: value for key, value in given.items() if key in defaults})
        return Scenes(settings=scene, **arguments)
    except InputError as error:
        raise InputError(f"'{spec}': {error}") from None


def _value(spec: str, key: str, text: str, default: Any) -> Any:
    """Parses `text` as the type of `default`. Tuples are written as 192x256, pairs as noise:3+cells:1."""
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if isinstance(default, tuple) and isinstance(default[0], tuple):
            return tuple((name, float(weight)) for name, _, weight in (part.partition(":") for part in text.split("+")))
        if isinstance(default, tuple):
            return tuple(type(default[0])(part) for part in text.split("x"))
        return type(default)(text)
    except (ValueError, KeyError):
        shown = "x".join(map(str, default)) if isinstance(default, tuple) else default
        raise InputError(f"'{spec}': {key} cannot be '{text}', expected a value like {shown}") from None
