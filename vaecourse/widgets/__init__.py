"""Small controls for notebooks. Each works with the keyboard, and says its state in words.

`predict` and `quiz` ask; the explorers (`draw_a_digit` to `how_many_draws`) let a figure follow its controls.
"""

from vaecourse.widgets.explorers import (
    choose_a_prior,
    draw_a_digit,
    estimate_px,
    how_many_draws,
    latent_plane,
    move_the_proposal,
    table_plane,
    the_gap,
    the_kl,
    training_replay,
    two_gradients,
)
from vaecourse.widgets.questions import predict, quiz, skip_the_rest

__all__ = [
    "choose_a_prior",
    "draw_a_digit",
    "estimate_px",
    "how_many_draws",
    "latent_plane",
    "move_the_proposal",
    "predict",
    "quiz",
    "skip_the_rest",
    "table_plane",
    "the_gap",
    "the_kl",
    "training_replay",
    "two_gradients",
]
