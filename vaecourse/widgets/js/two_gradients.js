// Spread of the pathwise and the score-function gradient around the exact one, by dimension and samples (notebook 07).
// The gradient in one mean of E[sum_k (z_k - 1)^2], z_k ~ N(0, 1): exactly -2.

import { fixed, thousands } from "./kit.js";
import { mean, normals, std } from "./mathematics.js";

export function twoGradients(frame, { dims: startDims, samples: startSamples, estimates, most }) {
  const dims = frame.slider("dimensions K", { value: startDims, min: 1, max: 100 });
  const samples = frame.slider("samples S", { value: startSamples, min: 1, max: most });
  const panels = ["Pathwise", "Score function"].map((title) => frame.panel({ title, xlabel: "estimate of the gradient", ylabel: "estimates" }));
  const first = normals(estimates * most, 0);
  const sums = [first.map((z) => (z - 1) ** 2)]; // sums[k]: f of the first k + 1 latents; longer ones are made when they are asked for
  let spreads;

  function f(k) {
    while (sums.length < k) {
      const before = sums.at(-1), next = normals(estimates * most, sums.length);
      sums.push(before.map((sum, i) => sum + (next[i] - 1) ** 2));
    }
    return sums[k - 1];
  }
  frame.goal("bring the standard deviation of the score function below 1", () => spreads[1] < 1);

  frame.draw(() => {
    const value = f(dims.value), s = samples.value, both = [new Float64Array(estimates), new Float64Array(estimates)];
    for (let e = 0; e < estimates; e++) {
      for (let i = e * most; i < e * most + s; i++) {
        both[0][e] += (2 * (first[i] - 1)) / s;
        both[1][e] += (value[i] * first[i]) / s;
      }
    }
    spreads = both.map(std);
    const reach = 4 * Math.max(...spreads), names = ["Pathwise", "Score function"];
    const top = Math.max(20, ...both.map((values, i) => panels[i].largest(values, -2 - reach, -2 + reach, 60)));
    panels.forEach((panel, i) => {
      panel.range({ x: [-2 - reach, -2 + reach], y: [0, 1.05 * top] });
      panel.title(`${names[i]}: ± ${spreads[i].toPrecision(2)}`);
      panel.histogram(both[i], -2 - reach, -2 + reach, 60, { color: i ? "naive" : "elbo" });
      panel.vline(-2, { width: 1.5 });
      panel.text("line: exact, −2", -2 - reach, top, { dx: 6 });
    });
    const counted = (n, what) => `${thousands(n)} ${what}${n === 1 ? "" : "s"}`;
    const ratio = (spreads[1] / spreads[0]) ** 2;
    return `${counted(dims.value, "dimension")}, ${counted(s, "sample")}: the score function has ${fixed(ratio, 0)} times the variance, `
      + `standard deviation ${fixed(spreads[1], 2)} against ${fixed(spreads[0], 2)}; the means of 500 are ${fixed(mean(both[0]), 2)} (pathwise) `
      + `and ${fixed(mean(both[1]), 2)}, the gradient is -2.`;
  });
}
