// Shows a picture that Python drew, and lets a reader choose a cell by pointer, keyboard or slider.
// For each cell one can choose, `patches` holds what changes in the picture; applying one asks nobody.

const NO_SHORTCUTS = 'data-lm-suppress-shortcuts="true"'; // or Jupyter's arrow keys would go to another cell

// What the icons of a player do.
const PLAYER = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Stop", "fa-retweet": "Repeat" };

// So much is left free below a picture at most, for others that are higher: on a wide page its sum is to be seen at once,
// and on a phone no screen is to be blank.
const PHONE = matchMedia("(max-width: 500px)"), NARROW = 1000, MOST_FREE = 40;
const LOW = 36; // pixels of a cell whose number a prediction hides
const OPENED = 1.6, OF_THUMBNAIL = 1.1; // the scale of a map that is open
const SWITCHES = { motion: "convbpMotion", links: "convbpLinks" }; // and where a page remembers them

const HANDLES = ".widget-slider [role=slider]"; // of the controls
const CONFIRMED = 3000; // milliseconds: so long a picture may wait for Python to say that it is the one

const SMALLEST = 11 / 15; // of its size: a picture's formula is then 11 pixels high

// What the signs of this picture mean.
const SIGNS = [
  [".cell", "blue: positive, orange: negative, the fuller the larger"],
  [".mark:not(.dashed, .faint)", "solid frame: chosen, or read"],
  [".dashed", "dashed: what it reaches"],
  [".faint", "dotted: where it would go on"],
  [".notch", "filled corner: the first weight"],
  ["[data-slot^=marks] .caption", "\u00d7: what a number is multiplied by"],
  ["[data-map]:has(.value)", "a small grid without indices: larger by a click, or one after the other by M"],
];

// Which index a key changes, and by how many cells.
const KEYS = {
  ArrowUp: ["row", -1], ArrowDown: ["row", 1], ArrowLeft: ["col", -1], ArrowRight: ["col", 1],
  PageUp: ["row", -Infinity], PageDown: ["row", Infinity], Home: ["col", -Infinity], End: ["col", Infinity],
};

// Motion. What moves lies over the picture, which is from the first moment as it will be when nothing moves any more.
const EASING = "cubic-bezier(.45, 0, .25, 1)";
const GLIDE = 260, STEP = 720, PAUSE = 600; // milliseconds: of an outline, of a flight, after the last one
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");
const page = document.documentElement.dataset; // where all pictures of a page remember what one of them was told
const moving = () => !REDUCED.matches && page.convbpMotion !== "off";

// What Python sends for all cells is deflated JSON; and of the patches each text stands in it once.
async function unpacked(text) {
  if (!text) return {};
  const { readable, writable } = new DecompressionStream("deflate"), writer = writable.getWriter();
  const written = writer.write(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))).then(() => writer.close());
  const [value] = await Promise.all([new Response(readable).json(), written]);
  return value;
}
const eachInFull = ({ slots, texts, cells = {} }) => Object.fromEntries(Object.entries(cells).map(([key, numbers]) =>
  [key, Object.fromEntries(numbers.flatMap((n, i) => (n < 0 ? [] : [[slots[i], texts[n]]])))]));

// When the next frame is on the screen; a page that nobody sees has none.
const drawn = () => new Promise((resolve) => {
  const hidden = setTimeout(resolve, 100);
  requestAnimationFrame(() => {
    clearTimeout(hidden);
    setTimeout(resolve);
  });
});

// An element, unless there is none, and where it is on the page.
const boxed = (element) => element && { element, ...element.getBoundingClientRect().toJSON() };

// What is drawn in a slot, by a name that it has in another picture, too.
function parts(slot) {
  const count = {};
  return new Map([...slot.children].map((part) => {
    const name = `${part.getAttribute("class")} ${part.textContent || part.nextElementSibling?.textContent}`;
    count[name] = (count[name] ?? 0) + 1;
    return [`${name} ${count[name]}`, boxed(part)];
  }));
}

// Other markup in an element: what is as it was stays, so that the page styles, lays out and paints no more than the rest.
function renew(element, markup) {
  if (!element.firstChild) return void (element.innerHTML = markup);
  const fresh = element.cloneNode(false);
  fresh.innerHTML = markup;
  adapt(element, fresh);
}
function adapt(old, fresh) {
  let [is, becomes] = [old.firstChild, fresh.firstChild];
  for (; is?.nodeName === becomes?.nodeName && is; [is, becomes] = [is.nextSibling, becomes.nextSibling]) {
    if (is.isEqualNode(becomes)) continue;
    if (!is.attributes) is.data = becomes.data;
    else {
      for (const name of is.getAttributeNames()) if (!becomes.hasAttribute(name)) is.removeAttribute(name);
      for (const { name, value } of becomes.attributes) if (is.getAttribute(name) !== value) is.setAttribute(name, value);
      if (!("slot" in becomes.dataset)) adapt(is, becomes); // what is in a slot is not the frame's
    }
  }
  if (is || becomes) old.replaceChildren(...fresh.cloneNode(true).childNodes); // what is around it may need them, too
}

