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

// A decoder of Bernoulli pixels: linear layers with ELU between them, as vaecourse.models.Decoder has them.
//   layers   [{ weight, bias }], weight row by row, (outputs, inputs)
export class Decoder {
  constructor(layers) {
    this.layers = layers;
    this.pixels = layers.at(-1).bias.length;
  }

  // The logits of the pixels at z.
  logits(z) {
    let a = Float32Array.from(z);
    this.layers.forEach(({ weight, bias }, l) => {
      const inputs = a.length, out = new Float32Array(bias.length), last = l === this.layers.length - 1;
      for (let o = 0, w = 0; o < out.length; o++) {
        let sum = bias[o];
        for (let i = 0; i < inputs; i++, w++) sum += weight[w] * a[i];
        out[o] = last || sum > 0 ? sum : Math.expm1(sum);
      }
      a = out;
    });
    return a;
  }

  // The probability of ink, pixel by pixel, at z.
  mean(z) {
    return this.logits(z).map((a) => 1 / (1 + Math.exp(-a)));
  }

  // log p(x|z), in nats: sum_j x_j a_j - log(1 + exp(a_j)).
  logLikelihood(x, z) {
    const a = this.logits(z);
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
