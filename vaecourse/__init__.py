"""The building blocks of the course "What is a variational autoencoder, really?".

Every estimate of the course is an average of one quantity, the log importance weight

    log w = log p(x|z) + log p(z) - log q(z),    z ~ q;

see `vaecourse.estimators`.
"""

import sys as _sys
from importlib.abc import MetaPathFinder as _MetaPathFinder

__version__ = "0.1.0"

# What the course needs, with the lowest versions that pyproject.toml allows.
PACKAGES = {
    "torch": "2.6",
    "numpy": "1.26",
    "jaxtyping": "0.2.30",
    "safetensors": "0.4.3",
    "pandas": "2.1",
    "scikit-learn": "1.4",
    "pooch": "1.8",
    "tqdm": "4.66",
    "matplotlib": "3.8.1",
    "pillow": "9.1",
    "ipython": "8.18",
    "ipywidgets": "8.1",
    "anywidget": "0.9",
}
MODULES = {"ipython": "IPython", "scikit-learn": "sklearn", "pillow": "PIL"}  # packages that are imported under another name


class _MissingPackages(_MetaPathFinder):
    """If a package that the course needs is missing, the error of the import names all that are missing, and what to do.

    It is the last entry of sys.meta_path, so it is only consulted for modules that nothing else has found, and costs nothing until then.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in {MODULES.get(package, package) for package in PACKAGES}:
            from vaecourse import doctor

            raise ModuleNotFoundError(doctor.advice(doctor.missing(name)), name=name)


if not any(type(finder).__name__ == "_MissingPackages" for finder in _sys.meta_path):  # the module may be loaded twice
    _sys.meta_path.append(_MissingPackages())
