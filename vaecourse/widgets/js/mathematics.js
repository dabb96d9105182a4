// The few functions of the course that live figures need. Each is named after its twin in Python, and tested against it in a browser.

const LOG_2PI = Math.log(2 * Math.PI);

// log(sum(exp(values))), without overflow. vaecourse.logspace: torch.logsumexp.
export function logSumExp(values) {
  let top = -Infinity;
  for (const v of values) if (v > top) top = v;
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (const v of values) sum += Math.exp(v - top);
  return top + Math.log(sum);
}

// log(mean(exp(values))). vaecourse.logspace.log_mean_exp.
export function logMeanExp(values) {
  return logSumExp(values) - Math.log(values.length);
}

// (sum w)^2 / sum w^2 of weights given by their logarithms. vaecourse.logspace.effective_sample_size.
export function effectiveSampleSize(logW) {
  return Math.exp(2 * logSumExp(logW) - logSumExp(Array.from(logW, (v) => 2 * v)));
}

// log N(z; mean, sd^2), in nats.
export function normalLogProb(z, mean = 0, sd = 1) {
  const u = (z - mean) / sd;
  return -0.5 * (u * u + LOG_2PI) - Math.log(sd);
}

// log sigmoid(a) = -log(1 + exp(-a)), without overflow.
export function logSigmoid(a) {
  return Math.min(a, 0) - Math.log1p(Math.exp(-Math.abs(a)));
}

// KL(N(mu, sigma^2) || N(0, 1)), summed over the latents, in nats: equation (6.7). vaecourse.distributions.gaussian_kl.
export function gaussianKl(mu, sigma) {
  let kl = 0;
  for (let k = 0; k < mu.length; k++) kl += 0.5 * (mu[k] ** 2 + sigma[k] ** 2 - 1) - Math.log(sigma[k]);
  return kl;
}

export function mean(values) {
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
}

// The standard deviation with n - 1 in the denominator, as torch.std has it.
export function std(values) {
  const m = mean(values);
  let sum = 0;
  for (const v of values) sum += (v - m) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

// n numbers from low to high, both included.
export function linspace(low, high, n) {
  return Float64Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
}

// The i-th of the uniform numbers of a seed, in (0, 1): a hash of i, so that any of them can be had at once.
// vaecourse.widgets.live.uniform draws the same.
export function uniform(i, seed = 0) {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(seed + 1, 0x85ebca6b)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (((h ^ (h >>> 15)) >>> 0) + 0.5) / 4294967296;
}

// n standard normal numbers of a seed, two from each pair of uniform ones (Box and Muller 1958).
export function normals(n, seed = 0) {
  const made = new Float64Array(n);
  for (let i = 0; i < n; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform(i, seed))), angle = 2 * Math.PI * uniform(i + 1, seed);
    made[i] = radius * Math.cos(angle);
    if (i + 1 < n) made[i + 1] = radius * Math.sin(angle);
  }
  return made;
}

// The nearest number that 16 bits can hold; torch's float16.
export function toFloat16(v) {
  if (v === 0 || !Number.isFinite(v)) return v;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(v))), -14) - 10), whole = v / unit, low = Math.floor(whole);
  const up = whole - low > 0.5 || (whole - low === 0.5 && low % 2 !== 0); // a tie goes to the even one
  const near = (low + (up ? 1 : 0)) * unit;
  return Math.abs(near) > 65504 ? Math.sign(v) * Infinity : near;
}

// Linear layers with ELU between them, as vaecourse.models.mlp makes them.
//   layers   [{ weight, bias }], weight row by row, (outputs, inputs)
export class Network {
  constructor(layers) {
    this.layers = layers;
  }

  forward(inputs) {
    let a = Float32Array.from(inputs);
    this.layers.forEach(({ weight, bias }, l) => {
      const n = a.length, out = new Float32Array(bias.length), last = l === this.layers.length - 1;
      for (let o = 0, w = 0; o < out.length; o++, w += n) {
        let sum = bias[o];
        for (let i = 0; i < n; i++) sum += weight[w + i] * a[i];
        out[o] = last || sum > 0 ? sum : Math.expm1(sum);
      }
      a = out;
    });
    return a;
  }

  // The outputs of four inputs, next to one another: output o of input k stands at 4 o + k. Each weight is read once for all four, so
  // that this takes a third of the time of four calls of `forward`.
  forwardFour(inputs) {
    let a = new Float64Array(4 * inputs[0].length);
    inputs.forEach((values, k) => values.forEach((v, i) => { a[4 * i + k] = v; }));
    this.layers.forEach(({ weight, bias }, l) => {
      const n = a.length / 4, out = new Float64Array(4 * bias.length), last = l === this.layers.length - 1;
      for (let o = 0, w = 0; o < bias.length; o++, w += n) {
        let s0 = bias[o], s1 = s0, s2 = s0, s3 = s0;
        for (let i = 0; i < n; i++) {
          const v = weight[w + i];
          s0 += v * a[4 * i];
          s1 += v * a[4 * i + 1];
          s2 += v * a[4 * i + 2];
          s3 += v * a[4 * i + 3];
        }
        [s0, s1, s2, s3].forEach((sum, k) => { out[4 * o + k] = last || sum > 0 ? sum : Math.expm1(sum); });
      }
      a = out;
    });
    return a;
  }
}

// The means and standard deviations of q(z|x): vaecourse.models.Encoder.
export function encode(network, x) {
  const out = network.forward(x), k = out.length / 2;
  return { mean: Array.from(out.subarray(0, k)), sd: Array.from(out.subarray(k), (v) => Math.exp(v / 2)) };
}

