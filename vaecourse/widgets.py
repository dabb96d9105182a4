"""Small controls for notebooks. Each works with the keyboard, and says its state in words.

And one control over the notebook itself: `skip_the_rest`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import ascii_lowercase


def predict(question: str, choices: Sequence[str]):
    """A question to answer before the next cell is run: one button a choice, and a line that keeps the reader's answer.

    The answer is not judged here: the next cell does that. Without a running kernel the question and the choices still
    stand in the output as plain text.

    Returns:
        An ipywidgets.VBox; let it be the last expression of its cell.
    """
    import ipywidgets as widgets

    if not 2 <= len(choices) <= 26:
        raise ValueError(f"a prediction needs 2 to 26 choices; got {len(choices)}")
    lettered = [f"({letter}) {choice}" for letter, choice in zip(ascii_lowercase, choices)]
    answer = widgets.HTML("No prediction yet.")

    def choose(button: widgets.Button) -> None:
        answer.value = f"You predicted: {button.description}. Now run the next cell."

    buttons = []
    for text in lettered:
        button = widgets.Button(description=text, tooltip=f"Predict {text}", layout=widgets.Layout(width="auto"))
        button.on_click(choose)
        buttons.append(button)

    class Prediction(widgets.VBox):
        def __repr__(self) -> str:
            return f"Predict: {question}\n" + "\n".join(f"  {text}" for text in lettered)

        def _repr_mimebundle_(self, **kwargs) -> dict:
            bundle = super()._repr_mimebundle_(**kwargs)  # ipywidgets cuts its plain text after 110 characters
            return bundle | {"text/plain": repr(self)} if bundle else bundle

    row = widgets.HBox(buttons, layout=widgets.Layout(flex_flow="row wrap"))
    return Prediction([widgets.HTML(f"<b>Predict.</b> {escape(question)}"), row, answer])


def skip_the_rest(why: str) -> None:
    """Print `why`; every cell that is run after this one does nothing, until the kernel is restarted.

    For a notebook whose data cannot be had: it runs to its end, says so once, and shows no error. Outside of IPython
    there are no cells, and the line is all.
    """
    from IPython import get_ipython

    print(why)
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_post.append(lambda lines: ["pass\n"])
