"""The loop: what is stopped and continued is what was never stopped; what is not finite stops in time."""

from __future__ import annotations

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from tests.training import runs
from tests.training.runs import RATE, THREE, largest_difference, one, run, weights
from tfflow.errors import InputError
from tfflow.losses import Census, Everywhere, LevelEPE, Photometric
from tfflow.losses.objective import Term
from tfflow.recipes import Part, Phase
from tfflow.training.checkpoint import read_state, save_state
from tfflow.training.loop import IDLE, NotFinite
from tfflow.training.step import student_size

pytestmark = pytest.mark.usefixtures("as_command")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    first: dict = {}
    progress, ended, trainer = run(folder, THREE, trainer=lambda recipe: _noting(runs.trainer(recipe), first))
    assert ended
    return folder, progress, trainer, first


def _noting(trainer, notes):
    """The trainer, which notes its rates and the teacher and weights that each phase begins with."""
    begin, apply = trainer.begin, trainer.apply
    notes.update(rates=[], begun=[])

    def noted_begin(phase):
        begin(phase)
        notes["begun"].append(trainer.state())

    def noted_apply(change, rate):
        notes["rates"].append(rate)
        apply(change, rate)

    trainer.begin, trainer.apply = noted_begin, noted_apply
    return trainer


def test_a_run_that_was_stopped_and_continued_is_the_unbroken_run(unbroken, tmp_path):
    """In the middle of each phase, and at the end of the first."""
    folder = tmp_path / "run"
    for stop, number in ((2, signal.SIGINT), (4, signal.SIGTERM), (7, signal.SIGTERM), (10, signal.SIGINT)):
        progress, ended, _ = run(
            folder, THREE, at=lambda step, s=stop, n=number: os.kill(os.getpid(), n) if step == s else None
        )
        assert not ended and progress.step == stop == read_state(folder)[1].step
        assert not (folder / "weights.safetensors").exists()
    progress, ended, _ = run(folder, THREE)
    assert ended and progress.step == 12
    assert largest_difference(weights(folder), weights(unbroken[0])) == 0
    assert (folder / "history.jsonl").read_text() == (unbroken[0] / "history.jsonl").read_text()
    assert progress.scores == unbroken[1].scores
    assert [s["when"] for s in progress.scores] == ["before", "photometric", "census", "distillation"]


def test_steps_after_the_last_save_are_done_again(unbroken, tmp_path):
    """As after a kill: the state of step 1 with the history of step 3 and half a line more."""
    folder, recipe, kept = tmp_path / "run", one(THREE.phases[0]), {}

    def at(step):
        if step == 2:  # every_seconds=0 has saved step 1
            kept["state"] = (folder / "state.safetensors").read_bytes()
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    run(folder, recipe, at=at, every_seconds=0)
    (folder / "state.safetensors").write_bytes(kept["state"])
    with (folder / "history.jsonl").open("a") as f:
        f.write('{"step": 4, "pha')
    assert read_state(folder)[1].step == 1
    run(folder, recipe)
    assert largest_difference(weights(folder), unbroken[3]["begun"][1]["model"]) == 0
    rows = (unbroken[0] / "history.jsonl").read_text().splitlines()
    assert (folder / "history.jsonl").read_text().splitlines() == rows[:2]


def test_history_rows_are_means_of_every_step_since_the_last(unbroken):
    rows = [json.loads(line) for line in (unbroken[0] / "history.jsonl").read_text().splitlines()]
    assert [(r["step"], r["phase"]) for r in rows] == [
        (3, "photometric"), (4, "photometric"), (6, "census"), (8, "census"), (9, "distillation"), (12, "distillation"),
    ]  # fmt: skip
    assert {"photometric", "gradient", "rate"} <= rows[0].keys() and "census" not in rows[0]


def test_rates_follow_each_phase_s_schedule(unbroken):
    assert unbroken[3]["rates"] == [RATE(s) for s in range(4)] * 3
    assert RATE(0) == 5e-3 and RATE(1) == RATE(2) == 1e-2 and RATE(3) == 5e-3


def test_the_teacher_is_the_network_as_the_phase_began_and_stays(unbroken):
    begun, end = unbroken[3]["begun"][2], unbroken[2].state()
    assert largest_difference(begun["teacher"], begun["model"]) == 0
    assert largest_difference(end["teacher"], begun["teacher"]) == 0
    assert largest_difference(end["model"], begun["model"]) > 1e-4


def test_the_optimizer_starts_anew_with_a_phase(unbroken):
    assert all(not np.any(v) for v in unbroken[3]["begun"][1]["optimizer"].values() if v.ndim == 4)
    assert any(np.any(v) for v in unbroken[2].state()["optimizer"].values() if v.ndim == 4)


