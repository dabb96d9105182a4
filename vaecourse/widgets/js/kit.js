// What every live figure is made of: controls, panels to draw on, and a sentence that says what is to be seen.
//
// A figure is drawn once for all the moves that have arrived since the last picture, before the next one is shown. Everything can be
// done by keyboard, mouse and touch; each control has a name and says its value. No kernel and no network is needed.

// Okabe and Ito's colours, as in vaecourse/plots.py. What is black there takes the colour of the text, so that it shows on dark paper.
const COLORS = {
  exact: "ink", naive: "#D55E00", importance: "#0072B2", elbo: "#009E73", iwae: "#CC79A7", prior: "#7F7F7F", posterior: "#E69F00",
};
const ON_DARK = { naive: "#FF7F2A", importance: "#56B4E9", elbo: "#2FC79A", iwae: "#E39CC4", prior: "#A8A8A8", posterior: "#F0B429" };

// The shades of the ten digits, from dark to light, as in vaecourse/plots.py; on dark paper none is as dark as the paper.
const SHADES = ["#440154", "#482576", "#404588", "#34618d", "#297a8e", "#20928c", "#25ac82", "#4cc26c", "#86d549", "#cae11f"];
const SHADES_ON_DARK = ["#355f8d", "#2c728e", "#25858e", "#1f988b", "#25ab82", "#3fbc73", "#67cc5c", "#98d83e", "#cde11d", "#fde725"];

const STYLE = `
.vae-live { display: block; margin: 4px 0; max-width: 66em; font-size: 14px; line-height: 1.45 }
.vae-live .vae-controls { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 6px 0 }
.vae-live label, .vae-live fieldset { display: flex; align-items: center; gap: 8px; border: 0; padding: 0; margin: 0; flex-wrap: wrap }
.vae-live label > span:first-child { min-width: 6.5em }
.vae-live input[type=range] { width: 13em; accent-color: #0072B2 }
.vae-live output { min-width: 3.2em; font-variant-numeric: tabular-nums }
.vae-live .vae-panels { display: flex; flex-wrap: wrap; gap: 10px 14px }
.vae-live .vae-panel { position: relative; flex: 1 1 240px; min-width: min(240px, 100%) }
.vae-live .vae-panel > strong { display: block; min-height: 1.45em }
.vae-live canvas { display: block; width: 100%; touch-action: none }
.vae-live .vae-handle { position: absolute; width: 30px; height: 30px; margin: -15px; border-radius: 50%; cursor: grab; touch-action: none }
.vae-live .vae-handle::after { content: ""; position: absolute; inset: 9px; border: 2px solid currentColor; border-radius: 50%; background: #fffc }
.vae-live .vae-handle:active { cursor: grabbing }
.vae-live .vae-handle:focus-visible, .vae-live input:focus-visible, .vae-live button:focus-visible { outline: 3px solid #0072B2; outline-offset: 1px }
.vae-live .vae-sentence { margin: 6px 0 0; min-height: 2.9em }
.vae-live .vae-goal { margin: 2px 0 0 }
.vae-live .vae-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.vae-live button { font: inherit; padding: 2px 10px }
`;

// A number as Python's format(x, ".2f") prints it, with the sign of a minus that is not followed by zeros only.
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

// The same with its sign always shown: +0.3, -1.2.
export function signed(value, digits) {
  const text = fixed(value, digits);
  return text.startsWith("-") ? text : `+${text}`;
}

// A whole number with commas between thousands.
export function thousands(n) {
  return n.toLocaleString("en-US");
}

// An HTML element with attributes and children.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// What Python packed: numbers in base64 become typed arrays, whole numbers with a scale for each row become numbers again.
export function unpack(data) {
  if (Array.isArray(data)) return data.map(unpack);
  if (data === null || typeof data !== "object") return data;
  if ("base64" in data) {
    const bytes = Uint8Array.from(atob(data.base64), (c) => c.charCodeAt(0));
    const numbers = new { f4: Float32Array, f8: Float64Array, i2: Int16Array, u1: Uint8Array }[data.type](bytes.buffer);
    if (!data.scales) return numbers;
    const scales = unpack(data.scales), width = numbers.length / scales.length;
    return Float32Array.from(numbers, (n, i) => n * scales[Math.floor(i / width)]);
  }
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, unpack(value)]));
}

