"""What moves or asks in a notebook: live figures that need no kernel, questions that answer, and a control over the notebook.

`predict` and `quiz` ask; the explorers (`estimate_px` and the others) are figures to drag.
"""

from vaecourse.widgets.explorers import *  # noqa: F403
from vaecourse.widgets.explorers import __all__ as _explorers
from vaecourse.widgets.questions import predict, quiz, skip_the_rest

__all__ = [*_explorers, "predict", "quiz", "skip_the_rest"]
