// An ellipse q moved over the exact posterior of one digit: ELBO and gap change, log p(x) does not (notebook 06).

import { fixed } from "./kit.js";
import { Lattice, elbo } from "./mathematics.js";

export function theGap(frame, { near, far, centre, reach, logPx, rule, start }) {
  const fine = new Lattice(near, reach, centre), wide = new Lattice(far, 4);
  const at = (z1, z2) => (fine.covers(z1, z2) ? fine : wide).at(z1, z2);
  const limits = centre.map((c) => [c - reach, c + reach]);
  const place = limits.map(([min, max], k) => frame.slider(`mean z${"₁₂"[k]}`, { value: start.mean[k], min, max, step: 0.01, digits: 2 }));
  const width = start.sd.map((value, k) => frame.slider(`width σ${"₁₂"[k]}`, { value, min: 0.01, max: 0.5, step: 0.005, digits: 3 }));
  const plane = frame.panel({ title: "q on the exact posterior", x: limits[0], y: limits[1], xlabel: "z₁", ylabel: "z₂", height: 260, square: true });
  const bars = frame.panel({ title: "ELBO + gap = log p(x)", x: [logPx - 60, logPx + 8], y: [0, 3], xlabel: "nats", yticks: false, height: 260 });
  const density = near.map((v) => Math.exp(v - logPx)), dragged = ellipse(frame, plane, place, width);
  let gap;

  frame.goal("make the gap smaller than 0.1 nats", () => gap < 0.1);
  frame.draw(() => {
    const { mean, sd } = dragged();
    const bound = elbo(at, mean, sd, rule);
    gap = logPx - bound;
    plane.density(density, ...limits);
    plane.ellipse(mean, sd, { color: "elbo", width: 2.5 });
    numberLine(bars, bound, logPx);
    return `ELBO ${fixed(bound, 1)} nats, gap ${fixed(gap, 2)} nats; together log p(x) = ${fixed(logPx, 1)} nats.`;
  });
}

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