// Outlines, and what they carry, come from where they were to where they are. Return what moves.
function glide(before, slot) {
  const scale = slot.getScreenCTM().a, all = [];
  for (const [name, { element, left, top, width, height }] of parts(slot)) {
    const was = before.get(name);
    if (!was || ["left", "top", "width", "height"].every((key) => Math.abs(was[key] - { left, top, width, height }[key]) < 0.5)) continue;
    const from = (key, is) => `${(was[key] - is) / scale}px`;
    all.push(element.animate([{ transform: `translate(${from("left", left)}, ${from("top", top)})` }, {}], { duration: GLIDE, easing: EASING, composite: "add" }));
    if (Math.hypot(was.width - width, was.height - height) < 1) continue;
    const size = [was, { width, height }].map((one) => ({ width: `${one.width / scale}px`, height: `${one.height / scale}px` }));
    all.push(element.animate(size, { duration: GLIDE, easing: EASING }));
  }
  return all;
}

// The cells of a block, row by row; turned over, if it is.
function blockOf([grid, row, col, rows = 1, cols = 1], reversed) {
  return Array.from({ length: rows * cols }, (_, n) => {
    const [r, c] = [Math.floor(n / cols), n % cols];
    return [grid, row + (reversed === "rows" ? rows - 1 - r : r), col + (reversed === "columns" ? cols - 1 - c : c)];
  });
}

// What a cell of the picture looks like: its place and colours, the size of its number, and the number.
function look(cell) {
  const box = cell?.matches("rect") ? cell : cell?.querySelector("rect"), beside = box?.nextElementSibling;
  if (!box) return null;
  const text = beside?.matches("text") ? beside : null, style = getComputedStyle(text ?? box), scale = box.getScreenCTM().a;
  return { ...boxed(box), text, background: getComputedStyle(box).fill, color: style.fill, size: scale * parseFloat(style.fontSize) };
}

// From a block to another one, as what flies: from which place to which, with which look and text.
function chips([start, end, carries, , reversed], find) {
  const from = blockOf(start).map(find).map(look), to = blockOf(end, reversed).map(find).map(look);
  if (from.length !== to.length && from.length > 1 && to.length > 1) {
    const [one, other] = [from, to].map((cells) => hull(cells.filter(Boolean)));
    return [{ from: one, to: other, background: "none", text: "" }];
  }
  const inPlace = String(start) === String(end);
  return (from.length > to.length ? from : to).map((_, n) => {
    const [one, other] = [from[n] ?? from[0], to[n] ?? to[0]], shown = inPlace || (carries.length && to.length > 1) ? other : one;
    return one && other && { ...shown, from: one, to: other, text: carries[n] ?? shown.text?.textContent ?? "" };
  }).filter(Boolean);
}

function hull(boxes) {
  const [left, top] = ["left", "top"].map((edge) => Math.min(...boxes.map((box) => box[edge])));
  const [right, bottom] = ["right", "bottom"].map((edge) => Math.max(...boxes.map((box) => box[edge])));
  return { left, top, right, bottom, width: right - left, height: bottom - top };
}

// A curve between two cells. It keeps to the lines between cells and to the room between grids, so as not to run across
// numbers; `n` of `count` in a bundle. None where grids are one below the other, with others between them. `around` says
// where a grid lies, and where its cells do.
function curve(start, end, n, count, around) {
  const [a, b] = [start, end].map(({ element }) => element.getBoundingClientRect());
  const grids = [start, end].map(({ element }) => element.closest("[data-grid]"));
  const [A, B] = grids.map((grid) => around(grid).cells);
  const aside = (n - (count - 1) / 2) * Math.min(2, 8 / count), beside = A.left + A.width <= B.left || B.left + B.width <= A.left;
  const [at, size] = beside ? ["left", "width"] : ["top", "height"], across = beside ? "top" : "left";
  const all = hull([A, B]), between = [...grids[0].closest("svg").querySelectorAll("[data-grid]")]
    .filter((grid) => !grids.includes(grid)).map((grid) => around(grid).whole)
    .filter((box) => box.left < all.right && box.right > all.left && box.top < all.bottom && box.bottom > all.top)
    .filter((box) => beside || (box.top > Math.min(A.bottom, B.bottom) && box.bottom < Math.max(A.top, B.top)));
  if (between.length > 0) return beside ? below(a, b, hull([all, ...between]), aside) : null;
  const on = A[at] < B[at], point = (along, other) => (beside ? [along, other] : [other, along]).join();
  const [out, into] = on ? [A[at] + A[size], B[at]] : [A[at], B[at] + B[size]], middle = (out + into) / 2;
  const [y, z] = [a[across] + aside, b[across] + aside], [first, last] = [a, b].map((box) => box[at] + box[size] / 2);
  return { path: `M${point(first, y)}L${point(out, y)}C${point(middle, y)} ${point(middle, z)} ${point(into, z)}L${point(last, z)}`, dot: point(last, z).split(",") };
}

// The same where other grids lie between them: below all of these.
function below(a, b, { bottom }, aside) {
  const lane = bottom + 8 + aside, [x, z] = [a.left + aside, b.left + aside], turn = x < z ? 6 : -6;
  const [y, last] = [a, b].map((box) => box.top + box.height / 2);
  return { path: `M${x} ${y}V${lane - 6}Q${x} ${lane} ${x + turn} ${lane}H${z - turn}Q${z} ${lane} ${z} ${lane - 6}V${last}`, dot: [z, last] };
}

