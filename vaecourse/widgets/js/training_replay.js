// A training run again: for each epoch kept, the codes of held-out digits, reconstructions, ELBO and exact log p(x) (notebook 08).

import { fixed } from "./kit.js";

const CODE = 1000; // codes come as whole numbers of thousandths
const ACROSS = 4; // digits in a row; there are two rows of them, and one of reconstructions below each
const PAUSE = 450; // milliseconds that a snapshot stays while the run is played

export function trainingReplay(frame, { epochs, bounds, exacts, codes, labels, digits, reconstructions, start, goal }) {
  const last = epochs.length - 1;
  const step = frame.slider("after epoch", { value: start, min: 0, max: last, show: (v) => String(epochs[v]) });
  const plane = frame.panel({ title: "Codes of held-out digits", x: [-4, 4], y: [-4, 4], xlabel: "z₁", ylabel: "z₂", square: true, height: 250, grow: 1.2 });
  const pairs = frame.panel({ title: "Digits over their reconstructions", x: [0, ACROSS], y: [0, ACROSS], square: true, axes: false, height: 230 });
  const range = [Math.min(...bounds, ...exacts), Math.max(...bounds, ...exacts)], pad = 0.08 * (range[1] - range[0]) + 0.5;
  const [first, final] = [0, last].map((i) => fixed(exacts[i] - bounds[i], 1));
  const curves = frame.panel({ title: `The gap: first ${first}, at last ${final} nats`, x: [0, 1.02 * epochs[last]], y: [range[0] - pad, range[1] + pad], xlabel: "epoch", ylabel: "nats per image", height: 250, grow: 1.2 });
  const z = codes.map((whole) => Float32Array.from(whole, (v) => v / CODE)), grey = reconstructions.map((some) => Float32Array.from(some, (v) => v / 255));
  const shown = ACROSS * ACROSS / 2, size = digits.length / shown;
  let playing;

  const stop = () => { clearInterval(playing); playing = null; play.textContent = "Play"; };
  const play = frame.button("Play", () => {
    if (playing) return stop();
    step.set(step.value === last ? 0 : step.value + 1);
    play.textContent = "Stop";
    playing = setInterval(() => (step.value < last && frame.root.isConnected ? step.set(step.value + 1) : stop()), PAUSE);
  });
  const nearest = (epoch) => epochs.reduce((best, e, i) => (Math.abs(e - epoch) < Math.abs(epochs[best] - epoch) ? i : best), 0);
  curves.handle({
    name: "epoch", at: () => [epochs[step.value], bounds[step.value]], move: (x) => step.set(nearest(x)), step: ([x, y]) => step.set(step.value + x + y),
    say: () => `after epoch ${step.shown()}`,
  });
  frame.goal(goal.text, () => step.value === goal.step);

  frame.draw(() => {
    const i = step.value, gap = exacts[i] - bounds[i];
    plane.classes(z[i], labels);
    for (let k = 0; k < shown; k++) {
      const x = [k % ACROSS + 0.04, k % ACROSS + 0.96], bottom = ACROSS - 2 - 2 * Math.floor(k / ACROSS);
      pairs.image(digits.subarray(k * size, (k + 1) * size), x, [bottom + 1, bottom + 1.9]);
      pairs.image(grey[i].subarray(k * size, (k + 1) * size), x, [bottom + 0.1, bottom + 1]);
    }
    curves.area(epochs, bounds, exacts, { color: "posterior" });
    curves.line(epochs, exacts);
    curves.line(epochs, bounds, { color: "elbo" });
    curves.line([epochs[i], epochs[i]], [bounds[i], exacts[i]], { color: "posterior", width: 4 });
    curves.points([epochs[i], epochs[i]], [bounds[i], exacts[i]], { size: 5, alpha: 1 });
    curves.text("log p(x)", epochs[last], exacts[last], { align: "right", dy: -13, bold: true });
    curves.text("ELBO", epochs[last], bounds[last], { color: "elbo", align: "right", dy: 15, bold: true });
    return `After epoch ${epochs[i]}: ELBO ${fixed(bounds[i], 1)}, log p(x) ${fixed(exacts[i], 1)} nats per image; the gap between them is ${fixed(gap, 1)}.`;
  });
}
