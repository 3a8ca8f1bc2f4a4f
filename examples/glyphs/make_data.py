"""Writes data/calibration.npz and data/evaluation.npz; the committed files are its output.

    python3 make_data.py      needs numpy

Neither shares a seed with the other or with the training images, so no image occurs twice.
"""

import pathlib

import numpy as np

from glyphs import draw_set

DATA = pathlib.Path(__file__).parent / "data"
CALIBRATION = DATA / "calibration.npz"
EVALUATION = DATA / "evaluation.npz"


def main():
    DATA.mkdir(exist_ok=True)
    for path, seed, count in ((CALIBRATION, 2, 1024), (EVALUATION, 3, 2048)):
        images, labels = draw_set(seed, count)
        np.savez_compressed(path, images=images, labels=labels)
        print(f"{path.name}: {count} images, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
