"""``python -m training demo``: the ideas hold, and the pages say what came of them."""

import re
from math import log

import numpy as np
import pytest

from tests.training.browser import assert_axe_finds_nothing, needs_chromium, opened
from tests.training.commands import refused, run
from tests.training.pages import NUMBER, assert_is_a_good_page, facts_of, shows
from training.demo import DEMOS, depth, names_of, write_demo, xor
from training.demo.animation import SECONDS, Animation
from training.report import drawing
from training.report.drawing import Plot, new_axes

SMALLER = {"xor": (xor, "STARTS", 3), "depth": (depth, "DEPTHS", (1, 2, 3))}  # take longest


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    """Draw PNGs with few dots."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "RESOLUTION", 60)
        yield


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return every demonstration, made once."""
    folder = tmp_path_factory.mktemp("reports")
    return {name: write_demo(name, 0, folder)[0] for name in DEMOS}


def numbers(facts):
    """Return every number among the facts."""
    if isinstance(facts, dict):
        return [n for part in facts.values() for n in numbers(part)]
    if isinstance(facts, list):
        return [n for part in facts for n in numbers(part)]
    return [facts] if isinstance(facts, int | float) else []


def test_xor_takes_a_hidden_layer(pages):
    facts = facts_of(pages["xor"])

    one_line, hidden = facts["without"], facts["with"]
    assert 0.5 <= one_line["best_accuracy"] <= 0.75
    assert one_line["loss"] == pytest.approx(log(2), abs=0.005)
    assert (hidden["units"], hidden["best_accuracy"]) == (2, 1)
    assert hidden["loss"] < 0.01
    assert {own["units"] for own in facts["widths"] if own["perfect_share"] == 0} == {0, 1}
    assert facts["widths"][-1]["perfect_share"] > hidden["perfect_share"]


def test_xor_without_a_hidden_layer_fails_from_every_seed():
    for seed in range(1, 4):
        data, start = np.random.default_rng(seed).spawn(2)
        X, y = xor.corners(xor.POINTS, data)

        trial = xor.trial(0, X, y, start)

        assert 0.5 <= trial.accuracies.max() <= 0.75


def test_boundary_bends_as_the_network_learns(pages):
    facts = facts_of(pages["boundary"])

    accuracies = [frame["held_out_accuracy"] for frame in facts["frames"]]
    assert accuracies[0] < 0.65
    assert 0.65 < accuracies[2] < 0.85
    assert accuracies[-1] > 0.98
    assert [frame["epoch"] for frame in facts["frames"]][:3] == [0, 1, 2]
    assert facts["frames"][-1]["loss"] == facts["history"]["loss"][facts["epochs"]]
    assert facts["widths"][0]["held_out_accuracy"] < facts["widths"][-1]["held_out_accuracy"] - 0.1


def test_gradient_vanishes_through_sigmoids_and_not_through_rectifiers(pages):
    facts = facts_of(pages["depth"])

    slow, fast = (facts["deepest"][name] for name in ("sigmoid", "relu"))
    norms = [layer["value"] for layer in slow["gradients"]]
    assert norms == sorted(norms)
    assert slow["shrinkage"] > 1e4
    assert fast["shrinkage"] < 10
    assert slow["accuracy"]["high"] < 0.6
    assert fast["accuracy"]["low"] > 0.95
    assert facts["at_least"] == 4**9
    shrinkages = [own["shrinkage"] for own in facts["rivals"]["sigmoid"]]
    assert shrinkages == sorted(shrinkages)


def test_autoencoder_tells_anomalies_by_what_it_cannot_rebuild(pages):
    facts = facts_of(pages["autoencoder"])

    assert facts["found"] > 0.7
    assert facts["false_alarms"] < 0.03
    assert facts["anomaly_error"] > 20 * facts["legitimate_error"]
    assert facts["roc_auc"] > 0.9
    found = {own["bottleneck"]: own["found"] for own in facts["bottlenecks"]}
    assert max(found[2], found[3]) > max(found[1], found[8])
    shares = [own["found"] for own in facts["quantiles"]]
    assert shares == sorted(shares, reverse=True)
    kept = next(own for own in facts["quantiles"] if own["quantile"] == facts["quantile"])
    assert kept["threshold"] == facts["threshold"]


@pytest.mark.parametrize("name", DEMOS)
def test_page_shows_its_facts_and_stands_alone(pages, name):
    assert pages[name].parts[-2:] == ("demo", f"{name}.html")
    assert_is_a_good_page(pages[name])


