// A digit drawn by the reader: its pixels, its exact posterior, the decoder's answer, and log p(x), ELBO and gap (notebooks 00 and 08).

import { fixed } from "./kit.js";
import { Decoder, Lattice, Network, elbo, encode, logEvidence, logSigmoid, normalLogProb, uniform } from "./mathematics.js";
import { ellipse, gapInNats, numberLine } from "./bounds.js";

const REACH = 4, SIDE = 97, NODES = SIDE * SIDE, PIXELS = 784, ZOOM = 0.4;

export function drawYourOwn(frame, { decoder: layers, encoder, examples, rule, start }) {
  const decoder = new Decoder(layers), network = encoder && new Network(encoder), ink = new Float32Array(PIXELS), x = new Uint8Array(PIXELS);
  const scores = new Float32Array(NODES), columns = new Float32Array(PIXELS * NODES); // log p(x, z) at the nodes; each pixel's logits there
  const coarse = new Lattice(scores, REACH);
  let ready = 0, example = 0, found, gap = Infinity;

  const paper = frame.panel({ title: "Draw here", x: [0, 28], y: [28, 0], axes: false, square: true, height: 150 });
  const binary = frame.panel({ title: "Black and white: x", x: [0, 28], y: [28, 0], axes: false, square: true, height: 150 });
  const answer = frame.panel({ title: "Decoder's mean", axes: false, square: true, height: 150 });
  const line = frame.panel({ title: "ELBO + gap = log p(x)", y: [0, 3], xlabel: "nats", yticks: false, height: 150, grow: 2 });
  const plane = frame.panel({ title: "Exact posterior", x: [-REACH, REACH], y: [-REACH, REACH], xlabel: "z₁", ylabel: "z₂", square: true, height: 190 });
  const close = frame.panel({ title: "Posterior and q, enlarged", xlabel: "z₁", ylabel: "z₂", square: true, height: 190 });
  const place = [0, 1].map((k) => frame.slider(`mean z${"₁₂"[k]}`, { value: start.mean[k], min: -REACH, max: REACH, step: 0.01, digits: 2 }));
  const width = [0, 1].map((k) => frame.slider(`width σ${"₁₂"[k]}`, { value: start.sd[k], min: 0.01, max: 0.5, step: 0.002, digits: 3 }));
  const q = ellipse(frame, close, place, width);

  const setQ = ({ mean, sd }) => [0, 1].forEach((k) => { place[k].set(mean[k]); width[k].set(sd[k]); });
  const show = (image) => { ink.set(image); toss(); };
  frame.button("Clear", () => show(new Float32Array(PIXELS)));
  frame.button("Another digit", () => { example = (example + 1) % (examples.length / PIXELS); show(picked()); setQ(near(evidence())); });
  if (network) frame.button("q by the encoder", () => setQ(encode(network, x)));
  frame.button("q at the posterior", () => setQ(evidence()));
  frame.goal("drag q until the gap is smaller than 0.6 nats (a tilted posterior leaves some gap to every q of this shape)", () => gap < 0.6);
  paper.brush({ name: "Pen", start: [14, 14], paint: dab });

  const picked = () => examples.subarray(PIXELS * example, PIXELS * (example + 1));
  const near = ({ mean, sd }) => ({ mean: mean.map((m) => m + 0.06), sd: sd.map((s) => 1.6 * s) });
  const evidence = () => logEvidence(coarse);

  // Ink where the pen is, softer towards the rim.
  function dab(px, py) {
    for (let row = 0; row < 28; row++) {
      for (let column = 0; column < 28; column++) {
        const soft = 1.9 - Math.hypot(column + 0.5 - px, row + 0.5 - py);
        if (soft > 0) ink[28 * row + column] = Math.max(ink[28 * row + column], Math.min(1, soft));
      }
    }
    toss();
  }

  // One coin for each pixel, always the same: the pixel is 1 where the coin is below its ink. Only pixels that change cost work.
  function toss() {
    for (let j = 0; j < PIXELS; j++) {
      const now = uniform(j) < ink[j] ? 1 : 0;
      if (now === x[j]) continue;
      x[j] = now;
      if (ready < NODES) continue;
      const sign = now ? 1 : -1, column = columns.subarray(j * NODES, (j + 1) * NODES);
      for (let n = 0; n < NODES; n++) scores[n] += sign * column[n];
    }
    frame.changed();
  }

  const node = (n) => [Math.floor(n / SIDE), n % SIDE].map((steps, k) => coarse.low[k] + coarse.step * steps);

  // The logits of all pixels at all nodes, made once, a slice between two pictures.
  function prepare() {
    const end = performance.now() + 25;
    while (ready < NODES && performance.now() < end) {
      const z = [0, 1, 2, 3].map((n) => node(Math.min(ready + n, NODES - 1))), logits = decoder.forwardFour(z);
      for (let n = 0; n < 4 && ready < NODES; n++, ready++) {
        let score = normalLogProb(z[n][0]) + normalLogProb(z[n][1]);
        for (let j = 0; j < PIXELS; j++) {
          const a = logits[4 * j + n];
          columns[j * NODES + ready] = a;
          score += logSigmoid(-a) + x[j] * a;
        }
        scores[ready] = score;
      }
    }
    frame.changed();
    if (ready < NODES) setTimeout(prepare); else frame.ready = true;
  }

  function describe(logPx, bound, words) {
    frame.values = { logPx, elbo: bound };
    gap = logPx - bound;
    return `${x.reduce((a, b) => a + b)} of 784 pixels are ink. log p(x) ${words} ${fixed(logPx, 1)} nats: ELBO ${fixed(bound, 1)}, gap ${gapInNats(bound, logPx)}.`;
  }

  frame.draw(() => {
    paper.image(ink.slice());
    binary.image(x.slice());
    const { mean, sd } = q();
    answer.image(decoder.mean(mean));
    if (ready < NODES) return `Preparing the decoder: ${Math.floor((100 * ready) / NODES)} % …`;
    found = evidence();
    const bound = elbo((a, b) => coarse.at(a, b), mean, sd, rule);
    plane.density(scores.map((v) => Math.exp(v - found.logPx)), plane.x, plane.y);
    plane.points([found.mean[0]], [found.mean[1]], { size: 11, hollow: true, alpha: 1 });
    close.range({ x: [found.mean[0] - ZOOM, found.mean[0] + ZOOM], y: [found.mean[1] - ZOOM, found.mean[1] + ZOOM] });
    const zoomed = Float64Array.from({ length: 41 * 41 }, (_, k) => {
      const z = [Math.floor(k / 41), k % 41].map((n, axis) => found.mean[axis] + ZOOM * (n / 20 - 1));
      return Math.exp(coarse.at(...z) - found.logPx);
    });
    close.density(zoomed, close.x, close.y);
    close.ellipse(mean, sd, { color: "elbo", width: 2.5 });
    line.range({ x: [Math.floor(found.logPx / 10) * 10 - 40, Math.ceil(found.logPx / 10) * 10 + 5] });
    numberLine(line, bound, found.logPx);
    return describe(found.logPx, bound, "is about");
  });

  // At rest the decoder itself is asked, where the posterior and q have their mass.
  frame.rest(() => {
    if (ready < NODES) return null;
    const { mean, sd } = q(), joint = (a, b) => decoder.logJoint(x, [a, b]);
    return describe(logEvidence(coarse, 3, joint).logPx, elbo(joint, mean, sd, rule), "is");
  });

  Object.assign(frame, { pixels: x, ready: false }); // for tests
  show(picked());
  prepare();
}
