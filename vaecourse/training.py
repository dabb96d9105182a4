"""The training loop: index one tensor, take one fused Adam step, look at the validation set once an epoch."""

from __future__ import annotations

import hashlib
import json
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from numbers import Real
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vaecourse.arguments import positive
from vaecourse.data import Digits, Split, load_digits, shipped
from vaecourse.estimators import iwae_bound
from vaecourse.files import located, read_tensors, replacing
from vaecourse.models import VAE, LatentVariableModel
from vaecourse.oracles import quadrature_log_px

Loss = Callable[[LatentVariableModel, Tensor], Tensor]


@dataclass
class History:
    """What happened during training, one entry an epoch, in nats per image.

    Attributes:
        train: average loss over the epoch, while the weights were moving.
        valid: loss on the validation images at the end of the epoch, always with the same noise; empty without them.
        stopped: "finished", "early" (no better for `patience` epochs), "on request" (of `on_epoch`) or "interrupted".
        best_epoch: the epoch (from 0) of the lowest validation loss, None without validation images.
    """

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    stopped: str = "finished"

    @property
    def best_epoch(self) -> int | None:
        return min(range(len(self.valid)), key=lambda i: (math.isnan(self.valid[i]), self.valid[i])) if self.valid else None


def fit(
    model: LatentVariableModel,
    data: Digits | Split | Tensor,
    epochs: int = 30,
    *,
    batch_size: int = 256,
    lr: float = 2e-3,
    decay: bool = True,
    loss: Loss | None = None,
    valid: Tensor | None = None,
    patience: int | None = None,
    dynamic: bool = False,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[int], bool | None] | None = None,
    progress: bool = True,
) -> History:
    """Minimise `loss(model, x)` over mini-batches with Adam (Kingma and Ba 2015); notebook 08 writes this loop out.

    Args:
        data: a data set (its validation split is used too), a split, or images (N, D).
        decay: lower the rate along a cosine to 1 % of `lr` at the last step; otherwise it stays constant.
        loss: by default the model's own, minus the ELBO. It is called on the validation images too, without gradients.
        valid: images for validation, where `data` brings none.
        patience: stop after so many epochs without a better validation loss, and go back to the best weights.
        dynamic: binarise the intensities anew every epoch; needs a data set or a split.
        checkpoint: a file (.safetensors) to which weights, optimiser, history and random state go after every epoch.
        resume: go on from `checkpoint` where it exists. The result is the same, bit for bit, as without the
            interruption; for this the global random state is set to the one saved. Only `patience` may change, and
            with decay=False `epochs` may grow. A loss is known by its name alone: where it has changed under the same
            name, the validation loss shows it, and a warning says so.
        on_epoch: called with the number (from 0) of every epoch that was completed; where it returns True the training
            ends. History and checkpoint know nothing of what it keeps: after resuming it is called for the remaining
            epochs only. One that has methods `begin(history, epochs)` and `end()` is also told of the start, where it
            says whether it takes the place of the bar, and of the end, whatever the reason (see `vaecourse.widgets.watch`).
        progress: show a bar (TQDM_DISABLE=1 in the environment hides it too).

    Returns:
        The history. Ctrl-C (or the stop button) ends the training and returns what was reached: a history of fewer
        epochs than asked for, perhaps of none. Calling `fit` again goes on from the weights reached, with a new history.

    Raises:
        ValueError, TypeError: bad images or settings, a model that is frozen, a checkpoint of another training or a
            file that is no checkpoint.
        FloatingPointError: the loss or its gradient is not finite; the weights are those before that step.
    """
    from tqdm.auto import tqdm  # in a notebook it brings ipywidgets along

    epochs, batch_size, *_ = positive(epochs=epochs, batch_size=batch_size, **({} if patience is None else {"patience": patience}))
    if not (isinstance(lr, Real) and 0 <= lr < math.inf):
        raise ValueError(f"lr is the learning rate, a number of 0 or above; got {lr!r}")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(
            "there is nothing to train: all parameters of the model are frozen (requires_grad=False). "
            "model.requires_grad_(True) lets it learn on; or make a new model"
        )
    split = data.train if isinstance(data, Digits) else data
    valid = data.valid.x if valid is None and isinstance(data, Digits) else valid
    x = split.x if isinstance(split, Split) else split
    model.check(x)
    if valid is not None:
        model.check(valid)
    if patience is not None and valid is None:
        raise ValueError("patience needs validation images: pass valid=, or a data set that has them")
    if dynamic and not isinstance(split, Split):
        raise ValueError("dynamic binarisation needs grey levels: pass a data set or a split, not its images alone")
    if resume and checkpoint is None:
        raise ValueError("resume=True needs checkpoint=, the file to go on from")
    run = _Run(model, float(lr), loss or _own_loss, n_steps=epochs * math.ceil(len(x) / batch_size) if decay else None)
    if checkpoint is not None:
        checkpoint = located(checkpoint)
        if checkpoint.is_dir():
            raise ValueError(f"checkpoint={str(checkpoint)!r} is a folder: add the name of a file, such as run.safetensors")
        settings = {
            "epochs": epochs if decay else "any",
            "batch_size": batch_size,
            "lr": float(lr),
            "decay": bool(decay),
            "dynamic": bool(dynamic),
            "loss": _name(run.loss),
            "training data": _fingerprint(x, split.grey) if dynamic else _fingerprint(x),
            "validation data": "none" if valid is None else _fingerprint(valid),
            **_architecture(model),
        }
        if resume and checkpoint.exists():
            run.load(checkpoint, settings, epochs)
            if run.history.valid:
                run.compare(valid, checkpoint)
    history = run.history
    history.stopped = "finished"
    view = on_epoch if hasattr(on_epoch, "begin") else None
    seen = view is not None and view.begin(history, epochs)
    hidden = seen or not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")  # which tqdm's bar for notebooks does not look at
    bar = tqdm(total=epochs, initial=len(history.train), unit="epoch", disable=hidden)
    try:
        for epoch in range(len(history.train), epochs):
            if _out_of_patience(history, patience):
                history.stopped = "early"
                break
            train = run.epoch(split.toss() if dynamic else x, batch_size)
            validation = [] if valid is None else [run.validate(valid)]
            history.train.append(train)  # both, or neither where the epoch is interrupted
            history.valid.extend(validation)
            if history.best_epoch == epoch and (patience is not None or checkpoint is not None):  # resumed, it may get patience
                run.best = {k: v.clone() for k, v in model.state_dict().items()}
            if checkpoint is not None:
                run.save(checkpoint, settings)
            bar.update()
            bar.set_postfix(train=f"{history.train[-1]:.1f}", **({"valid": f"{history.valid[-1]:.1f}"} if history.valid else {}))
            if on_epoch is not None and on_epoch(epoch) is True and epoch + 1 < epochs:
                history.stopped = "on request"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        bar.close()
        model._known = None
        if view is not None:
            view.end()
    if patience is not None and run.best and history.stopped != "interrupted":
        model.load_state_dict(run.best)
    return history


