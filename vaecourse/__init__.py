"""The building blocks of the course "What is a variational autoencoder, really?".

Every estimate of the course is an average of one quantity, the log importance weight
log w = log p(x|z) + log p(z) - log q(z), z ~ q; see `vaecourse.estimators`.
"""

import sys as _sys
from importlib.abc import MetaPathFinder as _MetaPathFinder

__version__ = "0.1.0"


class _MissingPackages(_MetaPathFinder):
    """The last resort of an import: where a package that the course needs is missing, the error names all that are, and the remedy.

    It stands at the end of sys.meta_path, so it is asked only for what nothing else has found, and costs nothing until then.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        from vaecourse import doctor

        if name in map(doctor.module_of, doctor.PACKAGES):
            raise ModuleNotFoundError(doctor.advice(doctor.missing(name)), name=name)


if not any(type(finder).__name__ == "_MissingPackages" for finder in _sys.meta_path):  # the module may be loaded twice
    _sys.meta_path.append(_MissingPackages())
