// A q to drag and the number line of its bound: what the figures of the ELBO share.

import { fixed } from "./kit.js";

// A q that can be dragged by its middle and by its two edges. Returns () => { mean, sd }, what the sliders say.
export function ellipse(frame, plane, place, width) {
  const mean = () => place.map((s) => s.value), sd = () => width.map((s) => s.value);
  const step = [place[0], place[1]].map((s) => Number(s.input.step));
  plane.handle({ name: "mean of q", at: mean, move: (x, y) => { place[0].set(x); place[1].set(y); }, step });
  [0, 1].forEach((k) => plane.handle({
    name: `width of q along z${"₁₂"[k]}`,
    at: () => mean().map((m, i) => m + (i === k ? 2 * sd()[k] : 0)),
    move: (...z) => width[k].set(Math.abs(z[k] - place[k].value) / 2),
    step: [0, 1].map((i) => (i === k ? 2 * Number(width[k].input.step) : 0)),
    say: () => width[k].shown(),
  }));
  return () => ({ mean: mean(), sd: sd() });
}

// The gap, with two decimals where it is small. A large one is the difference of the two numbers as they are shown, so that they add up.
export function gapInNats(bound, logPx) {
  const gap = logPx - bound;
  return gap < 1 ? fixed(gap, 2) : fixed(Number(logPx.toFixed(1)) - Number(bound.toFixed(1)), 1);
}

// ELBO and log p(x) on a number line, and the gap between them. A bound far below is drawn at the panel's edge.
export function numberLine(panel, bound, logPx) {
  const [low, high] = panel.x, shown = Math.max(bound, low), far = bound < low;
  panel.rect(shown, 1.35, logPx, 1.65, { color: "posterior" });
  panel.line([logPx, logPx], [1, 1.75], { color: "exact", width: 3 });
  if (!far) panel.line([shown, shown], [1, 1.75], { color: "elbo", width: 3 });
  const place = { align: shown > (low + high) / 2 ? "right" : "left", dx: shown > (low + high) / 2 ? 4 : -4, bold: true };
  panel.text(far ? "← ELBO, further to the left" : `ELBO ${fixed(bound, 1)}`, shown, 0.6, { ...place, color: "elbo", dx: far ? 4 : place.dx });
  panel.text(`log p(x) ${fixed(logPx, 1)}`, logPx, 2.55, { align: "right", dx: 4, bold: true });
  panel.text(`gap ${gapInNats(bound, logPx)}`, (shown + logPx) / 2, 2.05, { color: "posterior", align: "center", bold: true });
}
