"""Which epoch a run ends with, and what it tells on the way."""

import numpy as np

from tests.training.fits import fitted, network_of, rows_and_labels


def scripted(values, name="average_precision"):
    """Return an evaluation that says what it is told to, epoch after epoch."""
    remaining = iter(values)
    return lambda: {name: next(remaining)}


def test_early_stopping_restores_the_best_epoch():
    X, y = rows_and_labels()
    network = network_of()
    kept = {}

    _, history = fitted(
        network,
        X,
        y,
        epochs=20,
        patience=3,
        keep_best=True,
        evaluate=scripted([0.1, 0.5, 0.3, 0.5, 0.2, 0.9]),
        on_epoch=lambda epoch, _: kept.update({epoch: network.parameters.copy()}),
    )

    assert (history.best_epoch, history.stopped_early) == (2, True)
    assert len(history.epochs) == 5
    np.testing.assert_array_equal(network.parameters, kept[2])


def test_running_statistics_are_restored_with_the_weights():
    X, y = rows_and_labels()
    values = [0.9, 0.1, 0.1]

    best, _ = fitted(
        network_of(batch_norm=True), X, y, epochs=3, keep_best=True, evaluate=scripted(values)
    )
    first, _ = fitted(network_of(batch_norm=True), X, y, epochs=1)

    np.testing.assert_array_equal(best.logits(X), first.logits(X))


def test_what_early_stopping_watches_can_be_chosen():
    X, y = rows_and_labels()

    def evaluate():
        step = next(steps)
        return {"f1": [0.2, 0.8, 0.1][step], "average_precision": [0.9, 0.1, 0.2][step]}

    steps = iter(range(3))
    _, history = fitted(
        network_of(), X, y, epochs=3, keep_best=True, monitor="f1", evaluate=evaluate
    )

    assert history.best_epoch == 2


def test_without_patience_the_run_goes_on_and_still_keeps_the_best():
    X, y = rows_and_labels()
    values = [0.9] + [0.1] * 14

    network, history = fitted(
        network_of(), X, y, epochs=15, patience=0, keep_best=True, evaluate=scripted(values)
    )
    first, _ = fitted(network_of(), X, y, epochs=1)

    assert (len(history.epochs), history.best_epoch, history.stopped_early) == (15, 1, False)
    np.testing.assert_array_equal(network.parameters, first.parameters)


def test_where_the_best_is_not_kept_the_last_epoch_counts():
    X, y = rows_and_labels()

    network, history = fitted(
        network_of(), X, y, epochs=4, patience=1, evaluate=scripted([0.9, 0.1, 0.1, 0.1])
    )
    unwatched, _ = fitted(network_of(), X, y, epochs=4)

    assert (history.best_epoch, history.stopped_early) == (4, False)
    np.testing.assert_array_equal(network.parameters, unwatched.parameters)


def test_without_an_evaluation_the_loss_is_watched():
    X, y = rows_and_labels()

    _, history = fitted(network_of(), X, y, epochs=5, keep_best=True)

    losses = [epoch["loss"] for epoch in history.epochs]
    assert history.best_epoch == int(np.argmin(losses)) + 1


def test_every_epoch_is_told_with_its_figures():
    X, y = rows_and_labels()
    told = []

    _, history = fitted(
        network_of(),
        X,
        y,
        epochs=3,
        evaluate=scripted([0.1, 0.2, 0.3]),
        on_epoch=lambda *arguments: told.append(arguments),
    )

    assert told == [(epoch + 1, figures) for epoch, figures in enumerate(history.epochs)]
    assert set(told[0][1]) == {"loss", "gradient_norm", "learning_rate", "average_precision"}
