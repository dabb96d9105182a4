// Priors of trained models and the codes of held-out digits on the plane of two latents; samples of the prior, decoded (notebook 11).

import { fixed } from "./kit.js";

const ACROSS = 6; // decoded samples in a row, and rows: one square picture of all

// Square pictures, one after another, as one square picture with ACROSS of them in a row; from 0 … 255 to 0 … 1.
export function mosaic(pictures) {
  const pixels = pictures.length / ACROSS ** 2, side = Math.round(Math.sqrt(pixels)), made = new Float32Array(pictures.length);
  pictures.forEach((v, i) => {
    const picture = Math.floor(i / pixels), row = Math.floor((i % pixels) / side), column = i % side;
    made[(Math.floor(picture / ACROSS) * side + row) * ACROSS * side + (picture % ACROSS) * side + column] = v / 255;
  });
  return made;
}

export function chooseAPrior(frame, { models, labels, start, goal }) {
  const which = frame.choice("model", models.map(({ name }) => name));
  const number = frame.slider("sample of the prior", { value: start, min: 1, max: ACROSS ** 2 });
  const plane = frame.panel({ title: "Prior (grey), codes, samples of the prior", x: [-1, 1], y: [-1, 1], xlabel: "z₁", ylabel: "z₂", square: true, height: 270, grow: 1.2 });
  const sheet = frame.panel({ title: "All samples, decoded", x: [0, ACROSS], y: [0, ACROSS], square: true, axes: false, height: 240 });
  const large = frame.panel({ title: "The chosen one", square: true, axes: false, height: 160, grow: 0.5 });
  const sheets = models.map(({ pictures }) => mosaic(pictures)), pixels = models[0].pictures.length / ACROSS ** 2;
  const model = () => models.find(({ name }) => name === which.value);
  const sample = (i = number.value - 1) => model().samples.subarray(2 * i, 2 * i + 2);
  const corner = (i = number.value - 1) => [i % ACROSS, ACROSS - 1 - Math.floor(i / ACROSS)];

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
      const [column, row] = [x, ACROSS - y].map((v) => Math.min(ACROSS - 1, Math.max(0, Math.floor(v))));
      number.set(1 + ACROSS * row + column);
    },
  });
  frame.goal(goal.text, () => model().distances[number.value - 1] > goal.distance);

  frame.draw(() => {
    const { side, density, pictures, codes, samples, crowd, distances, nearest } = model(), i = number.value - 1, z = sample();
    const picture = Float32Array.from(pictures.subarray(i * pixels, (i + 1) * pixels), (v) => v / 255);
    plane.range({ x: [-side, side], y: [-side, side] });
    plane.density(density, [-side, side], [-side, side], frame.dark ? "#5a5a5a" : "#b8b8b8");
    plane.classes(codes, labels, { size: 10, alpha: 0.75 });
    plane.marks(samples, new Array(distances.length).fill("✕"), { color: "naive", size: 13 });
    plane.cross(...z, { color: "naive", size: 30 });
    sheet.image(sheets[models.indexOf(model())]);
    const [x, y] = corner();
    sheet.line([x, x + 1, x + 1, x, x], [y, y, y + 1, y + 1, y], { color: "naive", width: 4 });
    large.title(`Sample ${number.value}`);
    large.image(picture);
    return `${which.value}: the crowd of ${labels.length} codes lies ${fixed(crowd, 1)} nats from the prior; sample ${number.value} is `
      + `z = (${fixed(z[0], 1)}, ${fixed(z[1], 1)}), and the nearest code, of a digit ${nearest[i]}, is ${fixed(distances[i], 2)} away.`;
  });
}
