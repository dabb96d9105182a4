// An ellipse q moved over the exact posterior of one digit: ELBO and gap change, log p(x) does not (notebook 06).

import { fixed } from "./kit.js";
import { Lattice, elbo } from "./mathematics.js";
import { ellipse, gapInNats, numberLine } from "./bounds.js";

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
    return `ELBO ${fixed(bound, 1)} nats, gap ${gapInNats(bound, logPx)} nats; together log p(x) = ${fixed(logPx, 1)} nats.`;
  });
}