def test_a_state_restores_weights_teacher_and_optimizer(unbroken, tmp_path):
    groups, _ = read_state(unbroken[0])
    trainer = runs.trainer(THREE, seed=9)
    trainer.restore(groups, THREE.phases[2])
    state = trainer.state()
    assert state.keys() == {"model", "teacher", "optimizer"}
    for group in state:
        assert largest_difference(state[group], groups[group]) == 0


def test_a_run_that_ended_is_only_restored(unbroken):
    before = {p: p.read_bytes() for p in unbroken[0].iterdir() if p.is_file()}
    progress, ended, trainer = run(unbroken[0], THREE, at=lambda step: pytest.fail("a step was done"))
    assert ended and progress.step == 12
    assert largest_difference(trainer.state()["model"], weights(unbroken[0])) == 0
    for name in ("weights.safetensors", "history.jsonl"):
        assert before[unbroken[0] / name] == (unbroken[0] / name).read_bytes()


def test_a_phase_trains_its_own_weights_and_starts_from_copies(tmp_path):
    def level(k, start=()):
        return Phase(f"level {k}", 2, 1.0 * LevelEPE(2 ** (3 - k)), RATE, directions=1, part=Part(f"level{k}_", start))

    recipe = dataclasses.replace(THREE, phases=(level(1), level(2, (("level2_conv", "level1_conv"),))))
    notes: dict = {}
    _, _, trainer = run(
        tmp_path / "run", recipe, data=runs.data(recipe),
        trainer=lambda recipe: _noting(runs.trainer(recipe), notes),
    )  # fmt: skip
    first, second, end = notes["begun"][0]["model"], notes["begun"][1]["model"], trainer.state()["model"]
    changed = {k for k in first if np.any(first[k] != second[k])}
    assert changed == {k for k in first if k.startswith(("level1_", "level2_conv"))}
    assert np.array_equal(second["level2_conv1/kernel"], second["level1_conv1/kernel"])
    assert {k for k in first if np.any(second[k] != end[k])} == {k for k in first if k.startswith("level2_")}


def test_a_recipe_whose_weights_the_network_lacks_is_refused():
    recipe = one(
        Phase("level 7", 2, 1.0 * LevelEPE(1), RATE, directions=1, part=Part("level7_")), name="seven", model="tiny"
    )
    with pytest.raises(InputError, match=r"^seven trains weights named level7_\.\.\. in its phase 'level 7', and tiny"):
        runs.trainer(recipe)


@pytest.mark.parametrize(
    ("crop", "share", "stride", "expected"),
    [
        ((384, 896), 0.7, 64, (256, 640)),
        ((320, 896), 0.7, 32, (224, 640)),
        ((64, 128), 0.9, 32, (32, 96)),
        ((64, 96), 0.1, 32, (32, 32)),
    ],
)
def test_a_student_sees_its_share_in_strides_and_less_than_all(crop, share, stride, expected):
    assert student_size(crop, share, stride) == expected


def test_a_crop_of_one_stride_has_no_student():
    with pytest.raises(ValueError, match="a crop of at least 128 px a side, got 64x192"):
        student_size((64, 192), 0.7, 64)


@dataclasses.dataclass(frozen=True)
class Bright(Term):
    """NaN where the frame is as no scene is."""

    def __call__(self, view):
        return tf.sqrt(0.5 - tf.reduce_mean(view.image1, [1, 2, 3]) + 0.6 + 0 * tf.reduce_mean(view.flow12, [1, 2, 3]))


def _spoil_at(step):
    def spoil(element, at):
        return {**element, "image1": element["image1"] + 2.0} if at == step else element

    return spoil


def test_a_term_that_is_not_finite_stops_with_its_name_and_the_state_before(tmp_path):
    second = Phase("second", 4, 1.0 * Photometric() + 2.0 * Bright(), RATE)
    recipe = one(second)
    with pytest.raises(NotFinite) as error:
        run(tmp_path / "run", recipe, data=runs.data(recipe, spoil=_spoil_at(2)))
    assert str(error.value).startswith("step 3 of phase 'second': term 'bright' is nan; the state before it is kept.")
    assert "\n" not in str(error.value)
    groups, progress = read_state(tmp_path / "run")
    assert progress.step == 2 and progress.phase == 0
    assert all(np.isfinite(x).all() for x in groups["model"].values())
    assert (
        "; the state before it is kept. Repeat the command with a lower `learning_rate`, which goes back to step 0 "
        in (str(error.value))
    )
    progress, ended, _ = run(tmp_path / "run", recipe)  # the damaged frame is mended
    assert ended and progress.step == 4