// The frame of one figure: makes controls and panels, and draws when something has moved.
export class Frame {
  constructor(root, title, about) {
    if (!document.getElementById("vae-live-style")) {
      document.head.append(element("style", { id: "vae-live-style" }, STYLE));
    }
    this.root = root;
    this.drawn = 0; // pictures drawn so far, for the benchmark
    this.panels = [];
    this.controls = element("div", { class: "vae-controls" });
    this.row = element("div", { class: "vae-panels" });
    this.sentence = element("p", { class: "vae-sentence" });
    this.spoken = element("div", { class: "vae-spoken", role: "status", "aria-live": "polite" });
    this.target = element("p", { class: "vae-goal" });
    const heading = element("div", {}, element("b", {}, title + (/[?!.]$/.test(title) ? "" : ".")), ` ${about}`);
    root.classList.add("vae-live");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", title);
    root.replaceChildren(heading, this.controls, this.row, this.sentence, this.target, this.spoken);
    root.vae = this;
    new ResizeObserver(() => this.changed()).observe(root);
    // the theme of JupyterLab is an attribute of the page's body
    new MutationObserver(() => this.changed()).observe(document.body, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.changed());
  }

  // A slider. Returns { value, set(value), shown() }.
  slider(label, { value, min, max, step = 1, digits = decimals(step), show = (v) => fixed(v, digits) }) {
    const input = element("input", { type: "range", min, max, step, value, "data-lm-suppress-shortcuts": "true", "aria-label": label });
    const readout = element("output", { "aria-hidden": "true" });
    const slider = {
      value,
      input,
      shown: () => show(slider.value),
      set: (to) => {
        const near = min + Math.round((Math.min(max, Math.max(min, to)) - min) / step) * step;
        slider.value = Number(near.toFixed(10));
        input.value = slider.value;
        readout.textContent = show(slider.value);
        input.setAttribute("aria-valuetext", readout.textContent);
        this.changed();
      },
    };
    input.addEventListener("input", () => slider.set(Number(input.value)));
    this.controls.append(element("label", {}, element("span", {}, label), input, readout));
    slider.set(value);
    return slider;
  }

  // One of several names, as radio buttons. Returns { value, set(name) }.
  choice(label, options, value = options[0]) {
    const group = element("fieldset", { role: "radiogroup", "aria-label": label }, element("span", {}, label));
    const name = `vae-${Math.random().toString(36).slice(2)}`;
    const choice = { value, set: (to) => { choice.value = to; buttons.get(to).checked = true; this.changed(); } };
    const buttons = new Map(options.map((option) => {
      const button = element("input", { type: "radio", name, value: option, "data-lm-suppress-shortcuts": "true" });
      button.addEventListener("change", () => choice.set(option));
      group.append(element("label", {}, button, option));
      return [option, button];
    }));
    this.controls.append(group);
    choice.set(value);
    return choice;
  }

  button(label, action) {
    const button = element("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, label);
    button.addEventListener("click", () => { action(); this.changed(); });
    this.controls.append(button);
    return button;
  }

  // A canvas with axes. See Panel.
  panel(options) {
    const panel = new Panel(this, options);
    this.panels.push(panel);
    this.row.append(panel.box);
    return panel;
  }

  // Something small to reach: `text` says what, `reached` whether it is.
  goal(text, reached) {
    this.aim = { text, reached, done: false };
  }

  // From now on `paint` draws the figure, whenever something has changed, and returns the sentence that says what it shows.
  draw(paint) {
    this.paint = paint;
    this.changed();
  }

  // `settle` is called when the figure rests, for what takes too long to be done at every picture; it returns a better sentence.
  rest(settle) {
    this.settle = settle;
  }

  changed() {
    if (this.waiting || !this.paint) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.root.isConnected && this.root.clientWidth) this.now();
    });
  }

  now() {
    const ink = getComputedStyle(this.root).color;
    this.ink = ink;
    this.dark = lightness(ink) > 0.5;
    for (const panel of this.panels) panel.clear();
    const said = this.paint();
    this.sentence.textContent = said;
    if (this.aim) {
      const reached = this.aim.reached();
      this.aim.done ||= reached;
      this.target.textContent = `${this.aim.done ? "✓ Reached" : "Goal"}: ${this.aim.text}`;
    }
    for (const panel of this.panels) panel.place();
    clearTimeout(this.resting); // what takes long, and what is read aloud, waits until the figure rests
    this.resting = setTimeout(() => {
      const exact = this.settle?.();
      if (exact) this.sentence.textContent = exact;
      this.spoken.textContent = `${exact ?? said} ${this.aim?.done ? this.target.textContent : ""}`;
      this.settled = this.drawn;
    }, 150);
    this.drawn += 1;
  }

  color(name) {
    if (COLORS[name] === "ink") return this.ink;
    return (this.dark && ON_DARK[name]) || COLORS[name] || name;
  }
}

