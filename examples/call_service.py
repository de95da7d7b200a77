"""Call the service: start it with ``make serve`` first.

    python -m examples.call_service [http://localhost:8000]

``app/client.py`` is one file that needs ``requests`` alone: copy it into your project.
"""

import json
import sys
from pathlib import Path

from app.client import Client, InvalidTransactionsError

address = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"
transaction = json.loads(Path("docs/transaction.json").read_text())

with Client(address) as client:
    prediction = client.predict(transaction)
    print(f"{prediction.decision}, score {prediction.score} of 1000")
    for reason in prediction.reasons:
        print(f"  {reason.code}: {reason.value}, typical {reason.typical}")

    amounts = [1, 10, 100, 1000]
    many = client.predict([{**transaction, "V14": 0, "Amount": amount} for amount in amounts])
    for amount, answer in zip(amounts, many, strict=True):
        print(f"{amount:>5} EUR: {answer.probability:.1%}, {answer.decision}")

    print(f"anomaly score {client.anomaly(transaction).anomaly_score}")

    try:
        client.predict([transaction, {**transaction, "Amount": "12"}])
    except InvalidTransactionsError as error:
        print(f"refused: {error.errors}")
