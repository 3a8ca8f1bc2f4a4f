"""Draws glyphs: sixteen stroke figures, each bent, slanted, cluttered and partly hidden at random.

An image is a function of the random generator alone, so a seed names a data set. Pixels have sixteen levels and flat
backgrounds, which keeps the compressed files small.
"""

import numpy as np

SIZE = 32
LEVELS = 16


def _arc(start_degrees, end_degrees, radius=0.9, end_radius=None, points=14):
    angles = np.radians(np.linspace(start_degrees, end_degrees, points))
    radii = np.linspace(radius, radius if end_radius is None else end_radius, points)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _wave(points=16):
    x = np.linspace(-0.95, 0.95, points)
    return np.stack([x, 0.55 * np.sin(np.pi * x / 0.95)], axis=1)


# Each figure is a list of polylines in the square [-1, 1]², y pointing down. Several differ in one stroke only.
FIGURES = {
    "cross": [[(-0.8, -0.8), (0.8, 0.8)], [(-0.8, 0.8), (0.8, -0.8)]],
    "plus": [[(-0.9, 0), (0.9, 0)], [(0, -0.9), (0, 0.9)]],
    "star": [[(-0.9, 0), (0.9, 0)], [(-0.5, -0.8), (0.5, 0.8)], [(-0.5, 0.8), (0.5, -0.8)]],
    "ring": [_arc(0, 360, points=20)],
    "square": [[(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75), (-0.75, -0.75)]],
    "diamond": [[(0, -0.95), (0.9, 0), (0, 0.95), (-0.9, 0), (0, -0.95)]],
    "triangle": [[(0, -0.85), (0.9, 0.75), (-0.9, 0.75), (0, -0.85)]],
    "hourglass": [[(-0.75, -0.85), (0.75, -0.85), (-0.75, 0.85), (0.75, 0.85), (-0.75, -0.85)]],
    "zigzag": [[(-0.75, -0.85), (0.75, -0.85), (-0.75, 0.85), (0.75, 0.85)]],
    "wave": [_wave()],
    "spiral": [_arc(0, 630, radius=0.15, end_radius=0.95, points=28)],
    "cup": [[(-0.75, -0.85), (-0.75, 0.2)], _arc(180, 0, radius=0.75) + (0, 0.1), [(0.75, 0.2), (0.75, -0.85)]],
    "hook": [[(0.4, -0.9), (0.4, 0.3)], _arc(0, 170, radius=0.55) + (-0.15, 0.3)],
    "fork": [[(-0.7, -0.85), (-0.7, 0.1), (0.7, 0.1), (0.7, -0.85)], [(0, -0.85), (0, 0.9)]],
    "ladder": [[(-0.6, -0.9), (-0.6, 0.9)], [(0.6, -0.9), (0.6, 0.9)], [(-0.6, 0), (0.6, 0)]],
    "tee": [[(-0.8, -0.75), (0.8, -0.75)], [(0, -0.75), (0, 0.9)]],
}
CLASSES = list(FIGURES)

_PIXELS = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1).reshape(-1, 2) + 0.5


def draw_set(seed, count):
    """Images, uint8 [count, 1, 32, 32], and labels, int64 [count], with every class equally often."""
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = rng.permutation(np.arange(count) % len(CLASSES)).astype(np.int64)
    images = np.stack([_draw(rng, FIGURES[CLASSES[label]]) for label in labels])
    return images[:, np.newaxis], labels


def _draw(rng, figure):
    """One picture, uint8 [32, 32]."""
    background = rng.uniform(0.0, 0.25)
    canvas = np.full(SIZE * SIZE, background)
    for _ in range(rng.integers(2, 6)):
        _add_ink(canvas, _clutter(rng), rng.uniform(1.0, 2.2), background + rng.uniform(0.1, 0.6))
    place = _random_placement(rng)
    ink = background + rng.uniform(0.45, 0.75)
    thickness = rng.uniform(1.3, 3.0)
    for line in figure:
        points = np.asarray(line, dtype=float)
        _add_ink(canvas, place(points + rng.normal(0, 0.05, points.shape)), thickness, ink)
    for _ in range(rng.integers(0, 3)):
        _add_ink(canvas, _clutter(rng), rng.uniform(1.5, 3.0), background)
    speckled = rng.random(SIZE * SIZE) < 0.03
    canvas[speckled] = rng.uniform(0, 1, speckled.sum())
    levels = np.rint(np.clip(canvas, 0, 1) * (LEVELS - 1))
    return (levels * (255 // (LEVELS - 1))).astype(np.uint8).reshape(SIZE, SIZE)


def _random_placement(rng):
    """A random affine map from the figure's square to pixels."""
    turn = np.radians(rng.uniform(-20, 20))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    slant = np.array([[1, rng.uniform(-0.25, 0.25)], [0, 1]])
    stretch = np.diag(rng.uniform(6.0, 12.0) * rng.uniform(0.8, 1.2, 2))
    matrix = rotation @ slant @ stretch
    centre = SIZE / 2 + rng.uniform(-4, 4, 2)
    return lambda points: points @ matrix.T + centre


def _clutter(rng):
    """A short stroke anywhere, in pixels."""
    start = rng.uniform(0, SIZE, 2)
    turn = rng.uniform(0, 2 * np.pi)
    return np.stack([start, start + rng.uniform(2, 9) * np.array([np.cos(turn), np.sin(turn)])])


def _add_ink(canvas, points, thickness, ink):
    """Paint a polyline with soft edges over the canvas, in place."""
    starts, ends = points[:-1], points[1:]
    along = ends - starts
    lengths = np.maximum((along**2).sum(axis=1), 1e-9)
    offsets = _PIXELS[:, np.newaxis] - starts
    position = np.clip((offsets * along).sum(axis=2) / lengths, 0, 1)
    distance = np.sqrt(((offsets - position[..., np.newaxis] * along) ** 2).sum(axis=2).min(axis=1))
    cover = np.clip(thickness / 2 + 0.5 - distance, 0, 1)
    canvas += cover * (ink - canvas)
