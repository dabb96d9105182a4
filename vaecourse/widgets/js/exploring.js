// Sliders over the latents of a model that the kernel holds; the kernel answers each move with a picture and a sentence.

import { element, Frame, hideStill } from "./kit.js";
import { attach } from "./remote.js";

export function exploring({ model }) {
  let frame, still;
  const detach = attach(model, (root) => {
    still = hideStill(root); // it comes back whenever the kernel has renewed it
    if (frame?.root !== root) frame = build(model, root);
  });
  return () => {
    detach();
    if (still) still.style.display = "";
  };
}

function build(model, root) {
  const { title, about, latents, rows, codes, noun } = model.get("controls");
  const frame = new Frame(root, title, about);
  const picture = element("img", { style: "max-width: 100%" });
  const start = model.get("values");
  let sent = JSON.stringify(start), address, sample = start.sample;

  const row = rows > 1 ? frame.slider(noun, { value: start.row, min: 0, max: rows - 1 }) : { value: start.row, set() {} };
  const sliders = latents.map(({ name, ...limits }, i) => frame.slider(name, { ...limits, value: start.z[i] }));
  if (codes) frame.button("Go to the mean of q", () => sliders.forEach((slider, i) => slider.set(codes[row.value][i])));
  frame.button("Another sample", () => { sample += 1; });
  frame.row.append(picture);

  const values = () => ({ row: row.value, z: sliders.map((slider) => slider.value), sample });
  const send = (now) => {
    sent = JSON.stringify(now);
    model.set("values", now);
    model.save_changes();
    setTimeout(() => {
      if (JSON.stringify(model.get("answered")) !== sent) frame.sentence.textContent = "No answer from the kernel yet: it is busy, or gone. Then run this cell again.";
    }, 4000);
  };
  const show = () => {
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(new Blob([model.get("picture")], { type: "image/png" }));
    picture.src = address;
    picture.alt = model.get("said");
    frame.changed();
  };
  model.on("change:picture", show);
  model.on("change:values", () => { // moved by a cell
    const told = model.get("values");
    if (JSON.stringify(told) === JSON.stringify(values())) return;
    sent = JSON.stringify(told);
    row.set(told.row);
    sample = told.sample;
    sliders.forEach((slider, i) => slider.set(told.z[i]));
  });
  frame.draw(() => {
    const now = values();
    if (JSON.stringify(now) !== sent) send(now);
    return model.get("said");
  });
  show();
  return frame;
}
