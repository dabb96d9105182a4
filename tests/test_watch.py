"""`watch`: the numbers of its sentence, its button, what it leaves in the output, and that it leaves the training as it is."""

from __future__ import annotations

import re
import threading

import nbformat
import pytest
import torch

from vaecourse import data, diagnostics, estimators, models, oracles
from vaecourse.training import fit
from vaecourse.widgets import frame, watch, watching


@pytest.fixture(scope="module")
def digits():
    return data.load_digits("strokes")


def small(latents=2, **pieces):
    torch.manual_seed(0)
    return models.VAE(latents, (8,), **pieces)


@pytest.fixture
def shown(monkeypatch):
    """A notebook without a page: what was displayed in it, in order."""
    outputs = []
    monkeypatch.setattr(watching, "kernel", lambda: object())
    monkeypatch.setattr(frame.Place, "show", lambda self, bundle, alt="": outputs.append(bundle))
    return outputs


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


def run(model, digits, epochs=3, **settings):
    view = watch(model, digits.test, **settings)
    history = fit(model, digits.train.x[:256], epochs, valid=digits.valid.x[:50], batch_size=64, on_epoch=view, progress=False)
    return view, history


def test_the_sentence_says_the_losses_and_the_exact_values_of_twenty_held_out_digits(digits, shown):
    model = small()
    view, history = run(model, digits)
    x = digits.test.x[:20]
    with torch.no_grad():
        bound = diagnostics.exact_elbo(model, x, model.encoder(x), nodes=40).mean().item()
    said = numbers(view.sentence)
    assert said[:2] == [3, 3]
    assert said[2:4] == pytest.approx([history.train[-1], history.valid[-1]], abs=0.51)
    assert said[4] == 20
    assert said[5:] == pytest.approx([bound, oracles.exact_log_px(model, x).mean().item()], abs=0.6)
    assert "exact log p(x)" in view.sentence
    assert shown[-1] == {"image/png": view.picture, "text/plain": view.sentence}


def test_many_latents_are_judged_by_the_elbo_and_the_importance_weighted_bound(digits, shown):
    model = small(6)
    view, _ = run(model, digits)
    with torch.no_grad():
        bound = estimators.elbo(model, digits.test.x[:20], 2000).mean().item()
        log_px = estimators.iwae_bound(model, digits.test.x[:20], 100).mean().item()
    assert numbers(view.sentence)[5] == pytest.approx(bound, abs=1.5)
    assert numbers(view.sentence)[7] == pytest.approx(log_px, abs=1.5)
    assert "with 100 samples" in view.sentence


@pytest.mark.parametrize("live", [False, True])
def test_a_training_that_is_watched_ends_in_the_same_weights(digits, shown, live):
    plain, watched = small(3), small(3)
    for model, view in ((plain, None), (watched, watch(watched, digits.test, every=0, live=live))):
        torch.manual_seed(1)
        fit(model, digits.train.x[:128], 3, batch_size=64, on_epoch=view, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters()))


def test_the_button_ends_the_training_after_its_epoch_and_the_history_is_kept(digits, shown):
    model = small()

    def press(epoch):
        if epoch == 1:
            reader = threading.Thread(target=lambda: setattr(view.ear, "stop", True))  # a subshell of the kernel
            reader.start()
            reader.join()
            assert view.ear.heard

    view = watch(model, digits.test, also=press, live=True)
    history = fit(model, digits.train.x[:128], 50, valid=digits.valid.x[:50], on_epoch=view)
    assert history.stopped == "on request"
    assert len(history.train) == len(history.valid) == 2
    assert view.sentence.startswith("Stopped on request after epoch 2 of 50:")
    assert view.ear is None
    again = fit(model, digits.train.x[:128], 2, on_epoch=view, progress=False)
    assert (again.stopped, len(again.train)) == ("finished", 2)


def test_patience_goes_back_to_the_best_weights_where_the_button_was_pressed(digits, shown):
    model, kept = small(), []

    def look(epoch):
        kept.append([p.clone() for p in model.parameters()])
        return epoch == 30

    history = fit(
        model, digits.train.x[:8], 90, lr=0.05, decay=False, valid=digits.valid.x[:50], patience=30, on_epoch=look, progress=False
    )
    assert (history.stopped, len(history.train)) == ("on request", 31)
    assert history.best_epoch < 30
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), kept[history.best_epoch]))


