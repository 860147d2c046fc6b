"""The recipe of `digits-logits.npy`: `python -m harness.questions.data.train_digits` (dependency group `data`).

A multinomial logistic regression on scikit-learn's bundled digits (1,797 images of 8 × 8, 10 classes), trained by full
gradient descent with the documents' own gradient of the cross-entropy, (S − Y)xᵀ, averaged over the images. The file
holds the logits Wx of all images, in float64. Another BLAS sums in another order, so a rerun agrees to rounding only.
The committed file is the input; this script shows where it came from.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TARGET = Path(__file__).with_name("digits-logits.npy")
STEPS, RATE = 500, 0.5


def train() -> NDArray[np.float64]:
    """Return the logits, shape (1797, 10)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = digits.data / 16.0
    x = np.hstack([pixels, np.ones((len(pixels), 1))])  # a column of ones: the bias
    y = np.eye(10)[digits.target]
    w = np.zeros((10, x.shape[1]))
    for _ in range(STEPS):
        logits = x @ w.T
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        s = weights / weights.sum(axis=1, keepdims=True)
        w -= RATE * (s - y).T @ x / len(x)
    print(f"accuracy on its own images: {(np.argmax(x @ w.T, axis=1) == digits.target).mean():.4f}")  # noqa: T201
    return np.ascontiguousarray(x @ w.T)


if __name__ == "__main__":
    np.save(TARGET, train(), allow_pickle=False)
    print(f"{TARGET.name}: SHA-256 {hashlib.sha256(TARGET.read_bytes()).hexdigest()}")  # noqa: T201
