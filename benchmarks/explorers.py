"""Key to picture: the time from an arrow key on a slider to the new picture, for every explorer, in JupyterLab in a real browser.

python benchmarks/explorers.py [steps]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))
import lab

WATCH = """([cell]) => new Promise(done => {
    const img = document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.jp-OutputArea img');
    const before = img.src;
    window.pictureShown = new Promise(shown => {
        new MutationObserver((changes, observer) => {
            if (img.src === before) return;
            observer.disconnect();
            img.decode().then(() => shown(performance.now()));
        }).observe(img, { attributes: true });
    });
    document.addEventListener('keydown', () => { window.pressed = performance.now() }, { once: true, capture: true });
    done();
})"""


def steps(page, cell: int, count: int) -> list[float]:
    """Milliseconds from key to picture, back and forth on the first slider."""
    handle = lab.controls(page, cell).nth(0)
    handle.scroll_into_view_if_needed()
    handle.focus()
    times, key = [], "ArrowRight"
    for _ in range(count):
        if handle.get_attribute("aria-valuenow") in (handle.get_attribute("aria-valuemax"), handle.get_attribute("aria-valuemin")):
            key = "ArrowLeft" if handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax") else "ArrowRight"
        page.evaluate(WATCH, [cell])
        page.keyboard.press(key)
        times.append(page.evaluate("async () => await window.pictureShown - window.pressed"))
        time.sleep(0.02)
    return times


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        notebooks, home = Path(folder) / "notebooks", Path(folder) / "home"
        notebooks.mkdir(), home.mkdir()
        nbformat.write(lab.notebook_of([lab.PREPARE, *lab.EXPLORERS.values()]), notebooks / "explorers.ipynb")
        with lab.server(notebooks, home) as (url, token), lab.browser() as page:
            lab.open_notebook(page, url, token, "explorers.ipynb")
            lab.run_all(page)
            print(f"{'explorer':20} {'median ms':>10} {'worst ms':>10}   of {count} steps")
            for cell, name in enumerate(lab.EXPLORERS, 1):
                steps(page, cell, 3)  # fonts and caches are loaded once
                times = steps(page, cell, count)
                print(f"{name:20} {statistics.median(times):10.0f} {max(times):10.0f}")


if __name__ == "__main__":
    main()
