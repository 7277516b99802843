"""mine: enlarges every pixel and adds noise. Replace that by your method."""

import numpy as np


class Model:
    def __init__(self, *, strength):
        self.strength = strength

    def restore(self, lr, seeds):
        """(h, w, 3) uint8 RGB -> (len(seeds), 4h, 4w, 3) uint8 RGB, each output from its own seed alone."""
        smooth = lr.repeat(4, 0).repeat(4, 1).astype(float)
        outputs = [smooth + self.strength * np.random.default_rng(seed).normal(size=smooth.shape) for seed in seeds]
        return np.rint(outputs).clip(0, 255).astype(np.uint8)
