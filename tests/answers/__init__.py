"""Right and wrong answers to the exercises, as readers write them: with loops or NumPy, and nothing of convbp."""

from answers import chain, gradients, own_layer, pooling, sliding, whole
from answers.table import RIGHT, WRONG

__all__ = ["RIGHT", "WRONG", "chain", "gradients", "own_layer", "pooling", "sliding", "whole"]
