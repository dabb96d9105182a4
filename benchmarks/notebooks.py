"""How long does each notebook run, and how much memory does its kernel take at its peak? One thread, one after another.

python benchmarks/notebooks.py [03 notebooks/08_the_vae.ipynb …]; on the digits that VAECOURSE_DIGITS names. Nothing is changed.
"""

from __future__ import annotations

import sys

from vaecourse.data import default_name
from vaecourse.regression import find, run


def main(names: list[str]) -> None:
    for path in find(names):
        after = run(path, digits=default_name())
        cost = f"{sum(after.seconds):5.0f} s   {after.megabytes or 0:.0f} MB"
        print(f"{path.stem:32} {cost if after.skipped_from is None else 'did nothing: its digits are not here'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
