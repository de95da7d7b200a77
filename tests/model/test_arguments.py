"""Arguments that cannot work are told in one line, with the cure: seeds, widths, lengths."""

import numpy as np
import pytest

from model import MLP, Autoencoder, BatchNorm, Dropout, Layer
from model.errors import ConfigurationError

X, y = np.zeros((6, 3)), np.array([0, 1, 0, 1, 0, 1])

TAKES_CHANCE = {
    "Layer": lambda rng: Layer(2, 1, rng=rng),
    "Dropout": lambda rng: Dropout(0.5, rng=rng),
    "MLP": lambda rng: MLP([3, 4, 1], rng=rng),
    "MLP.fit": lambda rng: MLP([3, 4, 1]).fit(X, y, 1, rng=rng),
    "Autoencoder": lambda rng: Autoencoder(3, rng=rng),
    "Autoencoder.fit": lambda rng: Autoencoder(3).fit(X, 1, rng=rng),
    "MLP.rebuild": lambda rng: MLP.rebuild(MLP([3, 1]).describe(), rng=rng),
}


@pytest.mark.parametrize("name", TAKES_CHANCE)
@pytest.mark.parametrize(
    ("seed", "cure"),
    [
        (42, r"numpy.random.default_rng\(42\), not 42"),
        (np.int64(0), r"default_rng\(0\)"),
        ("entropy", r"default_rng\(seed\), not 'entropy'"),
        (np.random.PCG64(0), r"default_rng\(seed\)"),
    ],
)
def test_seed_in_the_place_of_a_generator_is_refused_with_the_cure(name, seed, cure):
    with pytest.raises(ConfigurationError, match=cure):
        TAKES_CHANCE[name](seed)


@pytest.mark.parametrize("name", TAKES_CHANCE)
@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_generator_or_nothing_is_taken(name, rng):
    TAKES_CHANCE[name](rng)


WIDE = np.zeros((6, 5))
READS_ROWS = {
    "Layer.forward": lambda: Layer(3, 2).forward(WIDE),
    "Layer.apply": lambda: Layer(3, 2).apply(WIDE),
    "Layer.apply of members": lambda: Layer(3, 2, members=2).apply(WIDE),
    "MLP.forward": lambda: MLP([3, 4, 1]).forward(WIDE),
    "MLP.predict": lambda: MLP([3, 4, 1]).predict(WIDE),
    "MLP.predict_proba": lambda: MLP([3, 4, 1], members=2).predict_proba(WIDE),
    "MLP.logits of one row": lambda: MLP([3, 4, 1]).logits(WIDE[0]),
    "MLP.train_step": lambda: MLP([3, 4, 1], drop_probability=0.1).train_step(WIDE, y, 0.1),
    "Autoencoder.train_step": lambda: Autoencoder(3).train_step(WIDE, 0.1),
    "Autoencoder.apply": lambda: Autoencoder(3).apply(WIDE),
}


@pytest.mark.parametrize("name", READS_ROWS)
def test_rows_of_another_width_are_refused(name):
    with pytest.raises(ConfigurationError, match="rows of 3 values are expected, got 5"):
        READS_ROWS[name]()


@pytest.mark.parametrize(
    "read",
    [
        lambda: MLP([3, 4, 1]).fit(WIDE, y),
        lambda: MLP([3, 4, 1]).evaluate(WIDE, y),
        lambda: Autoencoder(3).reconstruction_error(WIDE),
    ],
)
def test_tables_of_another_width_are_refused(read):
    with pytest.raises(ConfigurationError, match=r"X must be \(n, 3\).* got \(6, 5\)"):
        read()


def test_as_many_labels_as_rows_are_wanted():
    with pytest.raises(ConfigurationError, match="6 rows have 5 targets"):
        MLP([3, 4, 1]).train_step(X, y[:5], 0.1)


def test_normalisation_of_another_width_is_refused():
    with pytest.raises(ConfigurationError, match="rows of 4 values are expected, got 3"):
        BatchNorm(4).forward(X)
