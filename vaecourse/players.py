"""Invented football players: a table drawn by a generative story, so the dependencies between its columns are known (notebook 10).

The position is drawn first; then age, height and foot; the weight, given the height; a hidden talent, which no column shows; pace,
stamina and passing; games, goals and cards as counts; and finally the market value. Each variable depends only on earlier ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaecourse.files import replacing

__all__ = ["COLUMNS", "FEET", "POSITIONS", "absent", "make", "save"]

POSITIONS = ("goalkeeper", "defender", "midfielder", "forward")
FEET = ("right", "left", "both")
COLUMNS = ("position", "foot", "age", "height", "weight", "pace", "stamina", "passing", "games", "goals", "cards", "value")
MISSING = {"foot": 0.03, "weight": 0.05, "stamina": 0.08, "passing": 0.05, "value": 0.06}
SEED, ROWS = 10, 5_000


def make(seed: int = SEED, n: int = ROWS) -> dict[str, np.ndarray]:
    """Draw n complete players.

    Age is in years, height in cm, weight in kg, and the value in thousands of euros. Pace, stamina and passing are marks, most of them
    between 45 and 85. Games, goals and cards are those of one season.

    Args:
        seed: of the random generator.
        n: the number of players.

    Returns:
        A dictionary from the name of each column to its n values.

    Example:
        >>> table = make(seed=0, n=3)
        >>> list(table) == list(COLUMNS), table["height"].shape
        (True, (3,))
    """
    rng = np.random.default_rng(seed)

    def of(*by_position: float) -> np.ndarray:
        return np.asarray(by_position)[position]

    position = rng.choice(4, n, p=[0.11, 0.34, 0.33, 0.22])
    foot = (rng.random((n, 1)) > np.cumsum([[0.86, 0.11], [0.66, 0.29], [0.68, 0.21], [0.72, 0.20]], 1)[position]).sum(1)
    age = 17 + of(3, 1, 0, 0) + 19 * rng.beta(2.2, 3.2, n)
    height = of(190.5, 184.5, 178.5, 181.5) + 5.0 * rng.standard_normal(n)
    build = of(23.6, 23.2, 22.4, 22.9) * np.exp(0.045 * rng.standard_normal(n)) + 0.06 * (age - 25)  # kg per square metre
    weight = build * (height / 100) ** 2
    talent = rng.standard_normal(n)

    late = np.maximum(age - 27, 0)
    pace = of(56, 71, 73, 79) - 1.3 * late - 0.35 * (height - 182) + 2.0 * talent + 3.5 * rng.standard_normal(n)
    stamina = of(52, 70, 76, 69) - 0.09 * (age - 26) ** 2 + 0.25 * (pace - 72) + 4.5 * rng.standard_normal(n)
    passing = of(50, 60, 69, 62) + 6.5 * talent + 0.7 * (age - 25) + 3.0 * (foot == 2) + 4.0 * rng.standard_normal(n)

    regular = 22 * np.exp(0.20 * talent - 0.010 * (age - 27) ** 2) * rng.gamma(8, 1 / 8, n)
    games = rng.poisson(regular)
    goals = rng.poisson(games * of(0.001, 0.04, 0.10, 0.32) * np.exp(0.25 * talent) * rng.gamma(8, 1 / 8, n))
    cards = rng.poisson(games * of(0.04, 0.21, 0.15, 0.09))
    star = 0.8 * talent - 0.014 * (age - 25) ** 2 + 0.015 * games + 0.2 * np.log1p(goals)
    value = np.exp(of(6.2, 6.5, 6.8, 6.9) + star + 0.35 * rng.standard_normal(n))

    words = {"position": np.array(POSITIONS)[position], "foot": np.array(FEET)[foot]}
    marks = {"age": age, "height": height, "weight": weight, "pace": pace, "stamina": stamina, "passing": passing}
    counts = {"games": games, "goals": goals, "cards": cards}
    drawn = words | {name: values.round(1) for name, values in marks.items()} | counts | {"value": np.maximum(value, 1).round()}
    return {name: drawn[name] for name in COLUMNS}


def absent(seed: int = SEED, n: int = ROWS) -> dict[str, np.ndarray]:
    """Which cells the shipped table leaves empty. Each cell is left out at random, independently of everything else.

    Args:
        seed: of the random generator.
        n: the number of players.

    Returns:
        A dictionary from the name of each column to n truth values.

    Example:
        >>> gone = absent(seed=0, n=1000)
        >>> int(gone["height"].sum()), bool(0 < gone["stamina"].mean() < 0.2)
        (0, True)
    """
    rng = np.random.default_rng([seed, 1])
    return {name: rng.random(n) < MISSING.get(name, 0.0) for name in COLUMNS}


def save(path: Path) -> None:
    """Write the shipped table, data/players.csv, to the given path.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save(Path(folder) / "players.csv")
        ...     print(len((Path(folder) / "players.csv").read_text().splitlines()))
        5001
    """
    import pandas as pd

    table = pd.DataFrame(make())
    table["value"] = table["value"].astype(int)
    for name, gone in absent().items():
        table[name] = table[name].astype(object).mask(gone)
    with replacing(path) as part:
        table.to_csv(part, index=False, lineterminator="\n")
