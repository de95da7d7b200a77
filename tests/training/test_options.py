"""Options of the command line as a configuration."""

import pytest

from model.errors import ConfigurationError
from training.cli.options import config_from
from training.config import (
    SplitConfig,
)


def test_every_option_of_the_command_line_reaches_its_setting(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[data]\nlabel = "no"\n[split]\ntest_share = 0.3\nvalidation = "holdout"')

    config = config_from(
        {
            "data": "cards.csv",
            "label": "fraud",
            "time": "when",
            "amount": "eur",
            "id": "number",
            "drop": "a, b",
            "task": "both",
            "recipe": "textbook",
            "layers": "20,10",
            "split": "time",
            "delay": "7d",
            "test_share": 0.0,
            "validation_share": 0.1,
            "base_rate": 0.01,
            "memory": "2GB",
            "attribution": "ours",
            "name": "cards",
            "output": "models",
            "reports": "pages",
            "config": path,
            "seed": 3,
        }
    )

    data = config.data
    columns = (data.path, data.label, data.time, data.amount, data.id, data.drop)
    assert columns == ("cards.csv", "fraud", "when", "eur", "number", ("a", "b"))
    assert data.attribution == "ours"
    assert config.split == SplitConfig("time", 604_800.0, 0.0, 0.1, "holdout")
    assert config.network.layers == (20, 10)
    assert (config.task, config.recipe, config.name) == ("both", "textbook", "cards")
    assert (config.output, config.reports) == ("models", "pages")
    assert (config.base_rate, config.memory, config.seed) == (0.01, "2GB", 3)


def test_option_that_is_not_given_leaves_the_file_alone(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("seed = 5\n[network]\nlayers = [4]")

    config = config_from({"config": path, "seed": None, "layers": None, "data": None})

    assert (config.seed, config.network.layers) == (5, (4,))


@pytest.mark.parametrize("layers", ["", "16,", "a", "16;16", "1.5"])
def test_layers_that_are_no_numbers_are_refused(layers):
    with pytest.raises(ConfigurationError, match="16,16"):
        config_from({"layers": layers})