def exact_loss(spacing: float) -> Loss:
    """Minus the average log p(x) on a lattice moved at random at every call: exact maximum likelihood (notebook 04b)."""
    return _called(
        f"exact_loss({spacing})",
        lambda model, x: -quadrature_log_px(model, x, spacing, torch.rand(model.latent_dim), radius=4.5).mean(),
    )


def beta_loss(beta: float) -> Loss:
    """Reconstruction error plus beta times the KL: minus the ELBO at beta = 1 only (Higgins et al. 2017, equation 4; notebook 11)."""
    if not beta >= 0:
        raise ValueError(f"beta is the weight of the KL, 0 or above; got {beta}")

    def loss(model: VAE, x: Tensor) -> Tensor:
        log_px_given_z, kl = model.terms(x)
        return (beta * kl - log_px_given_z).mean()

    return _called(f"beta_loss({beta})", loss)


def free_bits_loss(nats: float) -> Loss:
    """Minus the ELBO, where the KL of each latent, averaged over the batch, counts as `nats` at least.

    Kingma et al. 2016, appendix on free bits (notebook 09, equation 9.10). Both q and the prior must be diagonal normals, or a
    latent has no KL of its own.
    """
    if not nats >= 0:
        raise ValueError(f"nats is what each latent may carry for nothing, 0 or above; got {nats}")

    def loss(model: VAE, x: Tensor) -> Tensor:
        model.check(x)
        q, prior = model.encoder(x), model.prior
        if not all(isinstance(p, Independent) and isinstance(p.base_dist, Normal) for p in (q, prior)):
            raise ValueError(f"free bits are counted latent by latent: the prior must be N(0, I), not a {type(prior).__name__}")
        kl = kl_divergence(q.base_dist, prior.base_dist).mean(0)
        return kl.clamp(min=nats).sum() - model.decoder(q.rsample()).log_prob(x).mean()

    return _called(f"free_bits_loss({nats})", loss)


