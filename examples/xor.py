"""XOR from scratch: what one layer cannot learn, and two can.

XOR is 1 where exactly one of two inputs is 1. A layer by itself draws a straight line through the
plane, and no line has both ones on one side. A hidden layer bends the plane first.

    python -m examples.xor
"""

import numpy as np

from model import MLP

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])


def learn(sizes, activations):
    """Train a network on the four rows, always in the same way."""
    network = MLP(sizes, activations, rng=np.random.default_rng(0))
    history = network.fit(
        X, y, epochs=3000, batch_size=4, learning_rate=0.5, rng=np.random.default_rng(1)
    )
    return network, history["loss"]


for sizes, activations in (([2, 1], ["sigmoid"]), ([2, 4, 1], ["tanh", "sigmoid"])):
    network, losses = learn(sizes, activations)
    print(network)
    print(f"  loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
    for row, target, probability in zip(X, y, network.predict_proba(X), strict=True):
        print(f"  {row[0]} xor {row[1]} is {target}: {probability:.3f}")

# What the hidden layer made of the plane: now a line can tell the rows apart.
hidden = network.layers[0].apply(X.astype(float))
print("the four rows, as the output unit sees them:")
print(np.round(hidden, 2))
