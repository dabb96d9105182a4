// How a script that speaks to the kernel finds its place in the page.

// Calls `put` with the element that belongs to a model, now or as soon as there is one, and again whenever the page has changed.
// Returns what ends this.
export function attach(model, put) {
  const find = () => {
    const place = document.querySelector(`[data-vae="${model.get("mark")}"]`);
    if (place) put(place);
  };
  const watcher = new MutationObserver(find);
  watcher.observe(document.body, { childList: true, subtree: true });
  find();
  return () => watcher.disconnect();
}