@pytest.mark.parametrize("name", DEMOS)
def test_every_number_in_a_sentence_is_a_figure_of_the_run(pages, name):
    facts = facts_of(pages[name])
    known = numbers(facts)

    for sentence in (facts["headline"], *facts["readings"].values()):
        for number in NUMBER.findall(sentence):
            assert any(shows(number, value) for value in known), (number, sentence)


@needs_chromium
@pytest.mark.parametrize(
    ("name", "scheme", "width"), [("boundary", "light", 390), ("depth", "dark", 390)]
)
def test_axe_finds_nothing_and_nothing_is_cut_off(pages, name, scheme, width):
    assert_axe_finds_nothing(pages[name], scheme, width)


@pytest.mark.parametrize("name", DEMOS)
def test_same_seed_gives_the_same_bytes(tmp_path, monkeypatch, pages, name):
    first = pages[name].parent
    if name in SMALLER:
        monkeypatch.setattr(*SMALLER[name])
        first = write_demo(name, 0, tmp_path / "before")[0].parent

    again = write_demo(name, 0, tmp_path)[0].parent

    names = sorted(path.name for path in again.iterdir())
    assert names == sorted(path.name for path in first.glob(f"{name}*"))
    assert len(names) > 4
    for file in names:
        assert (again / file).read_bytes() == (first / file).read_bytes(), file


def frames(tab):
    """Return the numbers of the frames that can be seen."""
    seen = tab.evaluate(
        """() => [...document.querySelectorAll('[id^="animation-frame-"]')]
        .filter(e => getComputedStyle(e).visibility === "visible").map(e => e.id)"""
    )
    return {int(re.search(r"frame-(\d+)", name)[1]) for name in seen}


def frames_at(tab, seconds):
    """Return the numbers of the frames that can be seen so long after the beginning."""
    tab.evaluate(
        """seconds => document.getAnimations().forEach(a => { a.currentTime = 1000 * seconds; })""",
        seconds,
    )
    return frames(tab)


@needs_chromium
def test_animation_moves_can_be_stopped_and_heeds_reduced_motion(pages):
    last = len(facts_of(pages["boundary"])["frames"]) - 1
    with opened(pages["boundary"], "light", 1280) as tab:
        tab.wait_for_function(
            """() => [...document.querySelectorAll('[id^="animation-frame-2-"]')]
            .every(e => getComputedStyle(e).visibility === "visible")"""
        )
        tab.focus("#animation")
        states = tab.evaluate(
            """() => document.getAnimations().map(a => [a.playState, a.effect.target.id])"""
        )
        shown = [frames_at(tab, (number + 0.5) * SECONDS) for number in range(last + 1)]
        tab.emulate_media(reduced_motion="reduce")
        still = frames(tab)
        tab.emulate_media(reduced_motion="no-preference", media="print")
        printed = frames(tab)

    assert {state for state, _ in states} == {"paused"}
    assert shown == [{number} for number in range(last + 1)]
    assert still == printed == {last}


def test_picture_of_an_animation_is_its_last_frame():
    def draw(*heights):
        figure, axes = new_axes("x", "y")
        axes.set_ylim(0, 3)
        lines = [axes.plot([0, 1], [height, height], color="k") for height in heights]
        return Plot("moving", "Moving", "A line that rises.", figure), lines

    plot, lines = draw(1, 2)
    alone, _ = draw(2)

    assert Animation(plot, lines).png() == alone.png()
    assert Animation(plot, lines).png() != plot.png()


def test_command_writes_a_demonstration_and_prints_what_it_comes_to(working_folder):
    output = run("demo", "autoencoder", "--seed", 3, "--reports", "elsewhere")

    facts = facts_of(working_folder / "elsewhere/demo/autoencoder.html")
    assert facts["seed"] == 3
    assert facts["headline"] in output
    assert "elsewhere/demo/autoencoder.html" in output


def test_all_stands_for_every_demonstration():
    assert names_of("all") == ["xor", "boundary", "depth", "autoencoder"]


def test_unknown_demonstration_is_refused_in_one_line(working_folder):
    message = refused("demo", "transformer")

    assert message == (
        "unknown demonstration 'transformer'; known: xor, boundary, depth, autoencoder, all"
    )
    assert not (working_folder / "reports").exists()
