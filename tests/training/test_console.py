"""A run on the terminal."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.cli.console import RunConsole, heading, line, print_comparison, print_evaluation
from training.config import AutoencoderConfig
from training.evaluate import evaluate
from training.promote import Comparison


def recorded(width=80, terminal=False):
    """Return a console that writes into memory."""
    return Console(file=io.StringIO(), width=width, force_terminal=terminal)


def unwrapped(text):
    """Return a text with the lines that go on with another in one."""
    return re.sub(r"(?<=\S)\n {4,}(?=\S)", " ", text)


def text_of(console):
    """Return what a console has written."""
    return console.file.getvalue()


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Return a run and what it printed."""
    console = recorded()
    run = train(
        mixed_frame(1500),
        tmp_path_factory.mktemp("run"),
        RunConsole(console),
        base_rate=0.01,
        learning={"epochs": 4, "log_every": 2, "class_weight": 1.0},
        split={"validation": "holdout"},
    )
    return run, text_of(console)


def test_counts_and_imbalance_are_printed(printed):
    run, text = printed
    text = unwrapped(text)
    n_frauds = int(run.table.labels.sum())

    assert "1,500 with 7 features (1 datetime, 4 numeric, 1 categorical, 1 boolean)" in text
    assert re.search(rf"fraud +{n_frauds} \({n_frauds / 1500:.4%}\)", text)
    assert re.search(rf"imbalance +{(1500 - n_frauds) / n_frauds:.0f}:1", text)
    assert "Split by time" in text
    assert re.search(r"validation a +150 rows, \d+ frauds", text)


def test_architecture_and_training_are_printed(printed):
    run, text = printed
    text = unwrapped(text)
    mlp = run.classifier.mlp
    weights = run.classifier.class_weights

    assert re.search(rf"layers +{mlp.layers[0].n_in} → 8 → 1 × 3 members", text)
    assert re.search(rf"parameters +{mlp.n_parameters:,}", text)
    assert f"class weights   legitimate {weights[0]:.3f}, fraud {weights[1]:.3f}" in text
    assert "adamw, learning rate 0.01 (cosine), batch 64, 4 epochs, dropout 0.2" in text
    assert "of legitimate rows" not in text
    assert "Autoencoder, on legitimate rows" in text
    assert "8 → 3 → 8 × 2 members" in text


def test_accuracy_of_calling_everything_legitimate_is_a_warning(printed):
    run, text = printed
    share = 1 - run.table.labels[run.parts.train].mean()

    assert f"! calling everything legitimate would have an accuracy of {share:.2%}" in text


def test_epochs_are_printed_as_often_as_asked_for(printed):
    run, text = printed
    classifier = text.split("Autoencoder")[0]

    numbers = [int(n) for n in re.findall(r"epoch +(\d+)/4", classifier)]
    assert numbers == [1, 2, 4]
    last = run.history.epochs[-1]
    for name in ("loss", "accuracy", "precision", "recall", "f1"):
        assert f"{name} {last[name]:.4f}" in classifier
    assert f"average precision {last['average_precision']:.4f}" in classifier


def matrix_of(text):
    """Return the confusion matrix as printed, with the blocked in a third column."""
    rows = re.findall(r"^  (?:legitimate|fraud) +([\d,]+) +([\d,]+) +([\d,]+)\s*$", text, re.M)
    return [[int(cell.replace(",", "")) for cell in row] for row in rows]


def figure_of(text, name):
    """Return the percentages printed for a metric, at each prevalence."""
    [row] = re.findall(rf"^  {re.escape(name)} {{2,}}(.*)$", text, re.M)
    return [float(part) for part in re.findall(r"([\d.]+)% \[", row)]


def test_percentages_agree_with_the_printed_matrix(printed):
    _, text = printed
    [[tn, fp, _], [fn, tp, _]] = matrix_of(text)
    n_rows = tn + fp + fn + tp

    assert f"On {n_rows:,} test rows, {fn + tp:,} of them fraud" in text
    expected = {
        "precision": 100 * tp / (tp + fp),
        "recall": 100 * tp / (tp + fn),
        "f1": 100 * 2 * tp / (2 * tp + fp + fn),
        "accuracy": 100 * (tp + tn) / n_rows,
        "always legitimate accuracy": 100 * (tn + fp) / n_rows,
    }
    for name, value in expected.items():
        assert figure_of(text, name)[0] == pytest.approx(value, abs=0.005), name


def test_every_metric_is_printed_at_both_prevalences(printed):
    run, text = printed

    prevalence = run.evaluation.as_table.prevalence
    assert f"at {prevalence:.3%} (table)" in text
    assert "at 1.000% (base rate)" in text
    for name in run.evaluation.as_table.figures:
        label = name.replace("_", " ")
        cell = r" +[\d.]+%? \[[\d.]+, [\d.]+\]"
        last = r" +99.00%" if name == "always_legitimate_accuracy" else cell  # as it was stated
        assert re.search(rf"^  {re.escape(label)}{cell}{last}$", text, re.M), name
    views = (run.evaluation.as_table, run.evaluation.at_base_rate)
    precisions = [100 * view.figures["precision"].value for view in views]
    assert figure_of(text, "precision") == pytest.approx(precisions, abs=0.005)