def iwae_loss(n_samples: int) -> Loss:
    """Minus the importance weighted bound with n_samples draws an image (Burda et al. 2016, equation 8; notebook 11).

    With one draw this is minus the ELBO, its KL drawn too. A step takes about n_samples times the decoder's work.
    """
    (n_samples,) = positive(n_samples=n_samples)
    return _called(f"iwae_loss({n_samples})", lambda model, x: -iwae_bound(model, x, n_samples).mean())


def make_decoder(name: str) -> None:
    """Train the K = 2 decoder of the digits called `name` by exact maximum likelihood; store it in data/decoder.safetensors.

    A coarse lattice is fast and biased, a fine one slow and exact, so the lattice is made finer twice on the way.
    """
    torch.manual_seed(0)
    digits, model = load_digits(name), LatentVariableModel(latent_dim=2)
    epochs = {"strokes": (60, 40, 10), "mnist": (30, 16, 4)}[name]
    for n, spacing, batch_size, lr in zip(epochs, (0.3, 0.2, 0.12), (128, 128, 256), (1.5e-3, 1e-3, 5e-4)):
        fit(model, digits.train, n, batch_size=batch_size, lr=lr, loss=exact_loss(spacing))
    path = shipped("decoder.safetensors")
    there = read_tensors(path, "a safetensors file with decoders")[0] if path.exists() else {}
    kept = {k: v for k, v in there.items() if not k.startswith(f"{name}/")}
    _write(path, kept | {f"{name}/{k}": v for k, v in model.state_dict().items()})


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    with replacing(path) as part:
        save_file({k: v.contiguous() for k, v in tensors.items()}, part, metadata=metadata)


def _own_loss(model: LatentVariableModel, x: Tensor) -> Tensor:
    return model.loss(x)


def _called(name: str, loss: Loss) -> Loss:
    """The loss, with a name by which a checkpoint knows it and what it was made with."""
    loss.__name__ = loss.__qualname__ = name
    return loss


def _name(loss: Loss) -> str:
    """A loss in words: its name; of functools.partial and of an object that can be called, that of the function or the class."""
    if loss is _own_loss:
        return "the model's own"
    loss = getattr(loss, "func", loss)
    return getattr(loss, "__qualname__", type(loss).__qualname__)


def _fingerprint(x: Tensor, *more: Tensor) -> str:
    """How many rows there are, and the beginning of the sha256 of all their bytes."""
    sha256 = hashlib.sha256()
    for tensor in (x, *more):
        sha256.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return f"{len(x)} rows of sha256 {sha256.hexdigest()[:12]}"


def _architecture(model: LatentVariableModel) -> dict[str, str]:
    """What a model is made of: its layers as they print themselves, and every tensor it keeps."""
    frozen = {name for name, p in model.named_parameters(remove_duplicate=False) if not p.requires_grad}
    layers = {
        f"layer {name or 'model'}": " ".join(f"{type(module).__name__}({module.extra_repr()})".split())
        for name, module in model.named_modules()
    }
    tensors = {
        f"tensor {name}": f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}{' frozen' if name in frozen else ''}"
        for name, value in model.state_dict().items()
    }
    return layers | tensors


def _differences(then: dict, now: dict, most: int = 4) -> str:
    """In what two settings differ, in words: the first few."""
    keys = [key for key in now | then if then.get(key) != now.get(key)]
    words = [f"{key}: {then.get(key, 'none')} then, {now.get(key, 'none')} now" for key in keys[:most]]
    return ", ".join(words) + (f", and {len(keys) - most} more" if len(keys) > most else "")


def _out_of_patience(history: History, patience: int | None) -> bool:
    return patience is not None and bool(history.valid) and len(history.valid) - 1 - history.best_epoch >= patience


