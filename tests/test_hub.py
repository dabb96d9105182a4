"""The settings for hubs fit what the README and the measurements say a notebook needs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import yaml

from vaecourse.regression import find

HUB = Path(__file__).parent.parent / "docs" / "hub"
REFERENCE = json.loads((Path(__file__).parent.parent / "notebooks" / "reference.json").read_text(encoding="utf-8"))
SERVER = 200  # MB: more than a single-user server was measured to need


def limit_of_the_littlest() -> float:
    return 1000 * float(re.search(r"limits\.memory (\d+)G", (HUB / "littlest.sh").read_text(encoding="utf-8"))[1])


def test_memory_limits_leave_room_for_every_notebook() -> None:
    values = yaml.safe_load((HUB / "kubernetes.yaml").read_text(encoding="utf-8"))
    limit = 1000 * float(values["singleuser"]["memory"]["limit"].removesuffix("G"))
    most = max(REFERENCE["notebooks"][path.name]["megabytes"] for path in find([]))
    assert limit == limit_of_the_littlest()
    assert limit > 1.5 * (most + SERVER)


def test_the_values_have_the_names_of_zero_to_jupyterhub() -> None:
    values = yaml.safe_load((HUB / "kubernetes.yaml").read_text(encoding="utf-8"))
    assert set(values) == {"singleuser", "cull"}
    assert set(values["singleuser"]) == {"image", "defaultUrl", "memory", "cpu", "extraEnv", "lifecycleHooks"}
    assert values["singleuser"]["memory"]["guarantee"] == "1G"
    assert values["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"][0] == "sh"


def test_the_script_is_one_that_a_shell_can_read_and_stops_without_an_address() -> None:
    assert subprocess.run(["sh", "-n", HUB / "littlest.sh"]).returncode == 0
    done = subprocess.run(["sh", HUB / "littlest.sh"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode != 0
    assert "set COURSE" in done.stderr
