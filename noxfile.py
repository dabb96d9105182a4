"""The whole test suite, unit tests and notebooks, in a fresh environment for each range of versions that pyproject.toml promises.

    nox                   everything; a Python that is not installed is skipped, and said to be
    nox -s lowest         the oldest Python with the lowest version of every package
    nox -s pins-3.12      the versions of requirements.txt on one Python
    nox -s newest         the newest Python with the newest version of every package

What stands behind "--" goes to pytest: `nox -s newest -- tests` leaves the notebooks out.
"""

import nox

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
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


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    session.install("-e", ".[notebooks,test]")
    session.run("pytest", *session.posargs)
