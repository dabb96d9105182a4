// Class and factors, then strokes, then ink, then black and white: the story of one digit, told by hand (notebook 01).
// A digit's factors are ten numbers in the order of vaecourse.strokes.FACTOR_NAMES; pixels are counted from the middle, y downwards.

import { fixed } from "./kit.js";
import { uniform } from "./mathematics.js";

const SIDE = 28;

// Carries curve points (x, y, x, y, …) of the unit square to pixels. vaecourse.strokes.place.
export function place(points, aspect, [slant, , scale, width, rotation, w1, w2, w3, w4]) {
  const placed = new Float64Array(points.length), angle = (rotation * Math.PI) / 180, cos = Math.cos(angle), sin = Math.sin(angle);
  for (let i = 0; i < points.length; i += 2) {
    const u = points[i] - 0.5, v = points[i + 1] - 0.5;
    const y = (v + 0.28 * w3 * (u * u - 0.08) + 0.24 * w4 * (0.25 - v * v)) * scale;
    const x = (u + 0.075 * w1 * Math.sin(2 * Math.PI * v) + 0.2 * w2 * u * v) * scale * width * aspect - slant * y;
    placed[i] = cos * x - sin * y;
    placed[i + 1] = sin * x + cos * y;
  }
  return placed;
}

// All strokes of a digit in pixels, framed in the middle.
export function framed(curves, aspect, factors) {
  const strokes = curves.map((points) => place(points, aspect, factors)), low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  for (const stroke of strokes) {
    stroke.forEach((v, i) => { low[i % 2] = Math.min(low[i % 2], v); high[i % 2] = Math.max(high[i % 2], v); });
  }
  return strokes.map((stroke) => stroke.map((v, i) => v - (low[i % 2] + high[i % 2]) / 2));
}

// Anti-aliased ink in [0, 1], pixel by pixel: black within half the pen's width of a stroke. vaecourse.strokes.draw.
export function ink(strokes, thickness) {
  const nearest = new Float64Array(SIDE * SIDE).fill(Infinity); // squared distances
  for (const stroke of strokes) {
    for (let k = 0; k + 3 < stroke.length; k += 2) {
      const ax = stroke[k], ay = stroke[k + 1], dx = stroke[k + 2] - ax, dy = stroke[k + 3] - ay, length2 = dx * dx + dy * dy + 1e-9;
      for (let i = 0; i < nearest.length; i++) {
        const ox = (i % SIDE) - 13.5 - ax, oy = Math.floor(i / SIDE) - 13.5 - ay;
        const t = Math.min(1, Math.max(0, (ox * dx + oy * dy) / length2)), x = ox - t * dx, y = oy - t * dy, d = x * x + y * y;
        if (d < nearest[i]) nearest[i] = d;
      }
    }
  }
  return nearest.map((d) => Math.min(1, Math.max(0, (thickness / 2 - Math.sqrt(d)) / 1.2 + 0.5)));
}

export function drawADigit(frame, { start, curves, aspects }) {
  const label = frame.slider("class", { value: start.label, min: 0, max: 9 });
  const slant = frame.slider("slant", { value: start.slant, min: -0.45, max: 0.85, step: 0.01 });
  const thickness = frame.slider("thickness", { value: start.thickness, min: 1.2, max: 4.2, step: 0.1 });
  const scale = frame.slider("scale", { value: start.scale, min: 15, max: 22, step: 0.1 });
  const wobble = frame.slider("wobble", { value: start.wobble, min: -2, max: 2, step: 0.1 });
  let seed = 0, inked;
  frame.button("Toss the coins again", () => { seed += 1; });
  const square = { x: [-14, 14], y: [-14, 14], square: true, axes: false, height: 215 };
  const [strokes, grey, coins] = ["Strokes", "Probability of ink", "Coins"].map((title) => frame.panel({ ...square, title }));

  strokes.handle({ // the top of the digit's axis
    name: "slant and scale", at: () => [(slant.value * scale.value) / 2, scale.value / 2],
    step: ([x, y]) => { slant.set(slant.value + 0.05 * x); scale.set(scale.value + 0.5 * y); },
    move: (x, y) => { scale.set(2 * y); slant.set((2 * x) / scale.value); },
    say: () => `slant ${slant.shown()}, scale ${scale.shown()}`,
  });
  frame.goal("a 7 with more than 120 pixels of ink", () => label.value === 7 && inked > 120);

  frame.draw(() => {
    const factors = [slant.value, thickness.value, scale.value, 1, 0, wobble.value, 0, wobble.value, 0, 0];
    const placed = framed(curves[label.value], aspects[label.value], factors), p = ink(placed, thickness.value);
    const x = p.map((v, i) => (uniform(i, seed) < v ? 1 : 0)), top = scale.value / 2, lean = slant.value * top;
    strokes.line([-14, 14, 14, -14, -14], [-14, -14, 14, 14, -14], { width: 1, alpha: 0.7 });
    strokes.line([-lean, lean], [-top, top], { color: "prior", width: 1.5, dash: [4, 4] });
    for (const stroke of placed) {
      strokes.line(stroke.filter((_, i) => i % 2 === 0), stroke.filter((_, i) => i % 2 === 1).map((y) => -y), { color: "importance", width: 2.5 });
    }
    grey.image(p);
    coins.image(x);
    inked = x.reduce((a, b) => a + b);
    return `Class ${label.value}, slant ${slant.shown()}, thickness ${thickness.shown()} pixels, scale ${scale.shown()} pixels, `
      + `wobble ${fixed(wobble.value, 1)}: ${inked} of 784 pixels have ink.`;
  });
}