// A canvas on which data is drawn in its own units, with axes, and with handles that can be dragged.
class Panel {
  constructor(frame, { title = "", x = [0, 1], y = [0, 1], xlabel = "", ylabel = "", height = 240, grow = 1, square = false, axes = true, yticks = true, xtick = label }) {
    Object.assign(this, { frame, x, y, xlabel, ylabel, height, square, axes, yticks, xtick, handles: [] });
    this.canvas = element("canvas", { role: "img", "aria-label": title });
    this.heading = element("strong", {}, title);
    this.box = element("div", { class: "vae-panel", style: axes ? `flex-grow: ${grow}` : "flex: 1 1 130px; min-width: 130px" }, this.heading, this.canvas);
    this.context = this.canvas.getContext("2d");
    this.canvas.addEventListener("pointerdown", (event) => this.#press(event));
  }

  title(text) {
    if (this.heading.textContent !== text) {
      this.heading.textContent = text;
      this.canvas.setAttribute("aria-label", text);
    }
  }

  // New limits of the axes; to be called before anything is drawn.
  range({ x = this.x, y = this.y }) {
    Object.assign(this, { x, y });
    this.clear();
  }

  clear() {
    const width = this.box.clientWidth, sharp = window.devicePixelRatio || 1;
    const height = this.square ? Math.min(width, this.height * 1.4) : this.height;
    const size = [Math.round(width * sharp), Math.round(height * sharp)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      this.canvas.style.height = `${height}px`;
    }
    const c = this.context;
    c.setTransform(sharp, 0, 0, sharp, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = `12px ${getComputedStyle(this.box).fontFamily}`;
    const wide = this.yticks ? Math.max(...ticks(this.y, 4).map((tick) => c.measureText(label(tick)).width)) : 0;
    const half = Math.max(...ticks(this.x, 5).map((tick) => c.measureText(this.xtick(tick)).width)) / 2; // the last number may stand at the edge
    const edge = this.axes ? { left: wide + (this.ylabel ? 26 : 10), right: Math.max(10, half), top: 8, bottom: this.xlabel ? 36 : 22 } : { left: 4, right: 4, top: 4, bottom: 4 };
    const inner = { left: edge.left, top: edge.top, width: width - edge.left - edge.right, height: height - edge.top - edge.bottom };
    if (this.square) { // the same length for a unit on both axes
      const [across, up] = [this.x, this.y].map(([from, to]) => Math.abs(to - from));
      const unit = Math.min(inner.width / across, inner.height / up);
      inner.width = unit * across;
      inner.height = unit * up;
    }
    this.inner = inner;
    if (this.axes) this.#drawAxes();
  }

  // From data to pixels of the page, and back.
  px(x) { return this.inner.left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * this.inner.width; }
  py(y) { return this.inner.top + ((this.y[1] - y) / (this.y[1] - this.y[0])) * this.inner.height; }
  at(px, py) {
    return [
      this.x[0] + ((px - this.inner.left) / this.inner.width) * (this.x[1] - this.x[0]),
      this.y[1] - ((py - this.inner.top) / this.inner.height) * (this.y[1] - this.y[0]),
    ];
  }

  #drawAxes() {
    const c = this.context, { left, top, width, height } = this.inner;
    c.save();
    c.strokeStyle = c.fillStyle = this.frame.ink;
    c.lineWidth = 1;
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const tick of ticks(this.x, width < 200 ? 3 : 5)) {
      this.#stroke([[this.px(tick), top], [this.px(tick), top + height]], 0.12);
      c.fillText(this.xtick(tick), this.px(tick), top + height + 5);
    }
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of this.yticks ? ticks(this.y, 4) : []) {
      this.#stroke([[left, this.py(tick)], [left + width, this.py(tick)]], 0.12);
      c.fillText(label(tick), left - 5, this.py(tick));
    }
    this.#stroke([[left, top], [left, top + height], [left + width, top + height]], 0.7);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    if (this.xlabel) c.fillText(this.xlabel, left + width / 2, top + height + 32);
    if (this.ylabel) {
      c.translate(11, top + height / 2);
      c.rotate(-Math.PI / 2);
      c.fillText(this.ylabel, 0, 0);
    }
    c.restore();
  }

  #stroke(points, alpha) {
    const c = this.context;
    c.globalAlpha = alpha;
    c.beginPath();
    points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
    c.stroke();
    c.globalAlpha = 1;
  }

  // What is drawn inside stays within the axes.
  #within(draw, { color = "exact", alpha = 1, width = 2, dash = [] } = {}) {
    const c = this.context, { left, top, width: w, height: h } = this.inner;
    c.save();
    c.beginPath();
    c.rect(left, top, w, h);
    c.clip();
    c.strokeStyle = c.fillStyle = this.frame.color(color);
    c.globalAlpha = alpha;
    c.lineWidth = width;
    c.setLineDash(dash);
    draw(c);
    c.restore();
  }

  line(xs, ys, style) {
    this.#within((c) => {
      c.beginPath();
      for (let i = 0; i < xs.length; i++) c.lineTo(this.px(xs[i]), this.py(ys[i]));
      c.stroke();
    }, style);
  }

  // The area between two curves.
  area(xs, low, high, style) {
    this.#within((c) => {
      c.beginPath();
      for (let i = 0; i < xs.length; i++) c.lineTo(this.px(xs[i]), this.py(high[i]));
      for (let i = xs.length - 1; i >= 0; i--) c.lineTo(this.px(xs[i]), this.py(low[i]));
      c.fill();
    }, { alpha: 0.35, ...style });
  }

  // Vertical lines from zero: one for each draw.
  spikes(xs, ys, style) {
    this.#within((c) => {
      c.beginPath();
      for (let i = 0; i < xs.length; i++) { c.moveTo(this.px(xs[i]), this.py(0)); c.lineTo(this.px(xs[i]), this.py(ys[i])); }
      c.stroke();
    }, { width: 1, ...style });
  }

  rect(x0, y0, x1, y1, style) {
    const [left, right] = [this.px(x0), this.px(x1)].sort((a, b) => a - b), [top, bottom] = [this.py(y0), this.py(y1)].sort((a, b) => a - b);
    this.#within((c) => c.fillRect(left, top, right - left, bottom - top), style);
  }

  // A histogram of values in equal bins from low to high.
  histogram(values, low, high, bins, style) {
    const counts = count(values, low, high, bins), wide = (high - low) / bins;
    counts.forEach((n, i) => n && this.rect(low + i * wide, 0, low + (i + 1) * wide, n, { alpha: 0.75, ...style }));
  }

  // The largest count of that histogram, for the limits of the axis.
  largest(values, low, high, bins) {
    return Math.max(...count(values, low, high, bins));
  }

  vline(x, style) { this.line([x, x], this.y, style); }
  hline(y, style) { this.line(this.x, [y, y], style); }

  points(xs, ys, { color = "exact", size = 2.5, alpha = 0.7, hollow = false, width = 1.5 } = {}) {
    this.#within((c) => {
      for (let i = 0; i < xs.length; i++) {
        c.beginPath();
        c.arc(this.px(xs[i]), this.py(ys[i]), size, 0, 7);
        if (hollow) c.stroke(); else c.fill();
      }
    }, { color, alpha, width });
  }

  // Many points (z1, z2, z1, z2, …) of a plane, each drawn as its word: a digit, or a shape such as ▲.
  marks(z, words, { size = 11, ...style } = {}) {
    const family = getComputedStyle(this.box).fontFamily;
    this.#within((c) => {
      c.font = `bold ${size}px ${family}`;
      c.textAlign = "center";
      c.textBaseline = "middle";
      for (let i = 0; i < words.length; i++) c.fillText(words[i], this.px(z[2 * i]), this.py(z[2 * i + 1]));
    }, style);
  }

  // Codes on the plane, each drawn as the digit that its image shows: told apart by shape as well as by shade.
  classes(z, labels, style) {
    for (let digit = 0; digit < 10; digit++) {
      const own = [];
      labels.forEach((label, i) => label === digit && own.push(z[2 * i], z[2 * i + 1]));
      this.marks(own, new Array(own.length / 2).fill(digit), { color: (this.frame.dark ? SHADES_ON_DARK : SHADES)[digit], ...style });
    }
  }

  // A cross, `size` pixels wide.
  cross(x, y, { color = "exact", size = 15, width = 2.5 } = {}) {
    this.#within((c) => {
      const [px, py] = [this.px(x), this.py(y)];
      c.beginPath();
      c.moveTo(px - size / 2, py); c.lineTo(px + size / 2, py);
      c.moveTo(px, py - size / 2); c.lineTo(px, py + size / 2);
      c.stroke();
    }, { color, width });
  }

  // Words beside a point. With `halo` they can be read on a crowd of points.
  text(words, x, y, { color = "exact", align = "left", bold = false, dx = 0, dy = 0, size = 12, alpha = 1, halo = false } = {}) {
    const c = this.context;
    c.save();
    c.font = `${bold ? "bold " : ""}${size}px ${getComputedStyle(this.box).fontFamily}`;
    c.fillStyle = this.frame.color(color);
    c.globalAlpha = alpha;
    c.textAlign = align;
    c.textBaseline = "middle";
    if (halo) {
      c.strokeStyle = this.frame.dark ? "#111c" : "#fffc";
      c.lineWidth = 4;
      c.lineJoin = "round";
      c.strokeText(words, this.px(x) + dx, this.py(y) + dy);
    }
    c.fillText(words, this.px(x) + dx, this.py(y) + dy);
    c.restore();
  }

  // The curve on which a normal with uncorrelated coordinates is `radius` standard deviations from its mean.
  ellipse([x, y], [s1, s2], { radius = 2, ...style } = {}) {
    this.#within((c) => {
      c.beginPath();
      c.ellipse(this.px(x), this.py(y), Math.abs(this.px(x + radius * s1) - this.px(x)), Math.abs(this.py(y + radius * s2) - this.py(y)), 0, 0, 7);
      c.stroke();
    }, style);
  }

  // A square picture, row by row from the top, 0 for paper and 1 for ink, over the given part of the panel (by default all).
  // A picture that has changed must be a new array.
  image(values, [x0, x1] = this.x, [y0, y1] = this.y) {
    const side = Math.round(Math.sqrt(values.length));
    this.#raster(values, side, rgb(this.frame.ink), 1, [x0, x1], [y0, y1], false, (i) => i);
    this.#within((c) => c.strokeRect(this.px(x0), this.py(y1), this.px(x1) - this.px(x0), this.py(y0) - this.py(y1)), { alpha: 0.35, width: 1 });
  }

  // A density on a square lattice, value (i, j) at the i-th first and the j-th second coordinate, as torch.cartesian_prod orders them.
  density(values, [x0, x1], [y0, y1], color = "posterior") {
    const side = Math.round(Math.sqrt(values.length)), half = (x1 - x0) / (side - 1) / 2;
    let top = 0;
    for (const v of values) top = Math.max(top, v);
    const place = (i) => (side - 1 - (i % side)) * side + Math.floor(i / side);
    this.#raster(values, side, rgb(this.frame.color(color)), top, [x0 - half, x1 + half], [y0 - half, y1 + half], true, place);
  }

  #raster(values, side, [r, g, b], top, [x0, x1], [y0, y1], smooth, place) {
    this.tile ??= document.createElement("canvas");
    if (this.tile.width !== side) { this.tile.width = this.tile.height = side; this.pixels = new ImageData(side, side); }
    const data = this.pixels.data, paint = `${r} ${g} ${b} ${top}`;
    if (this.painted !== values || this.paintedAs !== paint) { // the same array again is on the tile already
      for (let i = 0; i < values.length; i++) {
        const k = 4 * place(i);
        data[k] = r; data[k + 1] = g; data[k + 2] = b; data[k + 3] = 255 * Math.min(1, Math.max(0, values[i] / top));
      }
      this.tile.getContext("2d").putImageData(this.pixels, 0, 0);
      this.painted = values;
      this.paintedAs = paint;
    }
    this.#within((c) => {
      c.imageSmoothingEnabled = smooth;
      c.drawImage(this.tile, this.px(x0), this.py(y1), this.px(x1) - this.px(x0), this.py(y0) - this.py(y1));
    });
  }

  // A point that can be dragged, or moved by the arrow keys.
  //   name   what it is, for those who do not see it
  //   at     () => [x, y], where it is now
  //   move   (x, y) => sets what it stands for
  //   step   [x, y], how far a key moves it, 0 where it does not move that way; or a function of the way, such as [-1, 0], that moves it
  //   say    () => its value in words
  handle({ name, at, move, step, say = () => at().map((v) => fixed(v, 2)).join(", ") }) {
    const knob = element("div", { class: "vae-handle", role: "slider", tabindex: 0, "aria-label": name, "data-lm-suppress-shortcuts": "true" });
    const handle = { knob, at, move, say };
    knob.addEventListener("pointerdown", (event) => this.#grab(handle, event));
    knob.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      if (typeof step === "function") return step(way);
      const fast = event.shiftKey ? 5 : 1, [x, y] = at();
      move(x + fast * way[0] * step[0], y + fast * way[1] * step[1]);
    });
    this.handles.push(handle);
    this.box.append(knob);
    return handle;
  }

  // Something to draw on: `paint(x, y)` is called wherever the pointer goes while it is pressed, and where the space bar is.
  brush({ name, paint, start }) {
    const at = [...start];
    const pen = this.handle({
      name: `${name}: arrow keys move, the space bar draws`, at: () => at, step: [1, 1],
      move: (x, y) => {
        at[0] = Math.min(Math.max(x, this.x[0]), this.x[1]);
        at[1] = Math.min(Math.max(y, Math.min(...this.y)), Math.max(...this.y));
        if (pen.knob.hasPointerCapture?.(pen.pointer) || pen.down) paint(...at);
        this.frame.changed();
      },
    });
    for (const type of ["keydown", "keyup"]) {
      pen.knob.addEventListener(type, (event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        pen.down = type === "keydown";
        if (pen.down) { paint(...at); this.frame.changed(); }
      });
    }
    return pen;
  }

  // A press on the panel takes the nearest handle there.
  #press(event) {
    if (!this.handles.length) return;
    const [px, py] = this.#pixels(event), [x, y] = this.at(px, py);
    const far = (handle) => { const [hx, hy] = handle.at(); return (this.px(hx) - px) ** 2 + (this.py(hy) - py) ** 2; };
    const nearest = this.handles.reduce((a, b) => (far(b) < far(a) ? b : a));
    this.#grab(nearest, event);
    nearest.move(x, y);
  }

  #grab(handle, event) {
    event.preventDefault();
    handle.knob.focus({ preventScroll: true });
    handle.knob.setPointerCapture(event.pointerId);
    handle.pointer = event.pointerId;
    const move = (moved) => handle.move(...this.at(...this.#pixels(moved)));
    handle.knob.addEventListener("pointermove", move);
    handle.knob.addEventListener("lostpointercapture", () => handle.knob.removeEventListener("pointermove", move), { once: true });
  }

  #pixels(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // Puts the handles where they belong, and says their values.
  place() {
    for (const { knob, at, say } of this.handles) {
      const [x, y] = at();
      knob.style.left = `${this.canvas.offsetLeft + this.px(x)}px`;
      knob.style.top = `${this.canvas.offsetTop + this.py(y)}px`;
      knob.setAttribute("aria-valuenow", x);
      knob.setAttribute("aria-valuetext", say());
    }
  }
}

