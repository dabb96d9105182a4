"""Pictures a second of every live figure while it is dragged, from the page itself: a real browser, no server and no kernel.

python benchmarks/explorers.py [seconds]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))
import lab
import pages

# Moves a slider, or failing that a handle, between any two pictures, and notes when each picture has been drawn.
DRAG = """async (seconds) => {
    const { vae } = document.querySelector('.vae-live'), slider = vae.root.querySelector('input[type=range]');
    const [low, high, step] = [slider.min, slider.max, slider.step].map(Number), times = [];
    const end = performance.now() + 1000 * seconds;
    let at = Number(slider.value), way = 1, drawn = vae.drawn;
    while (performance.now() < end) {
        at += way * step;
        if (at > high || at < low) { way = -way; at += 2 * way * step; }
        slider.value = at;
        slider.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done));
        if (vae.drawn > drawn) { drawn = vae.drawn; times.push(performance.now()); }
    }
    return times;
}"""
FIRST_EDITION = {  # pictures a second while dragging in the first edition, where they were measured
    "draw_a_digit": "5-7", "move_the_proposal": "3", "the_kl": "2-3", "the_gap": "3", "training_replay": "4", "latent_plane": "4-6",
}  # fmt: skip


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, lab.browser(1000, 900) as page:
        print(f"{'figure':20} {'pictures/s':>10} {'worst ms':>9} {'kB':>6}   first edition, pictures/s")
        for name in pages.MAKE:
            pages.open_figure(page, Path(folder), name)
            times = page.evaluate(DRAG, seconds)
            gaps = [b - a for a, b in zip(times, times[1:])]
            size = len(pages.figure(name).html()) / 1000
            print(
                f"{name:20} {1000 / statistics.median(gaps):10.0f} {max(gaps):9.0f} {size:6.0f}   {FIRST_EDITION.get(name, '-')}",
                flush=True,
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
