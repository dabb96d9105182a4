// Priors of trained models and the codes of held-out digits on the plane of two latents; samples of the prior, decoded (notebook 11).

import { fixed } from "./kit.js";

const ACROSS = 6; // decoded samples in a row

export function chooseAPrior(frame, { models, labels, start, goal }) {
  const which = frame.choice("model", models.map(({ name }) => name));
  const number = frame.slider("sample of the prior", { value: start, min: 1, max: models[0].distances.length });
  const plane = frame.panel({ title: "Prior (grey), codes, samples of the prior", x: [-1, 1], y: [-1, 1], xlabel: "z₁", ylabel: "z₂", square: true, height: 270, grow: 1.2 });
  const down = Math.ceil(models[0].distances.length / ACROSS);
  const sheet = frame.panel({ title: "All samples, decoded", x: [0, ACROSS], y: [0, down], square: true, axes: false, height: 240 });
  const large = frame.panel({ title: "The chosen one", square: true, axes: false, height: 160, grow: 0.5 });
  const pictures = models.map((model) => Float32Array.from(model.pictures, (v) => v / 255));
  const model = () => models.find(({ name }) => name === which.value);
  const sample = (i = number.value - 1) => model().samples.subarray(2 * i, 2 * i + 2);
  const corner = (i = number.value - 1) => [i % ACROSS, down - 1 - Math.floor(i / ACROSS)];

  plane.handle({
    name: "sample of the prior, on the plane", at: () => [...sample()], step: ([x, y]) => number.set(number.value + x + y), say: () => `sample ${number.value}`,
    move: (x, y) => {
      const far = Array.from(model().distances, (_, i) => { const [a, b] = sample(i); return (a - x) ** 2 + (b - y) ** 2; });
      number.set(1 + far.indexOf(Math.min(...far)));
    },
  });
  sheet.handle({
    name: "sample of the prior, among the pictures", at: () => { const [x, y] = corner(); return [x + 0.13, y + 0.13]; },
    step: ([x, y]) => number.set(number.value + x - ACROSS * y), say: () => `sample ${number.value}`,
    move: (x, y) => {
      const [column, row] = [Math.min(ACROSS - 1, Math.max(0, Math.floor(x))), Math.min(down - 1, Math.max(0, Math.floor(down - y)))];
      number.set(1 + ACROSS * row + column);
    },
  });
  frame.goal(goal.text, () => model().distances[number.value - 1] > goal.distance);

  frame.draw(() => {
    const { side, density, codes, samples, crowd, distances, nearest } = model(), i = number.value - 1, z = sample();
    const all = pictures[models.indexOf(model())], pixels = all.length / distances.length;
    plane.range({ x: [-side, side], y: [-side, side] });
    plane.density(density, [-side, side], [-side, side], "prior");
    plane.classes(codes, labels);
    plane.marks(samples, new Array(distances.length).fill("✕"), { color: "naive", size: 10 });
    plane.cross(...z, { color: "naive", size: 30 });
    distances.forEach((_, k) => {
      const [x, y] = corner(k);
      sheet.image(all.subarray(k * pixels, (k + 1) * pixels), [x + 0.04, x + 0.96], [y + 0.04, y + 0.96]);
    });
    const [x, y] = corner();
    sheet.line([x, x + 1, x + 1, x, x], [y, y, y + 1, y + 1, y], { color: "naive", width: 4 });
    large.title(`Sample ${number.value}`);
    large.image(all.subarray(i * pixels, (i + 1) * pixels));
    return `${which.value}: the crowd of ${labels.length} codes lies ${fixed(crowd, 1)} nats from the prior; sample ${number.value} is `
      + `z = (${fixed(z[0], 1)}, ${fixed(z[1], 1)}), and the nearest code, of a ${nearest[i]}, is ${fixed(distances[i], 2)} away.`;
  });
}
