"""A target that no threshold reaches is told, not followed in silence."""

import numpy as np

from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.listener import Listener


class Warnings(Listener):
    """Keeps what a run warns of."""

    def __init__(self):
        self.texts = []

    def on_warning(self, text):
        """Keep a warning."""
        self.texts.append(text)


def test_precision_that_no_threshold_reaches_is_told(tmp_path):
    frame = mixed_frame(1500)
    frame["is_fraud"] = np.random.default_rng(0).permutation(frame["is_fraud"])  # nothing to learn
    heard = Warnings()
    policy = {"choose": "precision", "review": 0.5, "block": 1.0}

    run = train(frame, tmp_path, heard, policy=policy)

    assert run.artifact.scorer.fraud.policy.block > 1
    assert any("no threshold reaches policy.review or policy.block" in text for text in heard.texts)
