"""A walk through a table of card transactions, cell by cell (VS Code, Spyder, Jupytext).

    python -m examples.walkthrough [TABLE.csv]

Made for the well-known table of European card payments (``Time``, ``V1`` to ``V28``, ``Amount``,
``Class``) or an extract of it; without a table the same walk leads through simulated transactions.
"""

# %% The table, in order of time
import sys

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model import load
from training.estimators import AnomalyDetector, FraudClassifier
from training.simulate import simulate

if len(sys.argv) > 1:
    table, label, time, shipped = pd.read_csv(sys.argv[1]), "Class", "Time", "creditcard"
else:
    table, label, time = simulate(24_000, np.random.default_rng(0)), "is_fraud", "transaction_time"
    shipped = "simulated"
    table = table[(table[label] == 1) | (table.index % 6 == 0)]  # all frauds, a sixth of the rest
table = table.sort_values(time, ignore_index=True)
y = table[label].to_numpy()
print(f"{len(table):,} transactions, {y.sum()} of them fraud ({y.mean():.2%})")

# %% What the columns hold
X = table.drop(columns=[label, time]).select_dtypes("number").astype(float)
middle = X.groupby(y).median().T.set_axis(["legitimate", "fraud"], axis=1)
middle["apart"] = (middle["fraud"] - middle["legitimate"]).abs() / X.std()
print(middle.sort_values("apart", ascending=False).head(5).round(2).to_string())
print(f"{int(X.isna().any(axis=1).sum()):,} rows have a value missing")

# %% Can a network tell more than a line? Learn from older rows, judge newer ones
folds = TimeSeriesSplit(3)
line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
network = FraudClassifier(members=2, random_state=0)
for name, estimator in (("a line", line), ("networks", network)):
    scores = cross_val_score(estimator, X.fillna(0), y, cv=folds, scoring="average_precision")
    print(f"average precision of {name}: {scores.mean():.3f} {scores.round(3)}")

# %% A model learns from the older rows; the newest quarter is read once
older = np.arange(len(table)) < 0.75 * len(table)
network.fit(X[older], y[older])
probability = network.predict_proba(X[~older])[:, 1]
print(f"ROC-AUC on the newest rows: {roc_auc_score(y[~older], probability):.3f}")
print(f"average precision there:    {average_precision_score(y[~older], probability):.3f}")

# %% Are its probabilities true? In each tenth, said and seen
tenths = pd.qcut(pd.Series(probability).rank(method="first"), 10, labels=False)
seen = pd.DataFrame({"said": probability, "seen": y[~older]}).groupby(tenths).mean()
print(seen.tail(3).round(4).to_string())

# %% Without any label: what is odd
detector = AnomalyDetector(random_state=0).fit(X[older])
print(
    f"ROC-AUC of oddness alone: {roc_auc_score(y[~older], -detector.score_samples(X[~older])):.3f}"
)

# %% A model that learned from such a table, and its reasons for the row that it finds worst
fraud = load(f"artifacts/{shipped}")
scores = fraud.score(table)
print(fraud)
print(f"fraud scores {np.median(scores[y == 1]):.0f}, the rest {np.median(scores[y == 0]):.0f}")
worst = table.iloc[[scores.argmax()]]
for reason in fraud.explain(worst)[0]:
    print(f"  {reason.code}: {reason.value}, typical {reason.typical}")
