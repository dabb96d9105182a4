"""How long does each notebook run, and how much memory does its kernel take at its peak? One thread, one after another.

python benchmarks/notebooks.py [notebooks/NAME.ipynb …]; on the digits that VAECOURSE_DIGITS names. Copies are executed, nothing is changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
ASK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # kilobytes on Linux


def main(paths: list[Path]) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            notebook["cells"].append(
                {"id": "ask", "cell_type": "code", "source": ASK, "metadata": {}, "outputs": [], "execution_count": None}
            )
            copy = Path(folder) / path.name
            copy.write_text(json.dumps(notebook), encoding="utf-8")
            start = time.perf_counter()
            command = [
                sys.executable,
                "-m",
                "nbconvert",
                "--to",
                "notebook",
                "--execute",
                "--inplace",
                "--ExecutePreprocessor.timeout=1200",
            ]
            subprocess.run([*command, str(copy)], env=environment, check=True, capture_output=True)
            said = json.loads(copy.read_text(encoding="utf-8"))["cells"][-1]["outputs"]
            memory = f"{int(said[0]['text'][0]) / 1e6:.2f} GB" if said else "did nothing: its digits are not here"
            print(f"{path.stem:32} {time.perf_counter() - start:5.0f} s   {memory}", flush=True)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")))