// A decoder of Bernoulli pixels: its network gives the logit of each pixel. vaecourse.models.Decoder.
export class Decoder extends Network {
  // The probability of ink, pixel by pixel, at z.
  mean(z) {
    return this.forward(z).map((a) => 1 / (1 + Math.exp(-a)));
  }

  // log p(x|z), in nats: sum_j x_j a_j - log(1 + exp(a_j)).
  logLikelihood(x, z) {
    const a = this.forward(z);
    let sum = 0;
    for (let j = 0; j < a.length; j++) sum += x[j] * a[j] + logSigmoid(-a[j]);
    return sum;
  }

  // log p(x, z) under the prior N(0, I).
  logJoint(x, z) {
    let sum = this.logLikelihood(x, z);
    for (const v of z) sum += normalLogProb(v);
    return sum;
  }
}

// A function known on a square lattice around a centre; value (i, j) as torch.cartesian_prod orders them. Between the nodes it is the
// polynomial of degree 3 through the nearest 4 x 4 of them.
export class Lattice {
  constructor(values, reach, centre = [0, 0]) {
    Object.assign(this, { values, reach, centre });
    this.side = Math.round(Math.sqrt(values.length));
    this.step = (2 * reach) / (this.side - 1);
    this.low = centre.map((c) => c - reach);
  }

  covers(z1, z2) {
    return Math.abs(z1 - this.centre[0]) <= this.reach && Math.abs(z2 - this.centre[1]) <= this.reach;
  }

  at(z1, z2) {
    const [i, u] = this.#near(z1, 0), [j, v] = this.#near(z2, 1), first = cubic(u), second = cubic(v), w = this.values;
    let sum = 0;
    for (let a = 0; a < 4; a++) {
      const k = (i + a) * this.side + j;
      sum += first[a] * (second[0] * w[k] + second[1] * w[k + 1] + second[2] * w[k + 2] + second[3] * w[k + 3]);
    }
    return sum;
  }

  // The first of the four nodes around a coordinate, and how far behind it the coordinate lies, in steps.
  #near(z, axis) {
    const at = (z - this.low[axis]) / this.step, first = Math.min(Math.max(Math.floor(at) - 1, 0), this.side - 4);
    return [first, at - first];
  }
}

// The weights of four nodes 0, 1, 2, 3 for the value of their polynomial at t.
function cubic(t) {
  return [-((t - 1) * (t - 2) * (t - 3)) / 6, (t * (t - 2) * (t - 3)) / 2, -(t * (t - 1) * (t - 3)) / 2, (t * (t - 1) * (t - 2)) / 6];
}

// The cells of a lattice that hold mass, as [row, column].
function cellsWithMass({ values, side }) {
  const cells = [];
  let top = -Infinity;
  for (const v of values) top = Math.max(top, v);
  for (let i = 0; i + 1 < side; i++) {
    for (let j = 0, k = i * side; j + 1 < side; j++, k++) {
      if (Math.max(values[k], values[k + 1], values[k + side], values[k + side + 1]) >= top - 12) cells.push([i, j]);
    }
  }
  return cells;
}

// log of the integral of p(x, z) over the plane: log p(x). Cells of a coarse lattice that hold mass are cut into fine x fine parts (the
// trapezoidal rule). vaecourse.oracles.exact_log_px. Returns also the mean and the standard deviations of the posterior.
//   coarse   log p(x, z) on a Lattice
//   at       (z1, z2) => log p(x, z), where it is to be known exactly; by default what lies between the nodes of the lattice. It is not
//            asked where more than a fifth of the lattice holds mass: so wide a posterior is smooth between the nodes, and the answers
//            of a decoder would take seconds.
export function logEvidence(coarse, fine = 3, at = null) {
  const { side, low, step } = coarse, logs = [], places = [], cells = cellsWithMass(coarse);
  const value = at && cells.length < side ** 2 / 5 ? at : (z1, z2) => coarse.at(z1, z2);
  for (const [i, j] of cells) {
    for (let part = 0; part < fine * fine; part++) {
      const z1 = low[0] + (i + (Math.floor(part / fine) + 0.5) / fine) * step, z2 = low[1] + (j + ((part % fine) + 0.5) / fine) * step;
      logs.push(value(z1, z2));
      places.push([z1, z2]);
    }
  }
  const total = logSumExp(logs), share = logs.map((v) => Math.exp(v - total));
  const moment = (f) => share.reduce((sum, w, n) => sum + w * f(places[n]), 0);
  const mean = [moment((z) => z[0]), moment((z) => z[1])];
  const sd = [0, 1].map((k) => Math.sqrt(Math.max(moment((z) => (z[k] - mean[k]) ** 2), 1e-8)));
  return { logPx: total + 2 * Math.log(step / fine), mean, sd };
}

// The ELBO of a q with uncorrelated coordinates, in nats: E_q[log p(x, z)] by a quadrature rule, plus q's entropy in closed form.
// vaecourse.diagnostics.exact_elbo.
//   at     (z1, z2) => log p(x, z)
//   rule   { nodes, weights } for an average over a standard normal, one coordinate at a time (Gauss and Hermite)
export function elbo(at, mean, sd, { nodes, weights }) {
  let sum = 0, total = 0;
  for (let a = 0; a < nodes.length; a++) {
    for (let b = 0; b < nodes.length; b++) {
      const w = weights[a] * weights[b];
      if (w < 1e-7) continue;
      total += w;
      sum += w * at(mean[0] + sd[0] * nodes[a], mean[1] + sd[1] * nodes[b]);
    }
  }
  return sum / total + LOG_2PI + 1 + Math.log(sd[0] * sd[1]);
}
