// The stop button below the picture of a running training. The kernel renews the picture, and the button stays.

import { element } from "./kit.js";
import { attach } from "./remote.js";

export function watching({ model }) {
  const button = element("button", { type: "button", "data-lm-suppress-shortcuts": "true", style: "font: inherit; padding: 2px 10px" }, "Stop after this epoch");
  const line = element("span", { role: "status", "aria-live": "polite", style: "margin-left: 10px" });
  const controls = element("div", { style: "margin: 4px 0" }, button, line);
  let focused = false, asked = false;
  button.addEventListener("focus", () => { focused = true; });
  button.addEventListener("blur", () => setTimeout(() => { // left by the reader, unless the renewed output has taken the button away
    if (button.isConnected && document.activeElement !== button) focused = false;
  }));

  const ask = () => {
    if (asked) return;
    asked = true;
    button.setAttribute("aria-disabled", "true");
    line.textContent = "Asking the kernel to stop.";
    model.set("stop", true);
    model.save_changes();
    setTimeout(() => {
      if (!model.get("heard")) line.textContent = "The kernel cannot hear this button while it is busy: use the interrupt button (■) of the notebook. What was learnt is kept.";
    }, 3000);
  };
  button.addEventListener("click", ask);
  button.addEventListener("keydown", (event) => { // a press ends in a click only where the button is still the same when the key goes up
    if (event.key === " ") { event.preventDefault(); ask(); }
  });
  model.on("change:heard", () => { line.textContent = "The training will stop when this epoch is over."; });

  const detach = attach(model, (place) => {
    if (controls.parentNode === place) return;
    place.append(controls);
    if (focused) button.focus({ preventScroll: true });
  });
  return () => { detach(); controls.remove(); };
}