// All pictures of a page have one style sheet: each further copy would be looked through for every element, and each new one
// makes the browser look at every element of the page again.
function adopt(root, style) {
  if (!style) return;
  const sheets = document.convbpSheets ??= new Map();
  if (!sheets.has(style)) {
    sheets.set(style, new CSSStyleSheet());
    sheets.get(style).replaceSync(style);
  }
  if (!root.adoptedStyleSheets.includes(sheets.get(style))) root.adoptedStyleSheets.push(sheets.get(style));
}

async function render({ model, el, signal, style = "" }) { // without a style sheet where the page has it
  // As the picture opens, these come deflated as well.
  const opening = new Map(await Promise.all(["slots", "layouts"].map((name) => model.get(name)).map(async (sent) => [sent, typeof sent === "string" ? await unpacked(sent) : sent])));
  const own = (name) => opening.get(model.get(name)) ?? model.get(name);
  el.classList.add("convbp-view");
  el.innerHTML = `
    <p class="convbp-message" role="alert"></p>
    <p class="convbp-heading" data-slot="heading"></p>
    <div class="convbp-stage" tabindex="0" role="application" ${NO_SHORTCUTS}></div>
    <div class="convbp-words" data-slot="words"></div>
    <div class="convbp-ask" hidden>
      <label>your prediction <input name="prediction" inputmode="text" autocomplete="off" size="6" ${NO_SHORTCUTS}></label>
      <button type="button" ${NO_SHORTCUTS}>show</button>
    </div>
    <div class="convbp-choice"></div>
    <p class="convbp-sentence" aria-live="polite"></p>`;
  adopt(document, style);
  const [message, heading, stage, words, ask, choice, sentence] = el.children;
  const guess = ask.querySelector("input");
  const over = document.createElement("div"); // what lies over the picture
  over.className = "convbp-over";
  over.ariaHidden = true;
  let hovered = null; // the key of the cell under the pointer
  let frame = null, layouts = null; // those in the picture
  let places = {}; // slot -> its element
  const shown = {}, gliding = {}; // slot -> what is in it, what moves there

  // What there is for all cells: nothing until it is unpacked, nor from the moment when other cells are sent.
  const NONE = { patches: {}, moves: {}, answers: {} };
  let packed = "", inFull = NONE;
  const ofCells = () => (packed === model.get("patches") ? inFull : NONE);
  async function unpack() {
    inFull = NONE;
    const mine = packed = model.get("patches");
    if (inView && mine) await drawn(); // the picture comes first
    const [patches, moves, answers] = await Promise.all(Object.keys(NONE).map((name) => unpacked(model.get(name))));
    if (mine === packed) inFull = { patches: eachInFull(patches), moves, answers };
  }
  const patches = () => ofCells().patches;
  const selected = () => ["grid", "row", "col"].map((name) => model.get(name)).join();
  const parse = (key) => {
    const [grid, row, col] = key.split(",");
    return { grid, row: Number(row), col: Number(col) };
  };
  const following = () => !Object.keys(patches()).length; // a new picture comes without them, they right after
  const cells = (grid) => Object.keys(patches()).map(parse).filter((cell) => cell.grid === grid);

  let inView = null; // the key of the cell that is shown
  function showSelection() {
    const key = hovered in patches() ? hovered : selected();
    const patch = patches()[key];
    if (!patch) return; // a new picture with other cells is on its way
    if (key !== inView) land();
    inView = key;
    const asked = model.get("asked"), answer = ofCells().answers[key], now = isOpen(key) ? { ...patch, ...answer?.slots } : patch;
    fill(asked.slot ? { [asked.slot]: own("slots")[asked.slot], ...now } : now);
    showLinks();
    showPredictions();
    sentence.innerHTML = now.sentence; // escaped by Python, like all text of the picture
    sentence.append(said(key), model.get("verdict") && ` ${model.get("verdict")}`);
    const cell = parse(key);
    if (cell.grid !== model.get("grid")) return; // looked at in passing; the sliders stay with the cell that is kept
    for (const slider of choice.querySelectorAll("[type=range]")) {
      slider.value = cell[slider.name];
      slider.nextElementSibling.value = slider.value.replace("-", "\u2212");
    }
  }

  function fill(slots, glides = moving()) {
    const changed = Object.entries(slots).filter(([slot, markup]) => shown[slot] !== markup);
    const outlines = glides ? changed.filter(([slot]) => slot in shown && slot.startsWith("marks")).map(([slot]) => [slot, parts(places[slot])]) : [];
    for (const [slot] of changed) for (const animation of gliding[slot] ?? []) animation.cancel();
    for (const [slot, markup] of changed) renew(places[slot], shown[slot] = markup);
    for (const [slot, before] of outlines) gliding[slot] = glide(before, places[slot]);
  }

  const find = ([grid, row, col]) => {
    const name = CSS.escape(grid);
    return stage.querySelector(`[data-cell="${name},${row},${col}"], [data-grid="${name}"] [data-at="${row},${col}"]`);
  };
  const lay = (box) => {
    const home = over.getBoundingClientRect();
    return { left: `${box.left - home.left}px`, top: `${box.top - home.top}px`, width: `${box.width}px`, height: `${box.height}px` };
  };

  // Numbers go from cells to cells, in order, and show where they arrive when they do. Return how long that takes.
  const flying = [];
  function fly(steps = []) {
    land();
    if (!moving()) return 0;
    const flights = steps.flatMap((together, n) => together.map((flight) => [flight, chips(flight, find), n * STEP]));
    for (const [[, , , meets, , fades], all, delay] of flights) for (const { from, to, background, color, size = 0, text } of all) {
      const chip = over.appendChild(document.createElement("span"));
      chip.textContent = text;
      chip.className = "convbp-chip";
      Object.assign(chip.style, { background, color, fontSize: `${Math.min(size, Math.max(9, (1.5 * from.width) / text.length))}px` });
      const [start, end] = [from, to].map(lay);
      flying.push(chip.animate([
        { ...start, opacity: 0 }, { ...start, opacity: 1, offset: 0.06 }, { ...start, opacity: 1, offset: 0.25, easing: EASING },
        { ...end, opacity: fades ? 0 : 1, offset: 0.97 }, { ...end, opacity: fades ? 0 : 1 },
      ], { duration: STEP, delay }));
      if (meets) continue;
      flying.push(to.element.animate({ fillOpacity: [0, 0] }, delay + STEP));
      if (to.text) flying.push(to.text.animate({ opacity: [0, 0] }, delay + STEP));
    }
    Promise.all(flying.map(({ finished }) => finished)).then(land, () => {}); // or another flight has begun
    return steps.length * STEP;
  }
  function land() {
    for (const animation of flying.splice(0)) animation.cancel();
    for (const chip of over.querySelectorAll(".convbp-chip")) chip.remove();
  }

  function showLinks() {
    over.querySelector("svg")?.remove();
    const links = (isOpen(inView) && ofCells().moves[inView]?.links || []).map(([start, end, colour]) => [...[start, end].map(find).map(boxed), colour]);
    if (!links.length || page.convbpLinks === "off") return;
    const { left, top } = over.getBoundingClientRect();
    // They pass behind titles and indices: those are cut out of where they show.
    const texts = [...stage.querySelectorAll(":scope > svg :is(.title, .name, .index)")].map((text) => text.getBoundingClientRect());
    const shows = texts.map(({ x, y, width, height }) => `M${x - left - 1} ${y - top - 1}h${width + 2}v${height + 2}h${-width - 2}z`).join("");
    const known = new Map(), around = (grid) => {
      if (!known.has(grid)) known.set(grid, { whole: grid.getBoundingClientRect(), cells: hull([...grid.querySelectorAll("[data-at], [data-cell]")].map((cell) => cell.getBoundingClientRect())) });
      return known.get(grid);
    };
    over.insertAdjacentHTML("afterbegin", `<svg style="clip-path:path(evenodd,'M-9999-9999H9999V9999H-9999z${shows}')"><g transform="translate(${-left},${-top})">` + links.map(([start, end, colour], n) => {
      const { path, dot: [x, y] } = curve(start, end, n, links.length, around) ?? { dot: [] };
      return path && `<path d="${path}" stroke="${colour}"/><circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
    }).join("") + "</g></svg>");
  }

  // Predictions. A cell that asks for a number of the covered grid takes one, and then shows its own.
  const uncovered = new Set(); // the entries of the covered grid that have been shown
  let answers = null; // those of the picture
  const entry = (key) => ofCells().answers[key]?.at.join();
  const isOpen = (key) => !entry(key) || uncovered.has(entry(key));
  const isRight = ([predicted], [value]) => Math.abs(predicted - value) <= (Number.isInteger(value) ? 0 : 0.01 * Math.abs(value));

  // What there is to say of the prediction for a cell, after its sentence.
  function said(key) {
    const at = entry(key) ?? key.split(",").slice(1).join(), { values } = model.get("asked"), mine = model.get("predictions")[at];
    if (!isOpen(key) && key !== selected()) return "";
    if (!isOpen(key)) return mine ? ` You predict ${mine[1]}. Enter shows the number; an arrow key goes on.` : " Type it, or press Enter to see it.";
    if (!mine || !values?.[at]) return "";
    return isRight(mine, values[at]) ? ` You predicted ${mine[1]}: right.` : ` You predicted ${mine[1]}: wrong, it is ${values[at][1]}.`;
  }

  function showPredictions() {
    const { grid, values } = model.get("asked"), covers = Object.keys(ofCells().answers).length;
    ask.hidden = !grid;
    choice.querySelector(".convbp-hint").hidden = !ask.hidden; // in whose place it stands, so that nothing jumps
    for (const old of over.querySelectorAll(".convbp-guess")) old.remove();
    for (const at of new Set([...Object.keys(model.get("predictions")), ...uncovered])) {
      const mine = model.get("predictions")[at], known = !covers || uncovered.has(at), cell = look(find([grid, ...at.split(",")]));
      if (!cell) continue;
      if (known && covers && cell.text) cell.text.textContent = values[at][1];
      if (!mine) continue;
      const note = over.appendChild(document.createElement("span")), right = known && isRight(mine, values[at]);
      note.className = "convbp-guess";
      // Where the right number does not show beside it, it stands in it; what was predicted is in the sentence.
      const wrong = cell.height < LOW ? `\u2717 ${values?.[at]?.[1] ?? ""}` : `${mine[1]} \u2717`;
      note.textContent = known ? (right ? "\u2713" : wrong) : mine[1];
      const { left, top, width } = lay(cell);
      Object.assign(note.style, { left, top, minWidth: right ? "" : width });
    }
    ask.classList.toggle("convbp-open", isOpen(selected()));
    if (document.activeElement !== guess) guess.value = "";
  }

  // A number as people write it: with a true minus sign, a decimal comma, as a fraction.
  function predict() {
    if (following()) return void early.push("Enter"); // whose cells will say what was predicted
    const text = guess.value.trim().replace("\u2212", "-").replace(",", "."), [over_, under = "1"] = text.split("/");
    const value = over_ && under ? Number(over_) / Number(under) : NaN;
    message.textContent = Number.isFinite(value) ? "" : `\u201c${guess.value}\u201d is no number.`;
    guess.setCustomValidity(message.textContent);
    if (message.textContent) return void guess.reportValidity(); // where it is typed, too
    model.set("predictions", { ...model.get("predictions"), [entry(selected())]: [value, text.replace("-", "\u2212")] });
    model.save_changes();
    guess.value = "";
    hovered = null;
    stage.focus();
    showSelection();
  }

  function answer() {
    if (guess.value) predict();
    else uncover();
  }

  function uncover() {
    const key = selected();
    if (isOpen(key)) return;
    uncovered.add(entry(key));
    hovered = null;
    showSelection();
    fly(ofCells().moves[key]?.flights);
  }

  // Through the cells in their order, each with its flight, until the last one or until somebody does something.
  let next = 0;
  function pause() {
    if (!next) return;
    clearTimeout(next);
    next = 0;
    const button = choice.querySelector("button");
    if (button) button.textContent = "\u25b6 play";
  }
  function play() {
    const all = cells(model.get("grid")).toSorted((a, b) => a.row - b.row || a.col - b.col);
    const at = all.findIndex(({ row, col }) => row === model.get("row") && col === model.get("col"));
    const long = choose(all[(at + 1) % all.length], true);
    if (at + 2 === all.length) pause();
    else next = setTimeout(play, long + PAUSE);
    choice.querySelector("button").textContent = next ? "\u275a\u275a pause" : "\u25b6 play";
  }

  // What the picture becomes by steps of the slider that is being moved: Python has said it before, and so it is shown at once.
  // It answers to nothing until Python says that it is the one; if it never does, what was there comes back.
  const UNKNOWN = { now: () => undefined, isThere: () => true };
  let ahead = {}, confirmed = 0, forget = () => {}, known = UNKNOWN;
  const current = (name) => ahead[name] ?? own(name);
  async function lookAhead() {
    forget();
    const sent = model.get("ahead"), frame = own("frame"), layouts = own("layouts"); // in these they are drawn
    const { slider, at, pictures, slots } = await unpacked(sent);
    const control = await (slider && model.widget_manager?.get_model(slider));
    if (sent !== model.get("ahead") || signal?.aborted) return;
    if (!control) return takeBack();
    const isSame = (one, other) => Math.abs(one - other) < 1e-9;
    const inFull = eachInFull(slots), all = pictures.map(([value, rest], n) => [value, { frame, layouts, ...rest, slots: inFull[n] }]);
    const of = (value) => all.find(([one]) => isSame(one, value))?.[1];
    known = {
      // Not where the reader has chosen another cell since, which a step may do, too.
      now: () => (sent === model.get("ahead") && [at, of(model.get("stands")[1])?.at].includes(selected()) ? of(control.get("value")) : undefined),
      isThere: ([moved, value] = model.get("stands")) => moved === slider && isSame(value, control.get("value")), // Python is
    };
    const follow = () => {
      if (!known.now()) return;
      if (known.isThere()) takeBack();
      else showEarly(known.now());
    };
    control.on("change:value", follow);
    forget = () => {
      control.off("change:value", follow);
      known = UNKNOWN;
    };
    if (ahead.slots) (known.now() ? follow : takeBack)();
  }
  function showEarly(picture) {
    clearTimeout(confirmed);
    ahead = picture;
    packed = null; // of this one no cell is known
    confirmed = setTimeout(takeBack, CONFIRMED);
    showPicture();
    showChoice();
  }
  function takeBack() {
    clearTimeout(confirmed);
    if (!ahead.slots) return;
    ahead = {};
    showPicture();
    return showCells();
  }
  function showCells() {
    const unpacking = unpack();
    showChoice();
    return unpacking.then(showChoice);
  }
  const fromPython = (show) => () => {
    const early = ahead.slots;
    if (known.now() && !known.isThere()) return showEarly(known.now()); // the slider has left what Python says now
    clearTimeout(confirmed);
    ahead = {};
    if (early && show !== showPicture) showPicture();
    return show();
  };

  function showPicture() {
    const another = frame !== current("frame");
    if (another) {
      opened = null; // a map that lay over the picture before
      over.remove();
      renew(stage, frame = current("frame"));
      stage.append(over);
      layouts = null;
      const were = places;
      places = Object.fromEntries(Array.from(el.querySelectorAll("[data-slot]"), (element) => [element.dataset.slot, element]));
      for (const slot of Object.keys(shown)) if (places[slot] !== were[slot]) delete shown[slot];
    }
    fill(current("slots"), moving() && !another);
    if (layouts !== current("layouts")) arrange();
    stage.setAttribute("aria-label", `${current("title")}. Arrow keys choose a cell${model.get("paintable") ? ", Space paints it" : ""}.`);
  }

  function showChoice() {
    stage.setAttribute("aria-busy", following());
    if (following()) return pause();
    if (answers !== ofCells().answers) {
      uncovered.clear();
      delete shown[model.get("asked").slot]; // in which numbers were uncovered
    }
    answers = ofCells().answers;
    showSliders();
    showLegend();
    makeRoomForTexts();
    showSelection();
    for (const key of early.splice(0)) {
      if (key in KEYS || key === " ") press(key);
      else if (key === "Enter") answer();
      else if (!isOpen(selected())) {
        guess.value += key;
        guess.focus();
      }
    }
  }

  // The widest layout there is room for, if need be by shrinking a little; the narrowest one shrinks until it has to be
  // scrolled.
  let room = stage.clientWidth, others = []; // what room is kept for
  const fitting = (layouts) => layouts.find((layout) => 0.88 * layout.width <= room) ?? layouts.at(-1);
  const heightOf = ({ width, height }) => height * Math.min(1, Math.max(SMALLEST, room / width)); // on the page, which need not be asked
  function arrange() {
    layouts = current("layouts");
    const { width, height, places } = fitting(layouts);
    const svg = stage.querySelector("svg");
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(name, value);
    svg.style.minWidth = `${SMALLEST * width}px`;
    for (const [i, [x, y, scale = 1]] of places.entries()) {
      const part = svg.querySelector(`[data-part="${i}"]`);
      part.setAttribute("transform", `translate(${x},${y})${scale === 1 ? "" : ` scale(${scale})`}`);
      part.style.setProperty("--grows", Math.min(1.5, 1 / scale));
    }
    showOpened();
    // What a picture once needed it keeps, and what others will need is left free below, or the page would jump.
    const needed = Math.max(parseFloat(stage.style.minHeight) || 0, room && heightOf({ width, height }));
    const heights = others.map((other) => heightOf(fitting(other.layouts)));
    stage.style.minHeight = `${needed}px`;
    const most = !PHONE.matches && room < NARROW ? Infinity : MOST_FREE;
    el.style.paddingBottom = `${Math.min(most, Math.max(0, ...heights.map((height) => height - needed)))}px`;
  }

  // A map that is open lies over the others, in the picture.
  let opened = null;
  function showOpened() {
    const svg = stage.querySelector("svg"), { width, height } = svg.viewBox.baseVal;
    for (const map of svg.querySelectorAll("[data-map]")) {
      const was = map.matches(".open"), is = map.dataset.map === opened;
      map.classList.toggle("open", is);
      map.querySelector(".sheet")?.remove();
      if (was && !is) map.setAttribute("transform", map.dataset.home);
      if (!is) continue;
      if (!was) map.dataset.home = map.getAttribute("transform");
      const { e, f } = map.transform.baseVal.consolidate().matrix, box = map.getBBox();
      const scale = Math.min(map.matches(".thumbnail") ? OF_THUMBNAIL : OPENED, (width - 32) / box.width, (height - 32) / box.height);
      const [left, top] = [[e, box.x, box.width, width], [f, box.y, box.height, height]].map(([at, from, size, room]) => Math.max(16, Math.min(at, room - 16 - scale * size)) - scale * from);
      map.setAttribute("transform", `translate(${left},${top}) scale(${scale})`);
      map.insertAdjacentHTML("afterbegin", `<rect class="sheet" x="${box.x - 8}" y="${box.y - 8}" width="${box.width + 16}" height="${box.height + 16}" rx="4"/>`);
      svg.append(map); // above all else
    }
  }
  function open(name) {
    opened = opened === name ? null : name;
    showOpened();
    showSelection();
  }
  const maps = () => [...stage.querySelectorAll("[data-map]:has(.value)")].toSorted((a, b) => a.dataset.part - b.dataset.part).map((map) => map.dataset.map);

  // Room for the longest of each text, so that none moves the page below.
  let wide = 0;
  function makeRoomForTexts() {
    if (following()) return; // the texts are on their way
    const asks = model.get("asked").grid || others.some((other) => other.asks);
    const said = asks ? " You predicted \u22121000: wrong, it is \u22121000." : "";
    const all = [...Object.values(patches()), ...Object.values(ofCells().answers).map(({ slots }) => slots), ...others];
    const texts = { heading, words, sentence }, elements = [...Object.values(texts), choice], width = stage.clientWidth;
    if (wide !== width) for (const element of elements) element.style.minHeight = ""; // else what it once needed it keeps
    for (const [name, element] of Object.entries(texts))
      element.innerHTML = all.map((one) => one[name] ?? "").reduce((a, b) => (b.length > a.length ? b : a), "");
    sentence.append(said);
    const hint = choice.querySelector(".convbp-hint"), [open, hinted] = [ask.hidden, hint.hidden];
    if (asks) [ask.hidden, hint.hidden] = [false, true]; // one takes the place of the other
    const heights = elements.map((element) => element.getBoundingClientRect().height); // read together: the page is laid out once
    for (const [i, element] of elements.entries()) element.style.minHeight = `${heights[i]}px`; // with other sliders it may need fewer lines
    for (const [name, element] of Object.entries(texts)) if (name in shown) element.innerHTML = shown[name];
    [ask.hidden, hint.hidden] = [open, hinted];
    wide = width;
  }

  // No more of it than this picture needs, and those that others are.
  function makeRoomAfresh() {
    stage.style.minHeight = "";
    wide = 0;
    arrange();
    makeRoomForTexts();
  }

  function showLegend() {
    const signs = SIGNS.filter(([sign]) => stage.querySelector(sign)).map(([, meaning]) => meaning);
    choice.querySelector(".convbp-legend").lastChild.textContent = ` ${signs.join(" \u00b7 ")}`;
  }

  // One slider for the row and one for the column, over the cells that can be chosen; and in which grid, if in several.
  function showSliders() {
    const grid = model.get("grid");
    const there = cells(grid);
    if (!choice.childElementCount) {
      choice.innerHTML = `<label>choose in <select name="grid" ${NO_SHORTCUTS}></select></label>` +
        ["row", "col"].map((name) => `<label><span></span><input type="range" name="${name}" ${NO_SHORTCUTS}><output aria-live="off"></output></label>`).join("") +
        `<button type="button" ${NO_SHORTCUTS}>\u25b6 play</button>` +
        ["motion", "links"].map((name) => `<label><input type="checkbox" name="${name}" ${NO_SHORTCUTS}>${name}</label>`).join("") +
        `<span class='convbp-hint'>${model.get("paintable") ? "Press and drag to draw, or arrow keys and Space." : "Hover, click, or arrow keys."}</span>` +
        `<details class="convbp-legend"><summary ${NO_SHORTCUTS}>legend</summary><span></span></details>`;
    }
    if (ask.parentElement !== choice) choice.append(ask);
    const select = choice.querySelector("select"), titles = Object.entries(model.get("axes"));
    select.parentElement.hidden = titles.length < 2;
    select.replaceChildren(...(titles.length < 2 ? [] : titles.map(([name, [title]]) => new Option(title, name, false, name === grid))));
    choice.querySelector("button").hidden = model.get("paintable") || there.length < 2;
    for (const box of choice.querySelectorAll("[type=checkbox]")) box.checked = page[SWITCHES[box.name]] !== "off";
    choice.querySelector("[name=motion]").parentElement.hidden = REDUCED.matches;
    choice.querySelector("[name=links]").parentElement.hidden = !Object.values(ofCells().moves).some(({ links }) => links);
    for (const [axis, slider] of choice.querySelectorAll("[type=range]").entries()) {
      slider.min = Math.min(...there.map((cell) => cell[slider.name]));
      slider.max = Math.max(...there.map((cell) => cell[slider.name]));
      slider.parentElement.hidden = slider.min === slider.max;
      const name = model.get("axes")[grid][1 + axis]; // a letter is an index; words say themselves what is counted
      slider.previousElementSibling.textContent = /^.?\u2032?$/u.test(name) ? `${["row", "column"][axis]} ${name}` : name;
    }
  }

  function choose(cell, flies) {
    const key = `${cell.grid},${cell.row},${cell.col}`;
    if (!(key in patches())) return 0;
    hovered = null;
    for (const [name, value] of Object.entries(cell)) model.set(name, value);
    showSelection();
    model.save_changes();
    return flies && isOpen(key) ? fly(ofCells().moves[key]?.flights) : 0;
  }

  // A picture to draw on: Python is told which cell to paint, and whether a stroke begins there, and draws it anew.
  function paint(key, begins) {
    if (!model.get("paintable") || !key) return;
    choose(parse(key));
    model.send({ paint: parse(key), begins });
  }

  const early = []; // keys pressed while a new picture's cells are on their way
  function press(key, flies) {
    if (key === " ") return paint(selected(), true);
    const [along, by] = KEYS[key], here = parse(selected());
    const line = cells(here.grid).filter((cell) => along === "row" ? cell.col === here.col : cell.row === here.row);
    line.sort((a, b) => a[along] - b[along]);
    const at = line.findIndex((cell) => cell[along] === here[along]) + by;
    choose(line[Math.max(0, Math.min(at, line.length - 1))] ?? here, flies);
  }

  // What hangs together with the cell under the pointer, as the same weight does: an entry of the kernel, the cell on which
  // it lies, and their product.
  function light(target) {
    for (const lit of stage.querySelectorAll(".lit")) lit.classList.remove("lit");
    const lying = [...stage.querySelectorAll("[data-slot^=marks] .caption[data-w]")], rect = target?.closest?.("rect");
    const under = (caption) => {
      const { x, y } = caption.getBoundingClientRect();
      return [...caption.closest("[data-grid]").querySelectorAll("[data-slot^=grid] rect")].find((cell) => {
        const { left, right, top, bottom } = cell.getBoundingClientRect();
        return left <= x && x < right && top <= y && y < bottom;
      });
    };
    const weight = rect?.dataset.w ?? lying.find((caption) => rect && under(caption) === rect)?.dataset.w;
    if (weight === undefined) return;
    const partners = [...stage.querySelectorAll(`rect[data-w="${weight}"]`), ...lying.filter(({ dataset }) => dataset.w === weight).map(under)];
    for (const partner of partners) partner?.classList.add("lit");
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
    typed = null;
  }

  // And what Python says of the slider meanwhile, as another cell was chosen just before, would take the place of what is
  // being typed.
  let typed = null;
  function keepTyped() {
    const at = document.activeElement;
    if (typed === null || !at.matches(".widget-slider [contenteditable]") || at.textContent === typed) return;
    at.textContent = typed;
    getSelection().selectAllChildren(at);
    getSelection().collapseToEnd();
  }

  const cellAt = (event) => {
    const { cell, reaches } = event.target.closest?.("[data-cell], [data-reaches]")?.dataset ?? {}; // one, or room around one
    return cell ?? reaches ?? null;
  };
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
    light(event.target);
    if (event.buttons !== 1 || event.pointerId !== stroke.pointer || !stroke.cell || key === stroke.cell) return;
    stroke.cell = key;
    paint(key, false);
  }, { signal });
  // On a cell a finger draws; anywhere else it scrolls the page. (touch-action does not apply to a part of an SVG.)
  stage.addEventListener("touchstart", (event) => {
    if (model.get("paintable") && cellAt(event)) event.preventDefault();
  }, { passive: false, signal });
  stage.addEventListener("pointercancel", () => { stroke = {}; }, { signal });
  stage.addEventListener("pointerleave", () => {
    hover(null);
    light();
  }, { signal });
  stage.addEventListener("click", (event) => {
    const map = event.target.closest?.("[data-map]:has(.value)");
    if (cellAt(event)) choose(parse(cellAt(event)), !model.get("paintable"));
    else if (map) open(map.dataset.map);
  }, { signal });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const predicts = model.get("asked").grid && /^([-\u2212.,\d]|Enter)$/.test(event.key);
    if (predicts && !following() && !isOpen(selected())) {
      if (event.key === "Enter") return uncover();
      return guess.focus(); // which then takes the key
    }
    if (event.key === "Escape" && opened) return open(opened);
    if (event.key === "m" && maps().length) return open([...maps(), opened][maps().indexOf(opened) + 1]);
    const known = event.key in KEYS || (event.key === " " && model.get("paintable")) || (predicts && following());
    if (!known) return;
    event.preventDefault(); // or the page would scroll
    if (following()) early.push(event.key);
    else press(event.key, !event.repeat);
  }, { signal });
  for (const act of ["keydown", "pointerdown", "input"])
    el.addEventListener(act, ({ target }) => { if (!target.matches(".convbp-choice button")) pause(); }, { signal });
  guess.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") stage.focus();
    if (key === "Enter") answer();
  }, { signal });
  ask.querySelector("button").addEventListener("click", () => {
    if (guess.value) predict();
    uncover();
  }, { signal });
  choice.addEventListener("click", ({ target }) => {
    if (!target.matches("button") || ask.contains(target)) return;
    if (!next) return play();
    pause();
    land();
  }, { signal });
  choice.addEventListener("input", ({ target }) => {
    const { name, value, checked } = target;
    if (target === guess) return guess.setCustomValidity("");
    if (name in SWITCHES) {
      page[SWITCHES[name]] = checked ? "on" : "off";
      for (const box of document.querySelectorAll(`.convbp-choice [name=${name}]`)) if (box.checked !== checked) box.click();
      land();
      showLinks();
      return;
    }
    const cell = { ...parse(selected()), [name]: name === "grid" ? value : Number(value) };
    const there = cells(cell.grid);
    choose(there.find(({ row, col }) => row === cell.row && col === cell.col) ?? there[0]);
  }, { signal });

  const listeners = {
    "change:frame": fromPython(showPicture),
    "change:slots": fromPython(showPicture),
    "change:layouts": fromPython(showPicture),
    "change:patches": fromPython(showCells),
    "change:ahead": lookAhead,
    "change:grid": showChoice,
    "change:row": showSelection,
    "change:col": showSelection,
    "change:predictions": () => { if (inView) showSelection(); },
    "change:others": async () => {
      const sent = model.get("others"), received = await unpacked(sent);
      if (sent !== model.get("others")) return;
      others = sent ? received : [];
      arrange();
      makeRoomForTexts();
    },
    "change:verdict": () => { if (inView) showSelection(); },
    "change:arrival": () => queueMicrotask(() => fly(model.get("arrival"))),
    "msg:custom": ({ afresh }) => { if (afresh) makeRoomAfresh(); },
    "change:message": () => { message.textContent = model.get("message"); },
  };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  listeners["change:message"]();
  showPicture();
  await Promise.all([listeners["change:patches"](), model.get("others") && listeners["change:others"]()]);
  const changed = new MutationObserver((changes) => {
    if (changes.every(({ target }) => el.contains(target))) return;
    keepTyped();
    completeControls();
  });
  // As soon as the picture stands among the controls: those that are out of sight are read aloud, too.
  let waiting;
  function whenPlaced() {
    if (!el.parentElement) return void (waiting = requestAnimationFrame(whenPlaced));
    completeControls();
    changed.observe(el.parentElement, { childList: true, subtree: true, attributeFilter: ["class"] });
    el.parentElement.addEventListener("keydown", readAsTyped, { capture: true, signal });
    el.parentElement.addEventListener("input", ({ target }) => {
      if (target.matches(".widget-slider [contenteditable]")) typed = target.textContent;
    }, { capture: true, signal });
    // Whoever takes hold of a slider will move it.
    el.parentElement.addEventListener("focusin", ({ target }) => {
      const touched = [...el.parentElement.querySelectorAll(HANDLES)].indexOf(target);
      if (touched >= 0) model.send({ touched });
    }, { signal });
    el.parentElement.addEventListener("focusout", () => { typed = null; }, { signal });
  }
  whenPlaced();
  const resized = new ResizeObserver(() => {
    if (el.getRootNode() instanceof ShadowRoot) adopt(el.getRootNode(), style);
    if ([0, room].includes(stage.clientWidth)) return; // out of sight, or as wide as before
    room = stage.clientWidth;
    makeRoomAfresh();
    land();
    showSelection();
  });
  resized.observe(stage);
  return () => {
    cancelAnimationFrame(waiting);
    clearTimeout(confirmed);
    forget();
    pause();
    land();
    changed.disconnect();
    resized.disconnect();
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
}

export default { render };
