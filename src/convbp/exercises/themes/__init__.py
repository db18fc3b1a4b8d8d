"""The exercises, theme by theme.

Whoever writes an exercise into a theme is done; a new theme is entered here. docs/writing_an_exercise.md shows how.
"""

from convbp.exercises.exercise import Exercise
from convbp.exercises.themes import chain, channels, own_layer, pooling, region, sliding, stride, two_layers, weights

THEMES = (sliding, weights, region, chain, pooling, stride, channels, two_layers, own_layer)
# Each once: a theme may build on an exercise of another.
ALL = tuple(
    {each.name: each for theme in THEMES for each in vars(theme).values() if isinstance(each, Exercise)}.values()
)
