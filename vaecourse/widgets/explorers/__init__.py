"""Explorers: figures with controls. Each is a function that returns one live figure, see `vaecourse.widgets.live`.

The still pictures are drawn here, at the values at which the live figure starts, with the same sentence. What a figure computes while
it moves is in the file of the same name in the folder js.
"""

from vaecourse.widgets.explorers.pictures import choose_a_prior, draw_a_digit, table_plane, training_replay
from vaecourse.widgets.explorers.plane import draw_your_own, latent_plane, the_gap
from vaecourse.widgets.explorers.sampling import estimate_px, how_many_draws, move_the_proposal, the_kl, two_gradients

__all__ = [
    "choose_a_prior",
    "draw_a_digit",
    "draw_your_own",
    "estimate_px",
    "how_many_draws",
    "latent_plane",
    "move_the_proposal",
    "table_plane",
    "the_gap",
    "the_kl",
    "training_replay",
    "two_gradients",
]
