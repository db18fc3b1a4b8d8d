// The picture follows the page, as it does in JupyterLab.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.body.dataset.jpThemeLight = String(!dark.matches); };
dark.addEventListener("change", follow);
follow();
await render({ model: standIn(state), el: document.getElementById("view") });

// As large as the window has room for, which is tried from above: a picture has several layouts.
async function fit() {
  const page = document.documentElement, drawn = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
  document.body.style.visibility = "hidden"; // not to be seen trying
  for (const zoom of [3, 2.5, 2, 1.75, 1.5, 1.25, 1.1, 1, 0.9, 0.8, 0.7]) {
    document.body.style.zoom = zoom;
    document.body.style.setProperty("--zoom", zoom);
    await drawn();
    await drawn(); // the second has the layout of the new width
    if (page.scrollHeight <= innerHeight && page.scrollWidth <= innerWidth) break;
  }
  document.body.style.visibility = "";
}
if ("fit" in document.body.dataset) {
  let width = 0, height = 0;
  const changed = () => {
    if (width === innerWidth && height === innerHeight) return;
    [width, height] = [innerWidth, innerHeight];
    fit();
  };
  addEventListener("resize", changed);
  changed();
}
