// Brings the pictures of a page to life, each as it comes near the window.
import view from "./grid_view.js";
import { standIn } from "./stand_in.js";

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

async function show(place) {
  const state = await unpacked(place.dataset.state);
  place.replaceChildren();
  view.render({ model: standIn(state), el: place });
}

const near = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    near.unobserve(target);
    show(target);
  }
}, { rootMargin: "1000px" });
const places = [...document.querySelectorAll(".convbp-live")];
for (const place of places) near.observe(place);
addEventListener("beforeprint", () => {
  for (const place of places) if (place.querySelector("p:only-child") && place.checkVisibility()) show(place);
});

// The name of what is folded is what stands there, and not the same words everywhere.
for (const fold of document.querySelectorAll("summary[aria-label]")) fold.removeAttribute("aria-label");

// What to copy for another page has the whole address of this one.
for (const snippet of document.querySelectorAll(".convbp-snippet")) {
  snippet.textContent = snippet.textContent.replace(/src="([^"]*)"/, (_, address) => `src="${new URL(address, location)}"`);
  const copy = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.textContent);
    copy.textContent = "Copied";
  });
  snippet.after(copy);
}
