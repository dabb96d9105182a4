// Naive Monte Carlo of a model whose p(x) is known: the number of samples, the size of the image, the number format (notebooks 03, 04).
// One latent z; each pixel of an image is what z demands with probability sigmoid(1.4 + z / 2). x has 8 pixels in 10 right.

import { fixed, thousands } from "./kit.js";
import { linspace, logMeanExp, logSigmoid, logSumExp, mean, normalLogProb, normals, toFloat16 } from "./mathematics.js";

const ROUND = { float16: toFloat16, float32: Math.fround, float64: (v) => v };

export function estimatePx(frame, { how: startHow, repeats, most, samples, start }) {
  const logN = frame.slider("samples N", { value: Math.log2(samples), min: 0, max: Math.log2(most), show: (v) => thousands(2 ** v) });
  const side = frame.slider("pixels a side", { value: start, min: 4, max: 60 });
  const how = frame.choice("numbers", [...Object.keys(ROUND), "log space"], startHow);
  const panel = frame.panel({ title: "Estimates", y: [0, 40], xlabel: "log p(x), nats", ylabel: "estimates", height: 220 });
  const perPixel = (z) => 0.8 * logSigmoid(1.4 + z / 2) + 0.2 * logSigmoid(-1.4 - z / 2);
  const nodes = linspace(-12, 12, 4001), prior = nodes.map((z) => normalLogProb(z)), onNodes = nodes.map(perPixel);
  let terms = [], made = 0, error; // log p(x|z) of one pixel, at the samples of each estimate: made once, for as many as are asked for

  function draw(n) {
    if (made >= n) return;
    terms = Array.from({ length: repeats }, (_, r) => normals(n, r).map(perPixel));
    made = n;
  }
  function estimate(row, n, pixels) {
    if (how.value === "log space") return logMeanExp(row.subarray(0, n).map((t) => pixels * t));
    const round = ROUND[how.value];
    let sum = 0;
    for (let i = 0; i < n; i++) sum += round(Math.exp(pixels * row[i]));
    return Math.log(round(sum / n));
  }
  frame.goal("with 1,000 pixels or more, an average within 0.5 nats of the exact value", () => side.value ** 2 >= 1000 && Math.abs(error) < 0.5);

  frame.draw(() => {
    const n = 2 ** logN.value, pixels = side.value ** 2;
    draw(n);
    const exact = logSumExp(onNodes.map((t, i) => pixels * t + prior[i])) + Math.log(24 / 4000);
    const estimates = terms.map((row) => estimate(row, n, pixels)), alive = estimates.filter(Number.isFinite);
    const dead = estimates.length - alive.length;
    error = dead ? Infinity : mean(estimates) - exact;
    const low = Math.min(exact, ...alive), high = Math.max(exact, ...alive), pad = Math.max(0.5, 0.08 * (high - low));
    const top = alive.length ? panel.largest(alive, low - pad, high + pad, 49) : 1;
    panel.range({ x: [low - pad, high + pad], y: [0, 1.2 * top] });
    const off = `${fixed(Math.abs(error), 2)} nats too ${error < 0 ? "low" : "high"}`;
    panel.title(dead ? `${dead} of ${repeats} estimates in ${how.value} are exactly 0` : `${repeats} estimates in ${how.value}: on average ${off}`);
    panel.histogram(alive, low - pad, high + pad, 49, { color: "naive" });
    panel.vline(exact, { width: 2.5 });
    panel.text("exact", exact, 1.13 * top, { dx: 5 });
    if (dead) panel.text(`${dead} of ${repeats} are 0`, low - pad, 1.0 * top, { color: "naive", bold: true, dx: 8, size: 15 });
    const said = dead ? `${dead} of ${repeats} estimates are exactly 0` : `on average the ${repeats} estimates are ${off}`;
    return `${thousands(pixels)} pixels, N = ${thousands(n)}, ${how.value}: log p(x) = ${fixed(exact, 1)} nats; ${said}.`;
  });
}
