"""The keys of an answer that names of columns may not be are those that the service answers."""

from app.responses import Anomalies, Anomaly, Prediction, Predictions
from model.answers import OF_A_REQUEST, OF_A_TRANSACTION
from model.features import TRANSACTION_ID


def keys_of(*schemas):
    """Return the keys of some answers, but for that of an identifier."""
    return {name for schema in schemas for name in schema().fields} - {TRANSACTION_ID}


def test_keys_are_those_of_the_described_answers():
    assert keys_of(Prediction, Anomaly) == {*OF_A_TRANSACTION, "model", "threshold"}
    assert keys_of(Predictions, Anomalies) == set(OF_A_REQUEST)
