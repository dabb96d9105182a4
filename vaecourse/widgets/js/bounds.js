// A q to drag and the number line of its bound: what the figures of the ELBO share.

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

// log p(x) as a line, the ELBO as a bar up to its value, and the gap between the two. A bound far below is drawn at the panel's edge.
export function numberLine(panel, bound, logPx) {
  const [low] = panel.x, shown = Math.max(bound, low);
  panel.rect(low, 1.9, logPx, 2.6, { color: "exact" });
  panel.rect(low, 0.7, shown, 1.4, { color: "elbo" });
  panel.rect(shown, 0.7, logPx, 1.4, { color: "posterior" });
  panel.vline(logPx, { width: 1.5 });
  panel.text("log p(x)", low, 2.8, { dx: 4, bold: true });
  panel.text(bound < low ? "← ELBO, further to the left" : "ELBO", low, 1.6, { color: "elbo", dx: 4, bold: true });
  panel.text("gap", (shown + logPx) / 2, 0.5, { color: "posterior", align: "center", bold: true });
}
