// Place and width of q against a known posterior: weights, effective sample size, the estimate and its error (notebook 05).

import { fixed, signed, thousands } from "./kit.js";
import { effectiveSampleSize, linspace, logMeanExp, mean, normalLogProb, normals, std } from "./mathematics.js";

export function moveTheProposal(frame, { posterior: [centre, spread], mean: startMean, width: startWidth, draws, seed }) {
  const place = frame.slider("mean of q", { value: startMean, min: -1, max: 3, step: 0.05 });
  const width = frame.slider("width of q", { value: startWidth, min: 0.1, max: 2, step: 0.02 });
  const left = frame.panel({ title: "Posterior and proposal", x: [-2, 4], y: [0, 1.2], xlabel: "z", ylabel: "density" });
  const right = frame.panel({ title: "Each sample and its weight", x: [-2, 4], y: [0, 0.01], xlabel: "z", ylabel: "share of all weight" });
  const noise = normals(draws, seed), axis = linspace(-2, 4, 601);
  const target = axis.map((z) => Math.exp(normalLogProb(z, centre, spread)));
  let ess;

  const peak = () => 1 / (Math.sqrt(2 * Math.PI) * width.value);
  left.handle({ name: "mean of q", at: () => [place.value, peak()], move: (x) => place.set(x), step: [0.05, 0], say: () => `mean ${place.shown()}` });
  left.handle({
    name: "width of q", at: () => [place.value + width.value, peak() * Math.exp(-0.5)], move: (x) => width.set(Math.abs(x - place.value)),
    step: [0.02, 0], say: () => `width ${width.shown()}`,
  });
  frame.goal("an effective sample size above 900", () => ess > 900);

  frame.draw(() => {
    const z = noise.map((e) => place.value + width.value * e);
    const logW = z.map((v) => normalLogProb(v, centre, spread) - normalLogProb(v, place.value, width.value));
    const estimate = logMeanExp(logW), w = logW.map(Math.exp), total = w.reduce((a, b) => a + b);
    const share = w.map((v) => v / total), error = std(w) / mean(w) / Math.sqrt(draws);
    ess = effectiveSampleSize(logW);

    left.range({ y: [0, Math.max(1.2, 1.15 * peak())] });
    left.line(axis, target, { color: "posterior" });
    left.line(axis, axis.map((v) => Math.exp(normalLogProb(v, place.value, width.value))), { color: "importance" });
    left.text("posterior", 1.45, 0.75, { color: "posterior", bold: true });
    left.text("proposal q", place.value - 0.8 * width.value, 0.72 * peak(), { color: "importance", bold: true, align: "right", dx: -5 });
    right.range({ y: [0, 1.05 * Math.max(...share)] });
    right.spikes(z, share, { color: "importance" });
    const trap = width.value < spread / Math.SQRT2
      ? " The width of q is below 0.71 times that of the posterior: the variance of the weights is infinite, and the standard error cannot be trusted." : "";
    return `Effective sample size ${fixed(ess, 0)} of ${thousands(draws)}; estimate of log p(x) ${signed(estimate, 2)} nats, ` +
      `with a standard error of ${fixed(error, 2)}; the true value is 0.${trap}`;
  });
}