function decimals(step) {
  return (String(step).split(".")[1] ?? "").length;
}

// How many values fall into each of `bins` equal bins from low to high; the last bin includes its upper edge.
export function count(values, low, high, bins) {
  const counts = new Array(bins).fill(0);
  for (const value of values) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    if (value >= low && value <= high) counts[Math.min(bin, bins - 1)] += 1;
  }
  return counts;
}

// About `most` round numbers within the limits.
function ticks([low, high], most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

function label(tick) {
  return Number(tick.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "−");
}

function rgb(color) {
  const hex = color.match(/^#(..)(..)(..)$/);
  return hex ? hex.slice(1).map((part) => parseInt(part, 16)) : color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function lightness(color) {
  const [r, g, b] = rgb(color);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

// Finds the places of a figure in the page and brings each to life, once. A still picture that stands before it gives way.
export function begin(id, title, about, build) {
  for (const root of document.querySelectorAll(`[data-vae="${id}"]:not(.vae-live)`)) {
    const data = unpack(JSON.parse(root.querySelector("script[type='application/json']")?.textContent ?? "{}"));
    hideStill(root);
    build(new Frame(root, title, about), data);
  }
}

// The output before this one holds the still, for those who read without scripts. Returns it where there is one.
export function hideStill(root) {
  const output = root.closest(".jp-OutputArea-child, .output_area");
  const before = output?.previousElementSibling;
  if (!before?.querySelector("img")) return null;
  before.style.display = "none"; // the attribute `hidden` loses against the style sheet of JupyterLab
  return before;
}