class _Run:
    """A model, its optimiser and its history: what a checkpoint must hold for the training to go on exactly."""

    def __init__(self, model: LatentVariableModel, lr: float, loss: Loss, n_steps: int | None):
        self.model, self.lr, self.loss, self.n_steps = model, lr, loss, n_steps
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.adam = torch.optim.Adam(self.parameters, lr=lr, fused=True)
        self.history, self.best, self.step = History(), {}, 0

    def epoch(self, x: Tensor, batch_size: int) -> float:
        """One pass over the images, which were checked, in random order; returns the average loss."""
        total, order = 0.0, torch.randperm(len(x))
        for index in order.split(batch_size):
            batch = x.index_select(0, index)
            self.model._known = batch, batch._version
            if self.n_steps is not None:
                self.adam.param_groups[0]["lr"] = self.lr * (0.505 + 0.495 * math.cos(math.pi * self.step / self.n_steps))
            loss = self.loss(self.model, batch)
            value = self._value(loss)
            self._stop_unless_finite("loss", value)
            self.adam.zero_grad()
            loss.backward()
            gradients = [p.grad.flatten() for p in self.parameters if p.grad is not None]
            self._stop_unless_finite("gradient", math.sqrt(torch.stack([torch.dot(g, g) for g in gradients]).sum().item()))  # its norm
            self.adam.step()
            self.step += 1
            total += value * len(index)
        return total / len(x)

    def _value(self, loss: Tensor) -> float:
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            found = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) and loss.numel() != 1 else f"{loss!r}"
            raise ValueError(
                f"loss must return one number, a tensor that depends on the parameters to be trained; got {found}: average over the "
                "batch, and use no .item(), .detach() or torch.no_grad() on the way"
            )
        return loss.item()

    def _stop_unless_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {what} became {value} at step {self.step} (epoch {len(self.history.train)}); the weights are those before this "
                "step. Usual causes: a rate that is too high (lower lr), or a likelihood outside log space (notebook 04)"
            )

    def validate(self, valid: Tensor) -> float:
        """The loss on the validation images. The noise is the same every time, and the reader's random state is left alone."""
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return sum(self.loss(self.model, part).item() * len(part) for part in valid.split(2_000)) / len(valid)

    def save(self, path: Path, settings: dict) -> None:
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()} | {f"best/{k}": v for k, v in self.best.items()}
        for i, state in self.adam.state_dict()["state"].items():
            tensors |= {f"adam/{i}/{name}": value for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        meta = {"settings": json.dumps(settings), "history": json.dumps(asdict(self.history)), "step": str(self.step)}
        _write(path, tensors, meta)

    def load(self, path: Path, settings: dict, epochs: int) -> None:
        """Go back to what was saved. Raises ValueError, and leaves everything as it is, where the file does not belong to this training."""
        other = "give another file as checkpoint=, or remove this one to begin anew"
        try:
            tensors, meta = read_tensors(path, "a checkpoint of fit")
        except ValueError as error:
            raise ValueError(f"{error}: {other}") from error
        if not {"settings", "history", "step"} <= meta.keys():
            raise ValueError(f"{path} is not a checkpoint of fit: it is a safetensors file of something else; {other}")
        saved, history = json.loads(meta["settings"]), History(**json.loads(meta["history"]))
        if saved != settings:
            raise ValueError(
                f"{path} belongs to a training with other settings ({_differences(saved, settings)}): use the same, or another "
                "checkpoint file"
            )
        if len(history.train) > epochs:
            raise ValueError(f"{path} holds {len(history.train)} epochs already, and {epochs} are asked for: {other}, or raise epochs")
        self.model.load_state_dict(_under("model/", tensors))
        self.best = _under("best/", tensors)
        state = self.adam.state_dict()
        for key, value in _under("adam/", tensors).items():
            i, name = key.split("/")
            state["state"].setdefault(int(i), {})[name] = value
        self.adam.load_state_dict(state)
        self.history, self.step = history, int(meta["step"])
        torch.set_rng_state(tensors["random"])

    def compare(self, valid: Tensor, path: Path) -> None:
        """Warn where the weights just loaded have another validation loss than they had."""
        then, now = self.history.valid[-1], self.validate(valid)
        if not (math.isclose(then, now, rel_tol=1e-4, abs_tol=1e-4) or math.isnan(then)):
            warnings.warn(
                f"the weights saved in {path} had a validation loss of {then:.6g}, and have one of {now:.6g} now: the loss or the model "
                "has changed without changing its name, so that losses from before and after cannot be compared",
                stacklevel=3,
            )


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