@dataclasses.dataclass(frozen=True)
class Steep(Term):
    """Finite, with a gradient that is not."""

    def __call__(self, view):
        return tf.reduce_mean(tf.sqrt(tf.maximum(view.flow12 * 0.0, 0.0)), [1, 2, 3])


def test_a_gradient_that_is_not_finite_stops_too(tmp_path):
    recipe = one(Phase("steep", 3, 1.0 * Photometric() + 1.0 * Steep(), RATE))
    with pytest.raises(NotFinite, match=r"^step 1 of phase 'steep': the gradient's norm is nan") as error:
        run(tmp_path / "run", recipe)
    assert "Begin anew with a lower `learning_rate` and another `out` (it began at 0.01), or" in str(error.value)


class Damaged:
    """A source one of whose frames cannot be read."""

    name, truth = "frames:there", frozenset()

    def __len__(self):
        return len(runs.SCENES)

    def record_name(self, index):
        return str(index)

    def sample(self, index):
        if index == 3:
            raise InputError("'frame_3.png' is cut short; replace it")
        return runs.SCENES.sample(index)


def test_a_damaged_file_ends_the_run_with_its_name_and_the_state_kept(tmp_path):
    with pytest.raises(InputError, match=r"^'frame_3\.png' is cut short; replace it$"):
        run(tmp_path / "run", THREE, data=runs.data(THREE, source=Damaged()))
    assert read_state(tmp_path / "run")[1].step < 3  # five samples an epoch, two a step


def test_a_full_disk_keeps_the_state_before(unbroken, tmp_path):
    resource = pytest.importorskip("resource")
    groups, progress = read_state(unbroken[0])
    progress.step = 3
    save_state(tmp_path, groups, progress)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        progress.step = 4
        with pytest.raises(InputError, match=r"the state of step 4 cannot be written to .* the one before it is kept"):
            save_state(tmp_path, groups, progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert read_state(tmp_path)[1].step == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.safetensors"]


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_and_keeps_weights_and_state_in_float32(tmp_path, precision):
    recipe = one(Phase("census", 4, 1.0 * Census(radius=1), RATE))
    _, ended, trainer = run(tmp_path / "run", recipe, trainer=lambda r: runs.trainer(r, precision=precision))
    start = runs.first_weights(recipe, precision=precision)
    assert ended
    assert all(x.dtype == np.float32 for x in trainer.state()["model"].values())
    assert all(np.isfinite(x).all() for x in trainer.state()["model"].values())
    assert largest_difference(start, trainer.state()["model"]) > 1e-3
    again = runs.trainer(recipe, precision=precision, seed=4)
    again.restore(trainer.state(), recipe.phases[0])
    for group, arrays in trainer.state().items():
        assert largest_difference(again.state()[group], arrays) == 0, group


def test_xla_gives_the_same_gradients():
    recipe = one(Phase("census", 3, 1.0 * Census(radius=1), RATE))
    data = runs.data(recipe)
    elements = data(0)
    batch = next(elements)
    data.close()
    results = []
    for xla in (False, True):
        trainer = runs.trainer(recipe, xla=xla)
        trainer.begin(recipe.phases[0])
        results.append(trainer.compute(batch))
    (plain, change, norm), (compiled, change_compiled, norm_compiled) = results
    difference = max(float(tf.reduce_max(tf.abs(a - b))) for a, b in zip(change, change_compiled, strict=True))
    print(f"largest difference of gradients, XLA against not: {difference:.2g} of norm {norm:.2g}")
    assert difference < 1e-5 * norm and norm > 0.01
    assert norm_compiled == pytest.approx(norm, rel=1e-4) and compiled == pytest.approx(plain, rel=1e-5)


class Nowhere:
    """Every pixel is occluded."""

    def __call__(self, flow12, flow21):
        return tf.zeros_like(flow12[..., :1])


@pytest.mark.parametrize(("visibility", "lines"), [(Nowhere(), 1), (Everywhere(), 0)])
def test_a_run_that_has_nothing_left_to_learn_warns_once(visibility, lines, tmp_path, eagerly, capsys):
    """The trivial solution: no pixel is visible, and the loss is 0."""
    recipe = runs.one(Phase("census", 2 * IDLE + 1, 1.0 * Photometric(), RATE, visibility))
    assert runs.run(tmp_path / "run", recipe)[1]
    warned = [line for line in capsys.readouterr().err.splitlines() if "nothing is learned" in line]
    assert len(warned) == lines
    assert not warned or warned[0].startswith(
        f"tfflow: warning: step {IDLE} of phase 'census': for {IDLE} steps every term"
    )
