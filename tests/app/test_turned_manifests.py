"""Whatever is turned in a manifest is refused before it serves, or changes no answer."""

import json
import math
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from operator import getitem

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.answer import TASKS, answer
from app.json_provider import dumps, loads
from app.store import ModelStore
from model.decision import Policy
from model.errors import ArtifactError
from model.pointer import Pointer, write_pointer
from model.rare import encode
from tests.factories import TINY_FEATURES, save_tiny, valid_row
from tests.model.artifacts import arrays_in, write

RARE = tuple(replace(f, rare=encode(["x"]) if f.categories else "") for f in TINY_FEATURES)
COSTS = Policy("cost", fee=1.0, friction=8.0, review_cost=2.0, amount_floor=3.0)
VARIANTS = {
    "both networks": {"policy": Policy(review=0.3, block=0.6, anomaly_review=0.9)},
    "classifier alone": {"tasks": "fraud", "members": None, "calibration": "isotonic"},
    "autoencoder alone": {"tasks": "anomaly", "has_birth": True},
    "costs and dates": {"policy": COSTS, "calibration": "beta", "has_birth": True},
    "rare categories": {"tasks": "fraud", "features": RARE, "calibration": "none"},
}
RAW = "raw:"  # begins a text that is written without quotation marks
CATEGORIES = ("grocery", "travel", "games", "never seen", "x")


class Sound:
    """A sound artifact of a variant: what it is made of, and how it answers."""

    def __init__(self, directory, changes):
        artifact = save_tiny(directory, **changes)
        self.arrays = arrays_in(artifact.path)
        self.text = self.arrays["manifest"].tobytes()
        self.manifest = json.loads(self.text)
        self.places = places_of(self.manifest)
        self.rows = transactions(changes.get("has_birth", False))
        self.answers = answers(champion_of(artifact.path), self.rows)


def transactions(has_birth):
    """Return transactions of every kind, some of them at the edge of what is accepted."""
    rng = np.random.default_rng(7)
    rows = [
        valid_row(
            payment_id=f"p-{number}",
            Amount=float(rng.choice([0.0, 0.5, rng.lognormal(3, 2)])),
            V1=float(rng.normal(0, 2)),
            V2=None if number % 5 == 0 else float(rng.normal(0, 2)),
            is_new_device=[True, False, None][number % 3],
            merchant_category=CATEGORIES[number % len(CATEGORIES)],
        )
        for number in range(40)
    ]
    births = ("1970-01-01", "1999-12-31T08:00:00", None, "2001-05-05", "unknown")
    for number, row in enumerate(rows if has_birth else ()):
        row["birth"] = births[number % len(births)]
    return rows


def places_of(document):
    """Return the path of every value in a document, those of a list's items together."""
    found = {}

    def walk(value, path):
        pattern = tuple("*" if isinstance(step, int) else step for step in path)
        found.setdefault(pattern, []).append(path)
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for step, item in items:
                walk(item, (*path, step))

    walk(document, ())
    return [paths for pattern, paths in found.items() if pattern]


NUMBERS = (
    lambda x: -x,
    lambda _: 0,
    lambda x: x + 1,
    lambda x: x - 1,
    lambda x: x * 1.01,
    lambda x: x * 0.9,
    lambda x: x / 1000,
    lambda _: 1e300,
    lambda _: 5e-324,
)
ANYTHING = (
    lambda _: math.nan,
    lambda _: math.inf,
    lambda _: -math.inf,
    lambda _: f"{RAW}1e999",
    lambda _: 10**30,
    lambda _: None,
    lambda _: True,
    lambda _: "",
    lambda _: "block",
    lambda _: "Amount",
    lambda _: "\ud800",
    lambda _: [],
    lambda _: {},
    lambda _: [[math.inf]],
    lambda x: f"{x}x",
)


def value_at(document, path):
    """Return the value at a path."""
    return reduce(getitem, path, document)


def turned(sound, path, turn):
    """Return the manifest as text, with the value at a path turned."""
    manifest = json.loads(sound.text)
    *steps, last = path
    parent = value_at(manifest, steps)
    if isinstance(turn, str):
        turn_key(parent, last, turn)
    else:
        parent[last] = turn(parent[last])
    text = json.dumps(manifest)
    return text.replace(f'"{RAW}1e999"', "1e999").encode()