def test_impact_is_printed_in_count_and_money(printed):
    run, text = printed
    impact = run.evaluation.impact
    [[_, fp, blocked], [fn, tp, _]] = matrix_of(text)
    share = impact.amount_caught / (impact.amount_caught + impact.amount_missed)

    caught = f"{tp:,} frauds worth {impact.amount_caught:,.2f} ({share:.2%} of the amount)"
    assert re.search(rf"caught +{re.escape(caught)}", text)
    assert re.search(rf"missed +{fn:,} frauds worth {impact.amount_missed:,.2f}", text)
    assert re.search(rf"false alarms +{fp:,}, of them {blocked:,} legitimate", text)


def test_impact_at_the_base_rate_is_scaled_from_the_matrix(printed):
    _, text = printed
    [[tn, fp, _], [fn, tp, _]] = matrix_of(text)

    caught, alarms = 1000 * tp / (tp + fn), 99_000 * fp / (tn + fp)
    assert (
        f"in 100,000 transactions 1,000 frauds, {caught:,.0f} caught, {alarms:,.0f} false alarms"
        in unwrapped(text)
    )


def test_no_line_is_cut_in_a_terminal_of_80_columns(printed):
    _, text = printed

    assert "…" not in text
    assert max(len(row.rstrip()) for row in text.splitlines()) <= 80
    tables = text[text.index("On 300") : text.index("Business impact")]
    assert max(len(row.rstrip()) for row in tables.splitlines()) <= 80


def test_what_is_to_be_copied_and_what_has_no_blanks_is_not_broken():
    console = recorded(width=40)

    line(console, "promote with", "python -m training promote " + "x" * 40, wraps=False)
    line(console, "note", "some words and then " + "y" * 50 + " and more words")

    assert text_of(console).splitlines() == [
        "  promote with    python -m training promote " + "x" * 40,
        "  note            some words and then",
        "                  " + "y" * 50,
        "                  and more words",
    ]


def test_views_stand_below_each_other_where_there_is_no_room_beside(printed):
    run, _ = printed
    console = recorded(width=60)

    print_evaluation(console, run.evaluation, "rows")

    text = text_of(console)
    assert "…" not in text
    assert text.count("  metric ") == 2
    assert max(len(row.rstrip()) for row in text.splitlines()) <= 60


def test_anomaly_figures_are_printed(printed):
    run, text = printed

    value = run.artifact.manifest["anomaly_metrics"]["roc_auc"]
    figures = text.split("Anomaly score on test rows")[1].splitlines()[1:6]
    assert re.match(rf"  roc auc +{value:.2%} \[", figures[0])
    assert len({re.search(r" \d+\.\d\d%", figure).start() for figure in figures}) == 1


def test_terminal_has_a_progress_bar_that_is_gone_afterwards():
    console = recorded(terminal=True)
    listener = RunConsole(console)

    listener.on_autoencoder(AutoencoderConfig(epochs=2))
    listener.on_epoch(1, {"loss": 0.5})
    listener.on_epoch(2, {"loss": 0.25})
    listener.close()
    listener.close()

    text = text_of(console)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert "epoch 1/2  loss 0.5000" in plain
    assert "epoch 2/2  loss 0.2500" in plain
    assert "2/2 epochs" in plain
    assert text.endswith("\x1b[2K")  # the line of the bar is erased
    assert "\x1b[?25h" in text  # and the cursor is back


def test_texts_are_printed_as_they_are():
    console = recorded()

    RunConsole(console).on_warning("column 'amount[eur]' [/b] has no values")
    heading(console, "rows of cards[1].csv [bold]")
    line(console, "source", "cards[red].csv")

    text = text_of(console)
    assert "! column 'amount[eur]' [/b] has no values" in text
    assert "rows of cards[1].csv [bold]" in text
    assert "cards[red].csv" in text


@pytest.mark.parametrize("label", [0, 1])
def test_rows_of_one_class_are_printed_with_what_is_defined(label):
    console = recorded()
    y = np.full(20, label)
    evaluation = evaluate(y, np.linspace(0, 1, 20), y * 0, None, 0.01, np.random.default_rng(0))

    print_evaluation(console, evaluation, "rows")

    text = text_of(console)
    assert re.search(r"roc auc +not defined", text)
    assert "base rate" not in text
    assert re.search(rf"caught +0\n +missed +{20 * label}\n", text)


def test_comparison_is_printed_with_its_interval():
    console = recorded()

    print_comparison(console, Comparison(1200, 30, 0.5, 0.61234, -0.01, 0.2), "rows of new.csv")

    text = text_of(console)
    assert "Average precision on 1,200 rows of new.csv, 30 of them fraud" in text
    assert re.search(r"champion +0\.5000\n +challenger +0\.6123\n", text)
    assert "[-0.0100, +0.2000]" in text
