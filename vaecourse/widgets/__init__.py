"""What moves or asks in a notebook: figures that need no kernel, views that do, questions that answer, and a control over the notebook.

`predict` and `quiz` ask; the explorers (`estimate_px` and the others) are figures to drag; `watch` shows a training while it runs, and
`explore` any model of the reader's own.
"""

from vaecourse.widgets.explorers import *  # noqa: F403
from vaecourse.widgets.explorers import __all__ as _explorers
from vaecourse.widgets.exploring import explore
from vaecourse.widgets.questions import predict, quiz, skip_the_rest
from vaecourse.widgets.watching import watch

__all__ = [*_explorers, "explore", "predict", "quiz", "skip_the_rest", "watch"]
