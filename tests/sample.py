"""What long sweeps try: a part of it, drawn anew in each run, and all of it on demand.

``CONVBP_THOROUGH=1`` tries all. The run says its ``CONVBP_SEED`` at the beginning and where something failed; set, it
draws the same part again.
"""

import os
import zlib
from collections.abc import Sequence

import numpy as np

THOROUGH = bool(os.environ.get("CONVBP_THOROUGH"))


def size(usual: int, thorough: int) -> int:
    """How many to try."""
    return thorough if THOROUGH else usual


def rng(name: str) -> np.random.Generator:
    """Random numbers of this run, others for each name."""
    return np.random.default_rng([int(os.environ["CONVBP_SEED"]), zlib.crc32(name.encode())])


def some(things: Sequence, usual: int, name: str) -> list:
    """So many of them in their order, others in each run."""
    chosen = rng(name).choice(len(things), size(min(usual, len(things)), len(things)), replace=False)
    return [things[place] for place in sorted(chosen)]
