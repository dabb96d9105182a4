// A point moved over the plane of two latents of a table: the row that the decoder expects there, cell by cell (notebook 10).

import { fixed } from "./kit.js";
import { Network, logSigmoid, logSumExp } from "./mathematics.js";

const SHAPES = [["●", "importance"], ["▲", "naive"], ["■", "posterior"], ["▼", "elbo"], ["◆", "iwae"], ["★", "prior"]];
const LARGEST_LOG = 15; // of the mean of a count, as in vaecourse.tabular

const softplus = (a) => -logSigmoid(-a);

// What the parameters say of each column: the probabilities of its names, or its mean in standard and in raw units.
// vaecourse.tabular.Cells.
export function expected(columns, parameters, floor) {
  let at = 0;
  return columns.map(({ kind, shift, scale, categories }) => {
    if (kind === "category") {
      const logits = parameters.subarray(at, at += categories.length), total = logSumExp(logits);
      return { probabilities: Array.from(logits, (a) => Math.exp(a - total)) };
    }
    const [first, second] = parameters.subarray(at, at += 2);
    if (kind === "count") {
      const raw = Math.exp(Math.min(shift + first, LARGEST_LOG));
      return { unit: (Math.log1p(raw) - shift) / scale, raw };
    }
    const spread = scale * (softplus(second + 0.55) + floor); // of the logarithm: its column is log-normal
    return { unit: first, raw: kind === "positive" ? Math.exp(shift + scale * first + spread ** 2 / 2) : shift + scale * first };
  });
}

// A number with three digits that count or more, and commas between thousands.
export function threeDigits(value) {
  const digits = value === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// A line for each row [words, length]: the words on the left, the bar from 0 on the right, whose axis goes from low to high.
function bars(panel, rows, low, high, color) {
  const wide = panel.inner.width, words = Math.min(0.7 * wide, Math.max(...rows.map(([said]) => panel.context.measureText(said).width)) + 12);
  panel.range({ x: [low - ((high - low) * words) / (wide - words), high], y: [rows.length, 0] });
  rows.forEach(([said, length], i) => {
    panel.rect(0, i + 0.18, Math.min(high, Math.max(low, length)), i + 0.82, { color, alpha: 0.75 });
    panel.text(said, low, i + 0.5, { align: "right", dx: -8 });
  });
  panel.vline(0, { width: 1 });
}

export function tablePlane(frame, { start, columns, floor, layers, codes, names, by, goal }) {
  const z1 = frame.slider("z₁", { value: start[0], min: -4, max: 4, step: 0.1 });
  const z2 = frame.slider("z₂", { value: start[1], min: -4, max: 4, step: 0.1 });
  const rows = Math.max(7, columns.reduce((n, { kind }) => n + (kind !== "category"), 0), columns.reduce((n, c) => n + c.categories.length, 0));
  const plane = frame.panel({
    title: `Codes of held-out rows, by ${by}`, x: [-4, 4], y: [-4, 4], xlabel: "z₁", ylabel: "z₂", square: true, height: 270, grow: 4,
  });
  const chances = frame.panel({ title: "At the cross: probabilities", axes: false, height: 24 * rows });
  const means = columns.some(({ kind }) => kind !== "category") && frame.panel({ title: "Means, against average", axes: false, height: 24 * rows });
  const decoder = new Network(layers), chosen = columns.findIndex((column) => column.name === by);
  const middles = codes.map((z) => [0, 1].map((k) => z.reduce((sum, v, i) => sum + (i % 2 === k ? v : 0), 0) / (z.length / 2)));
  let cells;

  plane.handle({
    name: "the point z", at: () => [z1.value, z2.value], move: (x, y) => { z1.set(x); z2.set(y); }, step: [0.1, 0.1],
    say: () => `z₁ ${z1.shown()}, z₂ ${z2.shown()}`,
  });
  frame.goal(goal.text, () => cells[chosen].probabilities[goal.name] > goal.probability && (goal.column === null || cells[goal.column].raw > goal.above));

  frame.draw(() => {
    const z = [z1.value, z2.value];
    cells = expected(columns, decoder.forward(z), floor);
    names.forEach((_, i) => {
      const [shape, color] = SHAPES[i % SHAPES.length];
      plane.marks(codes[i], new Array(codes[i].length / 2).fill(shape), { color, alpha: 0.55, size: 8 });
    });
    names.forEach((name, i) => {
      if (codes[i].length) plane.text(name, ...middles[i], { color: SHAPES[i % SHAPES.length][1], align: "center", bold: true, halo: true });
    });
    plane.cross(...z, { size: 26 });
    const shares = columns.flatMap((column, c) => column.categories.map((name, i) => [column.name, name, cells[c].probabilities[i]]));
    const numbers = columns.flatMap((column, c) => (column.kind === "category" ? [] : [[column.name, threeDigits(cells[c].raw), cells[c].unit]]));
    bars(chances, shares.map(([column, name, p]) => [`${column} ${name}  ${fixed(p, 2)}`, p]), 0, 1, "importance");
    if (means) bars(means, numbers.map(([name, raw, unit]) => [`${name}  ${raw}`, unit]), -2.5, 2.5, "elbo");
    const p = cells[chosen].probabilities, most = p.indexOf(Math.max(...p));
    const average = numbers.length ? `; on average ${numbers.map(([name, raw]) => `${name} ${raw}`).join(", ")}` : "";
    return `z = (${z1.shown()}, ${z2.shown()}): ${by} ${names[most]} with probability ${fixed(p[most], 2)}${average}.`;
  });
}
