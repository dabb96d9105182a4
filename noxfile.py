"""The whole test suite, unit tests and notebooks, in a fresh environment for each range of versions that pyproject.toml promises.

    nox                   everything; a Python that is not installed is skipped, and said to be
    nox -s lowest         the oldest Python with the lowest version of every package
    nox -s pins-3.12      the versions of requirements.txt on one Python
    nox -s newest         the newest Python with the newest version of every package
    nox -s colab          three notebooks beside the old versions of IPython and ipywidgets that Colab needs

What stands behind "--" goes to pytest: `nox -s newest -- tests` leaves the notebooks out.
"""

import nox

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
COLAB = ["ipython==7.34.0", "ipywidgets==7.7.1", "ipykernel==6.17.1", "jupyter-client==6.1.12", "traitlets==5.7.1", "notebook==6.5.7"]
nox.options.error_on_missing_interpreters = False


def lowest_versions() -> list[str]:
    """Every requirement of the package and of its tests, pinned to the lowest version that it accepts."""
    extras = PROJECT["optional-dependencies"]
    return [requirement.replace(">=", "==") for requirement in [*PROJECT["dependencies"], *extras["notebooks"], *extras["test"]]]


@nox.session(python=PYTHONS)
def pins(session: nox.Session) -> None:
    session.install("-r", "requirements.txt")
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    session.install("-e", ".[notebooks,test]", *lowest_versions())
    session.run("pytest", *session.posargs)


@nox.session(python="3.12")
def colab(session: nox.Session) -> None:
    """Notebooks run beside the old packages that Colab needs; the course is installed by the line of docs/teaching.md."""
    session.install("torch", "numpy", "pandas", "matplotlib", "scikit-learn", "safetensors", "tqdm", "pooch", "pillow", *COLAB)
    session.install("--no-deps", ".", "jaxtyping", "wadler-lindig", "anywidget", "psygnal")
    names = session.posargs or [f"notebooks/{name}.ipynb" for name in ("00_start_here", "03_naive_monte_carlo", "08_the_vae")]
    for name in names:
        session.run("jupyter", "nbconvert", "--to", "notebook", "--execute", "--output-dir", session.create_tmp(), name)


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    session.install("-e", ".[notebooks,test]")
    session.run("pytest", *session.posargs)
