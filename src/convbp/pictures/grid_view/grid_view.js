// Shows a picture that Python drew, and lets a reader choose a cell by pointer, keyboard or slider.
// For each cell one can choose, `patches` holds what changes in the picture; applying one asks nobody.

const NO_SHORTCUTS = 'data-lm-suppress-shortcuts="true"'; // or Jupyter's arrow keys would go to another cell

// What the icons of a player do.
const PLAYER = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Stop", "fa-retweet": "Repeat" };

const MOST_FREE = 40; // pixels below a picture, for others that are higher

const SMALLEST = 11 / 15; // of its size: a picture's formula is then 11 pixels high

// Which index a key changes, and by how many cells.
const KEYS = {
  ArrowUp: ["row", -1], ArrowDown: ["row", 1], ArrowLeft: ["col", -1], ArrowRight: ["col", 1],
  PageUp: ["row", -Infinity], PageDown: ["row", Infinity], Home: ["col", -Infinity], End: ["col", Infinity],
};

function render({ model, el, signal }) {
  el.classList.add("convbp-view");
  el.innerHTML = `
    <p class="convbp-message" role="alert"></p>
    <p class="convbp-heading" data-slot="heading"></p>
    <div class="convbp-stage" tabindex="0" role="application" ${NO_SHORTCUTS}></div>
    <div class="convbp-words" data-slot="words"></div>
    <div class="convbp-choice"></div>
    <p class="convbp-sentence" aria-live="polite"></p>`;
  const [message, heading, stage, words, choice, sentence] = el.children;
  let hovered = null; // the key of the cell under the pointer
  let frame = null, layouts = null; // those in the picture
  let shown = {}; // slot -> what is in it

  const selected = () => ["grid", "row", "col"].map((name) => model.get(name)).join();
  const parse = (key) => {
    const [grid, row, col] = key.split(",");
    return { grid, row: Number(row), col: Number(col) };
  };
  const following = () => !Object.keys(model.get("patches")).length; // a new picture comes without them, they right after
  const cells = (grid) => Object.keys(model.get("patches")).map(parse).filter((cell) => cell.grid === grid);

  function showSelection() {
    const key = hovered in model.get("patches") ? hovered : selected();
    const patch = model.get("patches")[key];
    if (!patch) return; // a new picture with other cells is on its way
    fill(patch);
    sentence.innerHTML = patch.sentence; // escaped by Python, like all text of the picture
    const cell = parse(key);
    if (cell.grid !== model.get("grid")) return; // looked at in passing; the sliders stay with the cell that is kept
    for (const slider of choice.querySelectorAll("input")) {
      slider.value = cell[slider.name];
      slider.nextElementSibling.value = slider.value.replace("-", "\u2212");
    }
  }

  function fill(slots) {
    for (const [slot, markup] of Object.entries(slots)) {
      if (shown[slot] !== markup) el.querySelector(`[data-slot="${slot}"]`).innerHTML = markup;
      shown[slot] = markup;
    }
  }

  function showPicture() {
    if (frame !== model.get("frame")) {
      stage.innerHTML = frame = model.get("frame");
      layouts = null;
      shown = {};
    }
    fill(model.get("slots"));
    if (layouts !== model.get("layouts")) arrange();
    stage.setAttribute("aria-label", `${model.get("title")}. Arrow keys choose a cell${model.get("paintable") ? ", Space paints it" : ""}.`);
  }

  function showChoice() {
    stage.setAttribute("aria-busy", following());
    if (following()) return;
    showSliders();
    makeRoomForTexts();
    showSelection();
    for (const key of early.splice(0)) press(key);
  }

  // The widest layout there is room for, if need be by shrinking a little; the narrowest one shrinks until it has to be
  // scrolled.
  let room = 0;
  const fitting = (layouts) => layouts.find((layout) => 0.9 * layout.width <= room) ?? layouts.at(-1);
  function arrange() {
    if (room !== stage.clientWidth) stage.style.minHeight = "";
    room = stage.clientWidth;
    layouts = model.get("layouts");
    const { width, height, places } = fitting(layouts);
    const svg = stage.querySelector("svg");
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(name, value);
    svg.style.minWidth = `${SMALLEST * width}px`;
    for (const [i, [x, y, scale]] of places.entries())
      svg.querySelector(`[data-part="${i}"]`).setAttribute("transform", `translate(${x},${y})${scale === 1 ? "" : ` scale(${scale})`}`);
    // What a picture once needed it keeps, and what others will need is left free below, or the page would jump; of one
    // that is much higher not all, or the sum would be a screen away.
    const needed = Math.max(parseFloat(stage.style.minHeight) || 0, svg.getBoundingClientRect().height);
    const others = model.get("others").map((other) => fitting(other.layouts)).map((one) => one.height * Math.min(1, Math.max(SMALLEST, room / one.width)));
    stage.style.minHeight = `${needed}px`;
    el.style.paddingBottom = `${Math.min(MOST_FREE, Math.max(0, ...others.map((height) => height - needed)))}px`;
  }

  // Room for the longest of each text, so that none moves the page below.
  let wide = 0;
  function makeRoomForTexts() {
    const all = [...Object.values(model.get("patches")), ...model.get("others")];
    for (const [name, element] of Object.entries({ heading, words, sentence })) {
      if (wide !== stage.clientWidth) element.style.minHeight = ""; // else what it once needed it keeps
      element.innerHTML = all.map((one) => one[name]).reduce((a, b) => (b.length > a.length ? b : a), "");
      element.style.minHeight = `${element.getBoundingClientRect().height}px`;
      if (name in shown) element.innerHTML = shown[name];
    }
    wide = stage.clientWidth;
  }

  // One slider for the row and one for the column, over the cells that can be chosen; and in which grid, if in several.
  function showSliders() {
    const grid = model.get("grid");
    const there = cells(grid);
    if (!choice.childElementCount) {
      choice.innerHTML = `<label>choose in <select name="grid" ${NO_SHORTCUTS}></select></label>` +
        ["row", "col"].map((name) => `<label><span></span><input type="range" name="${name}" ${NO_SHORTCUTS}><output aria-live="off"></output></label>`).join("") +
        `<span class='convbp-hint'>${model.get("paintable") ? "Press and drag to draw, or arrow keys and Space." : "Hover to look, click to keep, arrow keys to step."}</span>`;
    }
    const select = choice.querySelector("select"), titles = Object.entries(model.get("axes"));
    select.parentElement.hidden = titles.length < 2;
    select.replaceChildren(...(titles.length < 2 ? [] : titles.map(([name, [title]]) => new Option(title, name, false, name === grid))));
    for (const [axis, slider] of choice.querySelectorAll("input").entries()) {
      slider.min = Math.min(...there.map((cell) => cell[slider.name]));
      slider.max = Math.max(...there.map((cell) => cell[slider.name]));
      slider.previousElementSibling.textContent = `${slider.name === "row" ? "row" : "column"} ${model.get("axes")[grid][1 + axis]}`;
    }
  }

  function choose(cell) {
    if (!(`${cell.grid},${cell.row},${cell.col}` in model.get("patches"))) return;
    hovered = null;
    for (const [name, value] of Object.entries(cell)) model.set(name, value);
    showSelection();
    model.save_changes();
  }

  // A picture to draw on: Python is told which cell to paint, and whether a stroke begins there, and draws it anew.
  function paint(key, begins) {
    if (!model.get("paintable") || !key) return;
    choose(parse(key));
    model.send({ paint: parse(key), begins });
  }

  const early = []; // keys pressed while a new picture's cells are on their way
  function press(key) {
    if (key === " ") return paint(selected(), true);
    const [along, by] = KEYS[key], here = parse(selected());
    const line = cells(here.grid).filter((cell) => along === "row" ? cell.col === here.col : cell.row === here.row);
    line.sort((a, b) => a[along] - b[along]);
    const at = line.findIndex((cell) => cell[along] === here[along]) + by;
    choose(line[Math.max(0, Math.min(at, line.length - 1))] ?? here);
  }

  function hover(key) {
    if (key === hovered) return;
    hovered = key;
    showSelection();
  }

  // What ipywidgets leaves out of the controls beside the picture: a slider's handle and the number next to it take the
  // name that stands before them; the keys that move a control are not Jupyter's.
  function completeControls() {
    const all = (selector) => el.parentElement?.querySelectorAll(selector) ?? []; // none once the picture is off the page
    for (const part of all(".widget-slider :is([role=slider], [contenteditable])")) {
      if (!part.hasAttribute("role")) part.setAttribute("role", "textbox");
      part.setAttribute("aria-label", part.closest(".widget-slider").querySelector("label").textContent);
    }
    for (const part of all(":is(.widget-slider, .widget-dropdown) :is([role=slider], [contenteditable], select)")) part.dataset.lmSuppressShortcuts = true;
    for (const icon of all(".widget-play button > i")) {
      const name = Object.keys(PLAYER).find((name) => icon.classList.contains(name));
      icon.parentElement.title = PLAYER[name];
    }
  }

  // ipywidgets reads a typed number as JavaScript does: without the minus sign and the decimal comma that people write.
  function readAsTyped({ key, target }) {
    if (key !== "Enter" || !target.matches(".widget-slider [contenteditable]")) return;
    target.textContent = target.textContent.trim().replace("\u2212", "-").replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
  }

  const cellAt = (event) => event.target.closest?.("[data-cell]")?.dataset.cell ?? null;
  let stroke = {}; // whose it is, and the cell that it was in last
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // A finger would stay with the cell that it touched first.
    if (event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
    stroke = { pointer: event.pointerId, cell: cellAt(event) };
    paint(stroke.cell, true);
  }, { signal });
  stage.addEventListener("pointerover", (event) => {
    const key = cellAt(event);
    hover(key);
    if (event.buttons !== 1 || event.pointerId !== stroke.pointer || !stroke.cell || key === stroke.cell) return;
    stroke.cell = key;
    paint(key, false);
  }, { signal });
  // On a cell a finger draws; anywhere else it scrolls the page. (touch-action does not apply to a part of an SVG.)
  stage.addEventListener("touchstart", (event) => {
    if (model.get("paintable") && cellAt(event)) event.preventDefault();
  }, { passive: false, signal });
  stage.addEventListener("pointercancel", () => { stroke = {}; }, { signal });
  stage.addEventListener("pointerleave", () => hover(null), { signal });
  stage.addEventListener("click", (event) => { if (cellAt(event)) choose(parse(cellAt(event))); }, { signal });
  stage.addEventListener("keydown", (event) => {
    const known = event.key in KEYS || (event.key === " " && model.get("paintable"));
    if (!known || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // or the page would scroll
    if (following()) early.push(event.key);
    else press(event.key);
  }, { signal });
  choice.addEventListener("input", ({ target: { name, value } }) => {
    const cell = { ...parse(selected()), [name]: name === "grid" ? value : Number(value) };
    const there = cells(cell.grid);
    choose(there.find(({ row, col }) => row === cell.row && col === cell.col) ?? there[0]);
  }, { signal });

  const listeners = {
    "change:frame": showPicture,
    "change:slots": showPicture,
    "change:layouts": showPicture,
    "change:patches": showChoice,
    "change:grid": showChoice,
    "change:row": showSelection,
    "change:col": showSelection,
    "change:message": () => { message.textContent = model.get("message"); },
  };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  listeners["change:message"]();
  showPicture();
  showChoice();
  const changed = new MutationObserver((changes) => { if (changes.some(({ target }) => !el.contains(target))) completeControls(); });
  // As soon as the picture stands among the controls: those that are out of sight are read aloud, too.
  let waiting;
  function whenPlaced() {
    if (!el.parentElement) return void (waiting = requestAnimationFrame(whenPlaced));
    completeControls();
    changed.observe(el.parentElement, { childList: true, subtree: true, attributeFilter: ["class"] });
    el.parentElement.addEventListener("keydown", readAsTyped, { capture: true, signal });
  }
  whenPlaced();
  const resized = new ResizeObserver(() => {
    if ([0, room].includes(stage.clientWidth)) return; // out of sight, or as wide as before
    arrange();
    makeRoomForTexts();
    showSelection();
  });
  resized.observe(stage);
  return () => {
    cancelAnimationFrame(waiting);
    changed.disconnect();
    resized.disconnect();
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
}

export default { render };
