// The picture follows the page, as it does in JupyterLab.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.body.dataset.jpThemeLight = String(!dark.matches); };
dark.addEventListener("change", follow);
follow();
render({ model: standIn(state), el: document.getElementById("view") });
