// The importance weighted bound of one digit for k samples, with its spread over repeats, and log p(x) where it is known (notebook 09).

import { fixed, thousands } from "./kit.js";

export function howManyDraws(frame, { means, spreads, low, high, counts, exact, start }) {
  const most = means.length - 1;
  const slider = frame.slider("samples k", { value: start, min: 0, max: most, show: (v) => thousands(2 ** v) });
  const least = Math.min(...means.map((m, j) => m - spreads[j])), top = Math.max(exact ?? -Infinity, ...means.map((m, j) => m + spreads[j]));
  const pad = 0.06 * (top - least);
  const left = frame.panel({ title: "The bound climbs with k", x: [0, most], y: [least - pad, top + pad], xlabel: "number of samples k", ylabel: "nats", xtick: (power) => thousands(2 ** power) });
  const right = frame.panel({ title: "Single estimates", x: [low, high], xlabel: "nats", ylabel: "share of the estimates" });
  const powers = means.map((_, j) => j);
  left.handle({ name: "samples k", at: () => [slider.value, means[slider.value]], move: (x) => slider.set(x), step: [1, 0], say: () => `k = ${slider.shown()}` });
  if (exact !== null) frame.goal("a bound within 0.5 nats of log p(x), with as few samples as possible", () => exact - means[slider.value] < 0.5);

  frame.draw(() => {
    const j = slider.value, k = 2 ** j, bins = counts[j].length, wide = (high - low) / bins;
    const total = counts[j].reduce((a, b) => a + b), shares = counts[j].map((n) => n / total);
    left.area(powers, means.map((m, i) => m - spreads[i]), means.map((m, i) => m + spreads[i]), { color: "iwae", alpha: 0.2 });
    left.line(powers, means, { color: "iwae" });
    left.points(powers, means, { color: "iwae", size: 3.5, alpha: 1 });
    right.range({ y: [0, 1.1 * Math.max(...shares)] });
    right.title(`Single estimates with k = ${thousands(k)}`);
    shares.forEach((share, i) => share && right.rect(low + i * wide, 0, low + (i + 1) * wide, share, { color: "iwae", alpha: 0.75 }));
    if (exact !== null) {
      left.hline(exact);
      left.hline(exact - 0.5, { width: 1, dash: [4, 4] }); // the goal
      left.text("log p(x)", 0, exact, { dx: 4, dy: -9 });
      right.vline(exact);
    }
    const known = exact === null ? "" : `; log p(x) is ${fixed(exact, 1)}`;
    return `k = ${thousands(k)}: the bound is ${fixed(means[j], 1)} nats, one estimate scatters by ${fixed(spreads[j], 1)}${known}.`;
  });
}
