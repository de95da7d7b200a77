"""Score a data frame with a shipped model: no service, no training stack, three lines.

    python -m examples.score_frame [TABLE.csv]

Without a table, rows are made from the ranges that the model calls typical.
"""

import sys

import numpy as np
import pandas as pd

from model import load
from model.errors import FeatureError

fraud = load("artifacts/creditcard")
print(fraud)

if len(sys.argv) > 1:
    frame = pd.read_csv(sys.argv[1])  # columns that the model does not know are ignored
else:
    rng = np.random.default_rng(0)
    features = fraud.artifact.scorer.spec.features
    frame = pd.DataFrame({f.name: rng.uniform(*f.typical, 1000) for f in features})
    frame.loc[7, ["V14", "V12", "V4"]] = [-8.2, -6.8, 4.6]  # and one that is not

frame["score"] = fraud.score(frame)
frame["probability"] = fraud.predict_proba(frame)[:, 1]
frame["decision"] = fraud.decide(frame)

worst = frame.sort_values("score", ascending=False).head(3)
print(worst[["Amount", "score", "probability", "decision"]].to_string())
for reason in fraud.explain(worst)[0]:
    print(f"  {reason.code}: {reason.value:.1f}, typical {reason.typical}")

frame.loc[2, "V1"] = np.inf  # what cannot be scored is told, not guessed
try:
    fraud.score(frame)
except FeatureError as error:
    print(error)
