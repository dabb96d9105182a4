"""The training loop: index a tensor, take a fused Adam step, and evaluate the validation set once per epoch."""

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

from vaecourse.arguments import number, positive
from vaecourse.data import Digits, Split, load_digits, shipped
from vaecourse.distributions import gaussian_kl, log_prob_of_pixels
from vaecourse.estimators import iwae_bound
from vaecourse.files import located, read_tensors, replaceable, replacing
from vaecourse.models import VAE, Decoder, Encoder, LatentVariableModel
from vaecourse.oracles import quadrature_log_px

__all__ = ["History", "Loss", "beta_loss", "exact_loss", "fit", "free_bits_loss", "iwae_loss", "make_decoder", "make_vaes"]

Loss = Callable[[LatentVariableModel, Tensor], Tensor]


@dataclass(repr=False)
class History:
    """The record of a training, with one entry for each epoch, in nats per image.

    Attributes:
        train: the average loss over the epoch, during which the weights changed.
        valid: the loss on the validation images at the end of the epoch, always with the same noise; empty if there are none.
        stopped: why the training ended: "finished", "early" (no improvement for `patience` epochs), "on request" (of `on_epoch`) or
            "interrupted".

    Example:
        >>> history = History(train=[190.0, 170.0, 165.0], valid=[185.0, 172.0, 174.0])
        >>> history
        History(3 epochs, finished: training loss 165.0, validation loss 174.0, lowest 172.0 in epoch 1)
        >>> history.best_epoch
        1
    """

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    stopped: str = "finished"

    def __repr__(self) -> str:
        n, best = len(self.train), self.best_epoch
        losses = [f"training loss {self.train[-1]:.1f}"] if self.train else []
        losses += [] if best is None else [f"validation loss {self.valid[-1]:.1f}, lowest {self.valid[best]:.1f} in epoch {best}"]
        return f"History({n} epoch{'s' * (n != 1)}, {self.stopped}{': ' * bool(losses)}{', '.join(losses)})"

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 0, with the lowest validation loss; None without validation images."""
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
    """Minimise `loss(model, x)` over mini-batches with Adam (Kingma and Ba 2015). Notebook 08 writes this loop out.

    Args:
        model: the model, which is trained in place, on the device where it is.
        data: a data set, whose validation split is used as well, a split, or images (N, D). They are moved to the model's device.
        epochs: how often the training passes over the images.
        batch_size: the number of images in a step.
        lr: the learning rate.
        decay: whether the rate decreases along a cosine, to 1 % of `lr` at the last step; otherwise it is constant.
        loss: called with the model and a batch, it returns a scalar in nats; by default `model.loss`, minus the ELBO. It is also called
            on the validation images, without gradients.
        valid: images for validation, if `data` does not bring any.
        patience: stop after this many epochs without a lower validation loss, and return to the best weights.
        dynamic: draw the pixels from their intensities again in every epoch; this requires a data set or a split.
        checkpoint: a file (.safetensors) to which weights, optimiser, history and random state are written after every epoch.
        resume: continue from `checkpoint` if that file exists. The result is the same, bit for bit, as without the interruption; to
            achieve this, the global random state is set to the saved one. Only `patience` may differ from the interrupted training
            and, with decay=False, `epochs` may be larger. A loss is recognised by its name alone: if it has changed under the same
            name, the validation loss reveals it, and a warning is given.
        on_epoch: called with the number (from 0) of every completed epoch; the training ends if it returns True (Python's, NumPy's or
            torch's). Its own state is not part of history and checkpoint: after resuming it is called for the remaining epochs only.
            If it has methods `begin(history, epochs)` and `end()`, these are called at the start, where its answer says whether it
            replaces the progress bar, and at the end, whatever the reason (see `vaecourse.widgets.watch`).
        progress: show a progress bar (TQDM_DISABLE=1 in the environment hides it, too).

    Returns:
        The history. Ctrl-C (or the stop button) ends the training and returns what was reached: a history of fewer epochs than
        requested, perhaps of none. A further call of `fit` continues from these weights with a new history.

    Raises:
        TypeError, ValueError: images or settings do not fit, the model has no loss of its own and none is passed, all parameters are
            frozen, or the checkpoint belongs to another training or is no checkpoint.
        OSError: the checkpoint cannot be written (see `vaecourse.files.replaceable`); nothing has been trained.
        FloatingPointError: the loss or its gradient is not finite; the weights are those before that step.

    Example:
        >>> x = (torch.rand(100, 784) < 0.2).float()
        >>> history = fit(VAE(latent_dim=2), x, epochs=2, progress=False)
        >>> len(history.train), history.stopped, history.train[1] < history.train[0]
        (2, 'finished', True)
    """
    from tqdm.auto import tqdm  # in a notebook it imports ipywidgets

    epochs, batch_size, *_ = positive(epochs=epochs, batch_size=batch_size, **({} if patience is None else {"patience": patience}))
    if not (isinstance(lr, Real) and 0 <= lr < math.inf):
        raise ValueError(f"lr is the learning rate and must be a finite number, 0 or above; got {lr!r}")
    if not callable(loss) and (loss is not None or not hasattr(model, "loss")):
        wanted = (
            "loss must be a function of the model and a batch" if loss is not None else f"{type(model).__name__} has no loss of its own"
        )
        raise TypeError(f"{wanted}: pass loss=, for example exact_loss(0.3) for a model without an encoder")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(
            "there is nothing to train: all parameters of the model are frozen (requires_grad=False). "
            "model.requires_grad_(True) makes them trainable again; or make a new model"
        )
    split = data.train if isinstance(data, Digits) else data
    valid = data.valid.x if valid is None and isinstance(data, Digits) else valid
    device = next(model.parameters()).device
    x, valid = (_moved(images, device) for images in (split.x if isinstance(split, Split) else split, valid))
    model.check(x)
    if valid is not None:
        model.check(valid)
    if patience is not None and valid is None:
        raise ValueError("patience needs validation images: pass valid=, or a data set, which has them")
    if dynamic and not isinstance(split, Split):
        raise ValueError("dynamic binarisation needs grey levels: pass a data set or a split, not its images alone")
    if resume and checkpoint is None:
        raise ValueError("resume=True needs checkpoint=, the file to continue from")
    run = _Run(model, float(lr), loss or _own_loss, n_steps=epochs * math.ceil(len(x) / batch_size) if decay else None)
    if checkpoint is not None:
        checkpoint = located(checkpoint)
        if checkpoint.is_dir():
            raise ValueError(f"checkpoint={str(checkpoint)!r} is a folder: add the name of a file, such as run.safetensors")
        replaceable(checkpoint)  # raises now rather than after the first epoch
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
    hidden = seen or not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")  # which tqdm's bar for notebooks ignores
    bar = tqdm(total=epochs, initial=len(history.train), unit="epoch", disable=hidden)
    try:
        for epoch in range(len(history.train), epochs):
            if _out_of_patience(history, patience):
                history.stopped = "early"
                break
            train = run.epoch(split.toss().to(device) if dynamic else x, batch_size)
            validation = [] if valid is None else [run.validate(valid)]
            history.train.append(train)  # both, or neither where the epoch is interrupted
            history.valid.extend(validation)
            if history.best_epoch == epoch and (patience is not None or checkpoint is not None):  # a resumed training may have patience
                run.best = {k: v.clone() for k, v in model.state_dict().items()}
            if checkpoint is not None:
                run.save(checkpoint, settings)
            bar.update()
            bar.set_postfix(train=f"{history.train[-1]:.1f}", **({"valid": f"{history.valid[-1]:.1f}"} if history.valid else {}))
            if on_epoch is not None and _is_true(on_epoch(epoch)) and epoch + 1 < epochs:
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
    """The loss of exact maximum likelihood: minus the average log p(x), in nats, on a lattice that is shifted at random in every call.

    Args:
        spacing: the spacing of the lattice (see `vaecourse.oracles.quadrature_log_px`).

    Returns:
        A loss for `fit` (notebook 04b).

    Raises:
        TypeError, ValueError: spacing is not a number above 0; in a call of the loss, the images do not fit the model.

    Example:
        >>> loss = exact_loss(spacing=0.3)
        >>> loss(LatentVariableModel(latent_dim=2), torch.ones(5, 784)).shape
        torch.Size([])
    """
    if not number("spacing", spacing) > 0:
        raise ValueError(f"spacing is the distance between neighbours on the lattice and must be above 0; got {spacing}")

    def loss(model: LatentVariableModel, x: Tensor) -> Tensor:
        model.check(x)
        shift = torch.rand(getattr(model, "latent_dim", 0))  # without latents the model is refused
        return -quadrature_log_px(model, x, spacing, shift, radius=4.5).mean()

    return _called(f"exact_loss({spacing})", loss)


def beta_loss(beta: float) -> Loss:
    """The loss of the beta-VAE, in nats: the reconstruction error plus beta times the KL divergence.

        loss = -E_q[log p(x|z)] + beta KL(q(z|x) || p(z))

    It is minus the ELBO at beta = 1, and minus a lower bound on log p(x) for every beta above 1.

    Args:
        beta: the weight of the divergence, 0 or above.

    Returns:
        A loss for `fit`.

    Raises:
        TypeError, ValueError: beta is not a number, 0 or above; in a call of the loss, the model has no encoder.

    References:
        Higgins et al. 2017, equation 4; notebook 11.

    Example:
        >>> beta_loss(4.0)(VAE(latent_dim=2), torch.ones(5, 784)).shape
        torch.Size([])
    """
    if not number("beta", beta) >= 0:
        raise ValueError(f"beta is the weight of the KL divergence and must be 0 or above; got {beta}")

    def loss(model: VAE, x: Tensor) -> Tensor:
        _needs_encoder(model)
        log_px_given_z, kl = model.terms(x)
        return (beta * kl - log_px_given_z).mean()

    return _called(f"beta_loss({beta})", loss)


def free_bits_loss(nats: float) -> Loss:
    """Minus the ELBO, in which the KL divergence of each latent, averaged over the batch, counts as at least `nats`.

        loss = -E_q[log p(x|z)] + sum_k max(nats, mean over the batch of KL(q(z_k|x) || p(z_k)))

    Both q and the prior must be diagonal normals, because otherwise a latent has no divergence of its own.

    Args:
        nats: the least that each latent counts, 0 or above.

    Returns:
        A loss for `fit`.

    Raises:
        TypeError, ValueError: `nats` is not a number, 0 or above; in a call of the loss, the model has no encoder, or q or the prior
            is no diagonal normal.

    References:
        Kingma et al. 2016, appendix on free bits; notebook 09b, equation 9b.6.

    Example:
        >>> free_bits_loss(0.5)(VAE(latent_dim=2), torch.ones(5, 784)).shape
        torch.Size([])
    """
    if not number("nats", nats) >= 0:
        raise ValueError(f"nats is the divergence that each latent may have at no cost and must be 0 or above; got {nats}")

    def loss(model: VAE, x: Tensor) -> Tensor:
        _needs_encoder(model)
        model.check(x)
        q, prior = model.encoder(x), model.prior
        if not all(isinstance(p, Independent) and isinstance(p.base_dist, Normal) for p in (q, prior)):
            raise ValueError(f"free bits are counted for each latent on its own: the prior must be N(0, I), not a {type(prior).__name__}")
        kl = kl_divergence(q.base_dist, prior.base_dist).mean(0)
        return kl.clamp(min=nats).sum() - model.decoder(q.rsample()).log_prob(x).mean()

    return _called(f"free_bits_loss({nats})", loss)


def iwae_loss(n_samples: int) -> Loss:
    """Minus the importance weighted bound, averaged over the batch, in nats.

        loss = -log( (1/S) sum_s w_s ),    z_s ~ q(z|x)

    With one sample it is minus the ELBO, whose KL part is estimated as well. A step costs about S times the decoder's work.

    Args:
        n_samples: S, the number of samples of z for each image.

    Returns:
        A loss for `fit`.

    Raises:
        TypeError, ValueError: n_samples is not a whole number above 0.

    References:
        Burda et al. 2016, equation 8; notebook 11.

    Example:
        >>> iwae_loss(5)(VAE(latent_dim=2), torch.ones(3, 784)).shape
        torch.Size([])
    """
    (n_samples,) = positive(n_samples=n_samples)
    return _called(f"iwae_loss({n_samples})", lambda model, x: -iwae_bound(model, x, n_samples).mean())


def _needs_encoder(model: LatentVariableModel) -> None:
    if not hasattr(model, "encoder"):
        raise ValueError(f"this loss needs an encoder, and {type(model).__name__} has none: pass a VAE, or use exact_loss")


def _is_true(answer: object) -> bool:
    """Whether this is True, from Python, NumPy or torch; numbers and other objects are not."""
    return answer is True or (str(getattr(answer, "dtype", "")) in ("bool", "torch.bool") and math.prod(answer.shape) == 1 and bool(answer))


def make_decoder(name: str) -> None:
    """Train the decoder with two latents of the digits called `name` by exact maximum likelihood, and store it in data/decoder.safetensors.

    A coarse lattice is fast and biased, a fine one slow and accurate, so the lattice is refined twice during the training. It takes a
    quarter of an hour.
    """
    torch.manual_seed(0)
    digits, model = load_digits(name), LatentVariableModel(latent_dim=2)
    epochs = {"strokes": (60, 40, 10), "mnist": (30, 16, 4)}[name]
    for n, spacing, batch_size, lr in zip(epochs, (0.3, 0.2, 0.12), (128, 128, 256), (1.5e-3, 1e-3, 5e-4)):
        fit(model, digits.train, n, batch_size=batch_size, lr=lr, loss=exact_loss(spacing))
    _keep("decoder.safetensors", name, model)


def make_vaes(name: str) -> None:
    """Train the VAEs of the digits called `name`, with 2 and with 20 latents, and store them in data/vaes.safetensors.

    The pixels are drawn anew in every epoch (dynamic binarisation). The weights are stored in half precision. It takes about ten minutes.
    """
    digits = load_digits(name)
    for latent_dim, hidden in ((20, 400), (2, 128)):
        torch.manual_seed(0)
        model = VAE(latent_dim, (hidden, hidden))
        fit(model, digits, {"strokes": 200, "mnist": 100}[name], batch_size=128, lr=1e-3, dynamic=True)
        _keep("vaes.safetensors", f"{name}-{latent_dim}", model.half())


def _keep(file: str, name: str, model: LatentVariableModel) -> None:
    """Store a model under its name in a shipped file, and keep the others that the file holds."""
    path = shipped(file)
    there = read_tensors(path, "a safetensors file with models")[0] if path.exists() else {}
    kept = {k: v for k, v in there.items() if not k.startswith(f"{name}/")}
    _write(path, kept | {f"{name}/{k}": v for k, v in model.state_dict().items()})


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    with replacing(path) as part:
        save_file({k: v.contiguous() for k, v in tensors.items()}, part, metadata=metadata)


def _moved(images: object, device: torch.device) -> object:
    return images.to(device) if isinstance(images, Tensor) else images  # what else was passed is refused by `check`


def _own_loss(model: LatentVariableModel, x: Tensor) -> Tensor:
    """`model.loss(x)`. For the usual VAE it is computed without distribution objects: the same number, in less time."""
    if not _usual(model):
        return model.loss(x)
    model.check(x)
    mu, log_var = model.encoder.parameters_of_q(x).chunk(2, dim=-1)
    z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_var)
    return (gaussian_kl(mu, log_var) - log_prob_of_pixels(model.decoder.logits(z), x)).mean()


def _usual(model: LatentVariableModel) -> bool:
    """Whether this is the VAE of notebook 08 itself, with none of its parts replaced."""
    return type(model) is VAE and model.learned_prior is None and type(model.encoder) is Encoder and type(model.decoder) is Decoder


def _weights_with_a_bias(model: VAE) -> set[int]:
    """The ids of the weights of the usual VAE whose gradients need not be checked: if one is not finite, neither is that of the bias.

    The gradient of a bias is the sum of what flows back to its layer, and that of the weight is the sum of the same terms times finite
    factors, the inputs. The weights are nearly all of the parameters.
    """
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    return {id(layer.weight) for layer in layers if layer.bias is not None and layer.bias.requires_grad}


def _called(name: str, loss: Loss) -> Loss:
    """The loss with a name by which a checkpoint recognises it, and the arguments it was made with."""
    loss.__name__ = loss.__qualname__ = name
    return loss


def _name(loss: Loss) -> str:
    """The name of a loss. For functools.partial it is that of the function, and for a callable object that of its class."""
    if loss is _own_loss:
        return "the model's own"
    loss = getattr(loss, "func", loss)
    return getattr(loss, "__qualname__", type(loss).__qualname__)


def _fingerprint(x: Tensor, *more: Tensor) -> str:
    """The number of rows, and the beginning of the sha256 of all their bytes."""
    return f"{len(x)} rows of sha256 {_sha256(x, *more)[:12]}"


def _sha256(*tensors: Tensor, text: str = "") -> str:
    """The sha256 of a text and the bytes of tensors, in hexadecimal digits."""
    sha256 = hashlib.sha256(text.encode())
    for tensor in tensors:
        sha256.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return sha256.hexdigest()


def _seal(tensors: dict[str, Tensor], meta: dict[str, str]) -> str:
    """A digest of a checkpoint, its own place in the metadata left out, by which damage is recognised."""
    shapes = {name: f"{value.dtype} {tuple(value.shape)}" for name, value in tensors.items()}
    text = json.dumps([shapes, {name: value for name, value in meta.items() if name != "sha256"}], sort_keys=True)
    return _sha256(*(tensors[name] for name in sorted(tensors)), text=text)


def _architecture(model: LatentVariableModel) -> dict[str, str]:
    """The structure of a model: its layers as they print themselves, and every tensor in its state."""
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
    """The first few differences between two settings, in words."""
    keys = [key for key in now | then if then.get(key) != now.get(key)]
    words = [f"{key}: {then.get(key, 'none')} then, {now.get(key, 'none')} now" for key in keys[:most]]
    return ", ".join(words) + (f", and {len(keys) - most} more" if len(keys) > most else "")


def _out_of_patience(history: History, patience: int | None) -> bool:
    return patience is not None and bool(history.valid) and len(history.valid) - 1 - history.best_epoch >= patience


class _Run:
    """A model, its optimiser and its history: what a checkpoint must hold so that the training continues exactly."""

    def __init__(self, model: LatentVariableModel, lr: float, loss: Loss, n_steps: int | None):
        self.model, self.lr, self.loss, self.n_steps = model, lr, loss, n_steps
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.adam = torch.optim.Adam(self.parameters, lr=lr, fused=True)
        silent = _weights_with_a_bias(model) if loss is _own_loss and _usual(model) else set()
        self.telling = [p for p in self.parameters if id(p) not in silent]
        self.history, self.best, self.step = History(), {}, 0
        self.device = self.parameters[0].device

    def epoch(self, x: Tensor, batch_size: int) -> float:
        """One pass over the images, which were checked, in random order; returns the average loss."""
        total, order = 0.0, torch.randperm(len(x)).to(x.device)
        for index in order.split(batch_size):
            batch = x.index_select(0, index)
            self.model._known = batch, batch._version
            if self.n_steps is not None:
                self.adam.param_groups[0]["lr"] = self.lr * (0.505 + 0.495 * math.cos(math.pi * self.step / self.n_steps))
            loss = self.loss(self.model, batch)
            value = self._value(loss)
            self._stop_unless_finite("loss", value)
            for p in self.parameters:
                p.grad = None
            loss.backward()
            gradients = [p.grad.flatten() for p in self.telling if p.grad is not None]
            if not gradients:
                raise self._no_loss(loss)
            self._stop_unless_finite("gradient", torch.cat(gradients).norm().item())
            self.adam.step()
            self.step += 1
            total += value * len(index)
        return total / len(x)

    def _value(self, loss: Tensor) -> float:
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            raise self._no_loss(loss)
        return loss.item()

    def _no_loss(self, loss: object) -> ValueError:
        found = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) and loss.numel() != 1 else f"{loss!r}"
        return ValueError(
            f"loss must return one number, a tensor that depends on the parameters to be trained; got {found}: average over the "
            "batch, and do not use .item(), .detach() or torch.no_grad() in the loss"
        )

    def _stop_unless_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {what} became {value} at step {self.step} (epoch {len(self.history.train)}); the weights are those before this "
                "step. Usual causes: a learning rate that is too high (lower lr), or a likelihood computed outside log space (notebook 04)"
            )

    def validate(self, valid: Tensor) -> float:
        """The loss on the validation images. The noise is the same every time, and the global random state is left as it was."""
        with torch.no_grad(), torch.random.fork_rng(devices=[valid.device] if valid.is_cuda else []):
            torch.manual_seed(0)
            return sum(self.loss(self.model, part).item() * len(part) for part in valid.split(2_000)) / len(valid)

    def save(self, path: Path, settings: dict) -> None:
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()} | {f"best/{k}": v for k, v in self.best.items()}
        for i, state in self.adam.state_dict()["state"].items():
            tensors |= {f"adam/{i}/{name}": value for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random_gpu"] = torch.cuda.get_rng_state(self.device)
        meta = {"settings": json.dumps(settings), "history": json.dumps(asdict(self.history)), "step": str(self.step)}
        _write(path, tensors, meta | {"sha256": _seal(tensors, meta)})

    def load(self, path: Path, settings: dict, epochs: int) -> None:
        """Restore what was saved.

        Raises:
            ValueError: the file does not belong to this training; nothing has been changed.
        """
        other = "pass another file as checkpoint=, or remove this one to start again"
        try:
            tensors, meta = read_tensors(path, "a checkpoint of fit")
        except ValueError as error:
            raise ValueError(f"{error}: {other}") from error
        if "sha256" not in meta:
            raise ValueError(
                f"{path} is not a checkpoint of fit: it is a safetensors file with other content, or of an earlier version; {other}"
            )
        if meta["sha256"] != _seal(tensors, meta):
            raise ValueError(f"{path} is a damaged checkpoint, whose content has changed since it was saved: {other}")
        saved, history = json.loads(meta["settings"]), History(**json.loads(meta["history"]))
        if saved != settings:
            raise ValueError(
                f"{path} belongs to a training with other settings ({_differences(saved, settings)}): use the same settings, or "
                "another checkpoint file"
            )
        if len(history.train) > epochs:
            raise ValueError(f"{path} already holds {len(history.train)} epochs, but only {epochs} are requested: {other}, or raise epochs")
        self.model.load_state_dict(_under("model/", tensors))
        self.best = _under("best/", tensors)
        state = self.adam.state_dict()
        for key, value in _under("adam/", tensors).items():
            i, name = key.split("/")
            state["state"].setdefault(int(i), {})[name] = value
        self.adam.load_state_dict(state)
        self.history, self.step = history, int(meta["step"])
        torch.set_rng_state(tensors["random"])
        if self.device.type == "cuda" and "random_gpu" in tensors:  # it is missing where the training began on a CPU
            torch.cuda.set_rng_state(tensors["random_gpu"], self.device)

    def compare(self, valid: Tensor, path: Path) -> None:
        """Warn if the weights just loaded have a different validation loss than when they were saved."""
        then, now = self.history.valid[-1], self.validate(valid)
        if not (math.isclose(then, now, rel_tol=1e-4, abs_tol=1e-4) or math.isnan(then)):
            warnings.warn(
                f"the weights saved in {path} had a validation loss of {then:.6g}, but now have one of {now:.6g}: the loss or the model "
                "has changed under the same name, so losses from before and after cannot be compared",
                stacklevel=3,
            )


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
