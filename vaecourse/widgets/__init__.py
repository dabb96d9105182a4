"""Live figures and questions: figures that need no kernel, views that do, predictions and quizzes, and a control over the notebook.

`predict` and `quiz` ask questions; the explorers (`estimate_px` and the others) are figures with controls; `watch` shows a training while
it runs, and `explore` lets the reader move through the latents of any model.
"""

from vaecourse.widgets.explorers import *  # noqa: F403
from vaecourse.widgets.explorers import __all__ as _explorers
from vaecourse.widgets.exploring import explore
from vaecourse.widgets.questions import predict, quiz, skip_the_rest
from vaecourse.widgets.watching import watch

__all__ = [*_explorers, "explore", "predict", "quiz", "skip_the_rest", "watch"]
