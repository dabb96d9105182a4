// Mean and width of one q against the prior: densities, the integrand of the KL, its closed form term by term (notebook 06).

import { fixed, signed } from "./kit.js";
import { gaussianKl, linspace, normalLogProb } from "./mathematics.js";

export function theKl(frame, { mu: start, sigma: width }) {
  const mu = frame.slider("mean μ", { value: start, min: -3, max: 3, step: 0.1 });
  const sigma = frame.slider("width σ", { value: width, min: 0.1, max: 2.5, step: 0.05 });
  const left = frame.panel({ title: "q, prior p; shaded: q log(q/p)", x: [-6, 6], y: [-0.6, 1.2], xlabel: "z", ylabel: "density; nats per unit of z", grow: 1.3 });
  const right = frame.panel({ title: "KL", x: [-2.5, 6.5], y: [5, 0], xlabel: "nats", yticks: false });
  const z = linspace(-6, 6, 601);
  let kl;

  left.handle({
    name: "mean of q", at: () => [mu.value, peak()], move: (x) => mu.set(x), step: [0.1, 0], say: () => `mean ${mu.shown()}`,
  });
  left.handle({
    name: "width of q", at: () => [mu.value + sigma.value, peak() * Math.exp(-0.5)], move: (x) => sigma.set(x - mu.value), step: [0.05, 0],
    say: () => `standard deviation ${sigma.shown()}`,
  });
  frame.goal("make the KL smaller than 0.1 nats without setting q equal to the prior",
    () => kl < 0.1 && Math.abs(mu.value) + Math.abs(sigma.value - 1) > 0.09);

  function peak() { return 1 / (Math.sqrt(2 * Math.PI) * sigma.value); }

  frame.draw(() => {
    const logQ = z.map((v) => normalLogProb(v, mu.value, sigma.value)), logP = z.map((v) => normalLogProb(v));
    const q = logQ.map(Math.exp), p = logP.map(Math.exp), integrand = q.map((v, i) => v * (logQ[i] - logP[i]));
    const zero = new Float64Array(z.length);
    left.range({ y: [-0.6, Math.max(1.2, 1.08 * Math.max(...q), 1.08 * Math.max(...integrand))] });
    left.area(z, zero, integrand.map((v) => Math.max(v, 0)), { color: "importance" });
    left.area(z, integrand.map((v) => Math.min(v, 0)), zero, { color: "naive" });
    left.line(z, p, { color: "prior" });
    left.line(z, q, { color: "elbo" });
    left.text("p", -2.1, 0.2, { color: "prior", bold: true });
    left.text("q", mu.value + 0.75 * sigma.value, 0.78 * peak(), { color: "elbo", bold: true, dx: 6 });

    kl = gaussianKl([mu.value], [sigma.value]);
    const terms = [["½ μ²", 0.5 * mu.value ** 2], ["½ σ²", 0.5 * sigma.value ** 2], ["−½", -0.5], ["−log σ", -Math.log(sigma.value)]];
    right.title(`KL(q‖p) = ${fixed(kl, 2)} nats`);
    [...terms, ["KL", kl]].forEach(([name, value], i) => {
      const color = name === "KL" ? "exact" : value < 0 ? "naive" : "importance";
      right.rect(0, i + 0.15, value, i + 0.85, { color });
      right.text(name, value < 0 ? 0 : Math.min(0, value), i + 0.5, { align: value < 0 ? "left" : "right", dx: value < 0 ? 5 : -5 });
    });
    right.vline(0, { width: 1 });
    const parts = terms.filter(([name]) => name !== "−½").map(([name, value]) => `${name} = ${signed(value, 2)}`).join(", ");
    return `Mean ${mu.shown()}, standard deviation ${sigma.shown()}: ${parts}, and −½; together KL(q‖p) = ${fixed(kl, 2)} nats.`;
  });
}
