// A point moved over the plane of two latents: what a decoder makes of it, and how well that fits a digit (notebooks 02 and 08).

import { fixed } from "./kit.js";
import { Decoder, uniform } from "./mathematics.js";

export function latentPlane(frame, { models, posteriors, modes, digits, side, start, hidePeak }) {
  const names = Object.keys(models), decoders = Object.fromEntries(names.map((name) => [name, new Decoder(models[name])]));
  const digit = frame.slider("digit", { value: start.digit, min: 0, max: digits.length / 784 - 1 });
  const z = start.z.map((value, k) => frame.slider(`z${"₁₂"[k]}`, { value, min: -4, max: 4, step: 0.05, digits: 2 }));
  const which = names.length > 1 ? frame.choice("model", names) : { value: names[0] };
  const plane = frame.panel({ title: "Posterior of the digit", x: [-4, 4], y: [-4, 4], xlabel: "z₁", ylabel: "z₂", height: 230, square: true, grow: 1.5 });
  const pictures = ["Mean at the cross", "A sample", "The digit"].map((title) => frame.panel({ title, axes: false, square: true, height: 150 }));
  let fit, best, chosen, revealed = null; // `revealed`: the digit of a model whose peak is shown, where peaks are hidden at first

  plane.handle({ name: "the cross", at: () => z.map((s) => s.value), move: (x, y) => { z[0].set(x); z[1].set(y); }, step: [0.05, 0.05] });
  const reveal = hidePeak && frame.button("Show the peak", () => { revealed = revealed === chosen ? null : chosen; });
  frame.goal(`bring log p(x|z) within 10 nats of its value at the ${hidePeak ? "peak" : "ring"}`, () => fit > best - 10);

  frame.draw(() => {
    const at = z.map((s) => s.value), k = names.indexOf(which.value) * (digits.length / 784) + digit.value;
    const x = digits.subarray(784 * digit.value, 784 * (digit.value + 1)), decoder = decoders[which.value], p = decoder.mean(at);
    const mode = [modes[2 * k], modes[2 * k + 1]];
    fit = decoder.logLikelihood(x, at);
    best = decoder.logLikelihood(x, mode);
    chosen = k;
    const shown = !hidePeak || revealed === k;
    if (reveal) reveal.textContent = shown ? "Hide the peak" : "Show the peak";
    plane.title(shown ? "Posterior of the digit" : "Where is the peak?");
    if (shown) {
      plane.density(posteriors.subarray(side * side * k, side * side * (k + 1)), [-4, 4], [-4, 4]);
      plane.points([mode[0]], [mode[1]], { size: 9, hollow: true, alpha: 1 });
    }
    plane.cross(...at);
    plane.text(`log p(x|z) = ${fixed(fit, 0)} nats`, 0, -3.5, { align: "center", halo: true });
    [p, p.map((v, i) => (uniform(i) < v ? 1 : 0)), x].forEach((image, i) => pictures[i].image(image));
    return `${which.value}: z = (${fixed(at[0], 2)}, ${fixed(at[1], 2)}); log p(x|z) of digit ${digit.value} is ${fixed(fit, 0)} nats; `
      + `its posterior peaks at ${shown ? `(${fixed(mode[0], 1)}, ${fixed(mode[1], 1)}), the ring` : "a hidden place"}, where it is ${fixed(best, 0)}.`;
  });
}
