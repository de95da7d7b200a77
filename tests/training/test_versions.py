"""The list of versions in a model's folder."""

import re

import pytest

from tests.factories import save_tiny
from tests.training.commands import refused, run
from training.promote import promote
from training.report import write_card
from training.versions import versions_in


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three versions; the third was never promoted."""
    names = [save_tiny(tmp_path, seed=seed).version for seed in range(3)]
    for name in names[:2]:
        promote(tmp_path, name)
    return tmp_path, names


def lines_below(output, version):
    """Return what is said of a version, without line breaks."""
    [(head, rest)] = re.findall(rf"^{version}(.*)\n((?: +.*\n)*)", output, re.M)
    return head.strip(), " ".join(rest.split())


def test_versions_say_which_serves_and_which_served_before(folder):
    directory, (first, second, third) = folder

    places = {version.version: version.place for version in versions_in(directory)}

    assert places == {first: "served before", second: "serves", third: ""}
    output = run("versions", directory)
    assert lines_below(output, second)[0] == "serves"
    assert lines_below(output, first)[0] == "served before"


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_version_is_one_line_among_the_others(folder, damage):
    directory, (first, second, third) = folder
    path = directory / f"{first}.npz"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.unlink()

    output = run("versions", directory)

    head, told = lines_below(output, first)
    assert head == "served before"
    assert told.startswith("damaged: ")
    assert lines_below(output, second)[0] == "serves"
    assert third in output


def test_list_says_when_on_what_and_how_good(full):
    folder = full.artifact.path.parent
    write_card(full.artifact, folder)

    output = run("versions", folder)

    _, told = lines_below(output, full.artifact.version)
    figures = full.evaluation.as_table.figures
    for name, title in (("average_precision", "average precision"), ("roc_auc", "ROC-AUC")):
        figure = figures[name]
        assert f"{title} {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" in told
    assert re.search(r"trained \d{4}-\d\d-\d\d \d\d:\d\d on payments.csv, 600 rows", told)
    assert "on 120 test rows" in told
    assert "base rate 1.0000%" in told
    assert max(map(len, output.splitlines())) <= 80


def test_shipped_models_are_listed():
    output = run("versions", "artifacts/creditcard")

    assert re.search(r"^[0-9a-f]{12}  serves$", output, re.M)
    assert "average precision 0." in output


def test_newest_version_comes_first(folder):
    directory, names = folder
    moments = dict(zip(names, (2, 3, 1), strict=True))
    for version in versions_in(directory):
        path = directory / f"{version.version}.json"
        path.write_text(f'{{"trained_at": "2026-01-0{moments[version.version]}T00:00:00+00:00"}}')

    assert [version.version for version in versions_in(directory)] == [names[1], names[0], names[2]]


@pytest.mark.usefixtures("working_folder")
def test_folder_without_versions_is_told(tmp_path):
    assert refused("versions", tmp_path / "none").endswith("no model's folder: it holds no version")
    assert "serves" in run("versions")  # those that are shipped