def turn_key(parent, last, turn):
    """Change not a value, but where it stands."""
    if isinstance(parent, list):
        items = {"delete": [], "twice": [parent[last]] * 2, "swap": parent[last : last + 2][::-1]}
        parent[last : last + 2 if turn == "swap" else last + 1] = items.get(turn, [])
        return
    value = parent.pop(last)
    if turn == "swap" and parent:
        other = next(iter(parent))
        parent[last], parent[other] = parent[other], value
    elif turn != "delete":
        parent[f"{last}x"] = value
    if turn == "twice":
        parent[last] = value


def turns_of(value):
    """Return what can be done to a value."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (*(NUMBERS if is_number else ()), *ANYTHING, "rename", "delete", "swap", "twice")


def champion_of(path):
    """Return the champion of a store over an artifact, as the service takes it up."""
    digest = sha256(path.read_bytes()).hexdigest()
    write_pointer(path.parent, Pointer(path.stem, digest, None, "2026-01-01T00:00:00+00:00"))
    return ModelStore(path.parent, 100).current()


def answers(champion, rows):
    """Return what the service says of transactions by every route."""
    tasks, found = champion.artifact.scorer.tasks, {}
    for route in [route for route, task in TASKS.items() if task in tasks]:
        query = "explain=true&anomaly=true" if route == "predict" and len(tasks) == 2 else ""
        body = answer(champion, route, dumps(rows), query or "explain=true").body
        found[route] = [told(row) for row in loads(body)["predictions"]]
    return found


def told(row):
    """Return an answer in parts: texts and flags, and numbers by what they may differ."""
    texts = {key: row[key] for key in ("payment_id", "decision", "is_anomaly") if key in row}
    numbers = [row.get("probability"), row.get("anomaly_score"), row.get("reconstruction_error")]
    numbers += row.get("uncertainty", [])
    for key in ("reasons", "contributions"):
        for reason in row.get(key, [])[:1]:  # the leading one
            texts[key] = reason["code"], reason["feature"], reason["value"]
            numbers.append(reason["contribution"])
    return texts, [number for number in numbers if number is not None], row.get("score", 0)


def are_same(found, expected):
    """Return whether answers agree but for rounding."""
    return found.keys() == expected.keys() and all(
        texts == other_texts
        and np.allclose(numbers, other_numbers, rtol=1e-4, atol=1e-9)
        and abs(score - other_score) <= 1
        for route, rows in expected.items()
        for (texts, numbers, score), (other_texts, other_numbers, other_score) in zip(
            found[route], rows, strict=True
        )
    )


def consequence(sound, text, directory):
    """Return what comes of a manifest: "refused", "the same", or what it answers otherwise."""
    path = write(directory, sound.arrays | {"manifest": np.frombuffer(text, np.uint8)})
    try:
        champion = champion_of(path)
    except ArtifactError:
        return "refused"
    found = answers(champion, sound.rows)
    return "the same" if are_same(found, sound.answers) else found


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a sound artifact of each variant."""
    return {
        name: Sound(tmp_path_factory.mktemp("sound"), changes) for name, changes in VARIANTS.items()
    }


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_turned_manifest_is_refused_or_answers_the_same(sound, tmp_path, data):
    of_variant = sound[data.draw(st.sampled_from(sorted(VARIANTS)))]
    path = data.draw(st.sampled_from(data.draw(st.sampled_from(of_variant.places))))
    turn = data.draw(st.sampled_from(turns_of(value_at(of_variant.manifest, path))))

    text = turned(of_variant, path, turn)

    assert consequence(of_variant, text, tmp_path) in ("refused", "the same")


@pytest.mark.parametrize("name", VARIANTS)
def test_untouched_manifest_serves(name, sound, tmp_path):
    assert consequence(sound[name], sound[name].text, tmp_path) == "the same"


def test_answers_that_differ_are_told_apart(sound):
    """What the property compares is what the variants answer: they do not answer alike."""
    of_both, other = sound["both networks"].answers, sound["rare categories"].answers

    assert are_same(of_both, of_both)
    assert not are_same({"predict": of_both["predict"]}, other)
