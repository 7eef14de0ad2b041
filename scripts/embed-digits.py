"""Writes ts/data/digits-data.ts: the digits of scikit-learn as compressed text.

    python scripts/embed-digits.py

Needs scikit-learn (tried with 1.9). 1,797 images of 8 x 8 bytes from 0 to 16, then 1,797 labels, all in the order of
the file; deflate (zlib), base64.
"""

import base64
import pathlib
import zlib

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images = digits.images.astype(np.uint8)
labels = digits.target.astype(np.uint8)
assert images.shape == (1797, 8, 8) and images.max() == 16 and (images == digits.images).all()
assert labels.shape == (1797,) and labels.max() == 9

text = base64.b64encode(zlib.compress(images.tobytes() + labels.tobytes(), 9)).decode()
width = 116
lines = [text[start : start + width] for start in range(0, len(text), width)]
target = pathlib.Path(__file__).parent.parent / "ts" / "data" / "digits-data.ts"
target.write_text(
    "// The handwritten digits behind datasets.digits(), written by scripts/embed-digits.py. Credit: NOTICE.\n\n"
    "/** @internal zlib, then base64: 1,797 images of 8 × 8 bytes from 0 to 16, then 1,797 labels. */\n"
    "export const digitsData =\n  '" + "' +\n  '".join(lines) + "'\n",
    encoding="utf-8",
)
print(f"{target.name}: {len(text)} characters, pixels sum to {int(images.sum())}")