def test_an_interruption_leaves_a_last_picture_and_one_before_the_first_epoch_a_sentence(digits, shown):
    model = small()

    def interrupt(epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    view, history = run(model, digits, 9, also=interrupt)
    assert (history.stopped, len(history.train)) == ("interrupted", 2)
    assert view.sentence.startswith("Interrupted after epoch 2 of 9:")
    assert shown[-1]["image/png"].startswith(b"\x89PNG")

    def at_once(model, x):
        raise KeyboardInterrupt

    fit(model, digits.train.x[:64], 3, loss=at_once, on_epoch=view, progress=False)
    assert shown[-1] == {"text/plain": "The training ended before its first epoch was over."}


def test_an_error_ends_what_is_shown_and_is_not_hidden(digits, shown):
    model = small()
    view = watch(model, digits.test, also=lambda epoch: 1 / 0, live=True)
    with pytest.raises(ZeroDivisionError):
        fit(model, digits.train.x[:64], 3, on_epoch=view)
    assert view.ear is None
    assert view.sentence.startswith("After epoch 1 of 3:")
    assert set(shown[-1]) == {"image/png", "text/plain"}


@pytest.mark.parametrize("live", [False, True])
def test_no_picture_is_drawn_twice(digits, shown, monkeypatch, live):
    drawn, original = [], watching.picture
    monkeypatch.setattr(watching, "picture", lambda fig, dpi: drawn.append(1) or original(fig, dpi))
    monkeypatch.setattr(watching, "SHARE", 1.0)
    run(small(), digits, 4, every=0, live=live)
    assert len(drawn) == (4 if live else 1)  # after every epoch, the last picture included
    assert len(drawn) == len([o for o in shown if "img" in o.get("text/html", "") or "image/png" in o])


def test_drawing_waits_for_its_share_of_the_time(digits, shown, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    original = watching.picture

    def slow(fig, dpi):
        now[0] += 1.0  # a picture takes a second
        return original(fig, dpi)

    monkeypatch.setattr(watching, "picture", slow)
    run(small(), digits, 40, every=2.0, live=True, also=lambda epoch: now.__setitem__(0, now[0] + 1.0))  # and so does an epoch
    epochs = [int(numbers(o["text/plain"])[0]) for o in shown if "<img" in o.get("text/html", "")]
    assert epochs == [1, 3, 12, 21, 30, 39]  # nine seconds of training to each second of drawing, but for the first


def test_a_script_draws_and_computes_nothing(digits, monkeypatch):
    monkeypatch.setattr(watching, "scores", lambda *_: pytest.fail("nobody sees it"))
    view, history = run(small(), digits)
    assert (view.sentence, view.picture, view.scores) == ("", None, {})
    assert len(history.train) == 3


def test_every_kind_of_model_can_be_watched(digits, shown):
    x, labels = digits.test.x[:64], digits.test.labels[:64]
    told = models.ConditionalVAE(2, (8,))
    learned = small(prior=models.MixturePrior(2, 3))
    for model, rows, held_out in ((told, told.rows(x, labels), digits.test), (learned, x, x), (small(1), x, digits), (small(3), x, x[:1])):
        view = watch(model, held_out)
        fit(model, rows, 1, on_epoch=view, progress=False)
        assert view.picture.startswith(b"\x89PNG")
        assert all(value == value for pair in view.scores.values() for value in pair)


def test_what_cannot_be_watched_is_refused(digits):
    x = digits.test.x[:20]
    with pytest.raises(ValueError, match="encoder.*pass a VAE"):
        watch(models.LatentVariableModel(2), x)
    with pytest.raises(ValueError, match="without their classes"):
        watch(models.ConditionalVAE(2), x)
    with pytest.raises(ValueError, match="0s and 1s"):
        watch(models.VAE(2), x / 2)
    with pytest.raises(TypeError, match="torch tensor"):
        watch(models.VAE(2), x.tolist())
    with pytest.raises(ValueError, match="labels must hold"):
        watch(models.VAE(2), x, digits.test.labels[:5])
    with pytest.raises(ValueError, match="labels must hold a class from 0 to 9"):
        watch(models.VAE(2), x, torch.full((20,), 10))
    with pytest.raises(ValueError, match="a split brings its own"):
        watch(models.VAE(2), digits.test, digits.test.labels)
    with pytest.raises(ValueError, match="every is a time"):
        watch(models.VAE(2), x, every=-1)


def test_a_notebook_is_left_with_one_picture_and_its_sentence(through_files):
    nbclient = pytest.importorskip("nbclient")
    manager = pytest.importorskip("jupyter_client.manager").AsyncKernelManager(**through_files)
    source = (
        "import os, torch\nos.environ['TQDM_DISABLE'] = '{hidden}'\n"
        "from vaecourse import models\nfrom vaecourse.training import fit\nfrom vaecourse.widgets import watch\n"
        "torch.manual_seed(0)\nx = torch.rand(64, 784).round()\nvae = models.VAE(3, (8,))\n"
        "history = fit(vae, x, 4, on_epoch=watch(vae, x, every=0))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.format(hidden=hidden)) for hidden in "01"])
    nbclient.NotebookClient(notebook, km=manager, timeout=300).execute()
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert set(output.data) == {"image/png", "text/plain"}
        assert output.data["text/plain"].startswith("After epoch 4 of 4: training loss ")
        assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
