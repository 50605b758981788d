// Shared by the widgets. Python puts this text in front of a widget's own file, so that each
// widget is one ES module without imports: it must load from file:// and through a kernel alike.

// biome-ignore-all lint/correctness/noUnusedVariables: the files that follow this one use them.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const ARRAY_TYPES = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  float32: Float32Array,
};

// Seaborn's "colorblind" palette; each series also has a dash and a marker of its own.
const SERIES_COLOURS = ["#0173b2", "#de8f05", "#029e73", "#cc78bc", "#ca9161", "#56b4e9"];
const SERIES_DASHES = ["none", "6 3", "2 3", "9 3 2 3", "1 4", "12 4"];

/** Decode an array that `encode_array` in hosted.py wrote. */
function decodeArray({ dtype, shape, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return { shape, values: new ARRAY_TYPES[dtype](bytes.buffer) };
}

/** Set attributes and listeners (`onclick` and the like), and append children; strings are text. */
function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

/** Make an HTML element. */
function html(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

/** Make an element that tests and styles find by its part name. */
function part(tag, name, attributes = {}, ...children) {
  return html(tag, { "data-part": name, class: `sw-${name}`, ...attributes }, ...children);
}

/** Keep the direction of a text, such as a right-to-left mark in it, from what follows. */
function isolated(text) {
  return `\u2068${text}\u2069`;
}

/** Replace the text of an element only when it changed: a live region repeats what is set again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show a fraction as a percentage. */
function percent(fraction, digits = 1) {
  // A no-break space keeps the sign beside its number.
  return `${(100 * fraction).toFixed(digits)}\u00a0%`;
}

/** Show a number with so many decimals, and a true minus sign; what is rounded to 0 has none. */
function fixed(value, digits) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Show a count with its noun. */
function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Drop repetitions. */
function unique(values) {
  return [...new Set(values)];
}

/** The mean of some numbers; 0 of none. */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
}

/** Cut a number to a range. */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** A small generator of numbers in [0, 1) (mulberry32), the same on every machine. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Compare indices by what they stand for, lowest first; equals keep their order. */
function ascendingBy(values) {
  return (a, b) => values[a] - values[b] || a - b;
}

/** Compare indices by what they stand for, highest first; equals keep their order. */
function descendingBy(values) {
  return (a, b) => values[b] - values[a] || a - b;
}

/** Wrap a control in its visible label. */
function field(label, control) {
  return html("label", { class: "sw-field" }, html("span", {}, label), control);
}

/** Fill a select with `[value, text]` pairs; a third element tells whether it is disabled. */
function setOptions(select, options) {
  select.replaceChildren(
    ...options.map(([value, text, disabled]) => html("option", { value, disabled }, text)),
  );
}

/** Make a select; `onchange` gets the chosen value. */
function choice(name, options, onchange) {
  const select = part("select", name, { onchange: () => onchange(select.value) });
  setOptions(select, options);
  return select;
}

/** Make a button. */
function button(name, text, onclick) {
  return part("button", name, { type: "button", onclick }, text);
}

/** Make a slider with its value in words beside it; `oninput` gets the chosen number. */
function slider(name, range, oninput) {
  const input = part("input", name, {
    type: "range",
    step: 1,
    ...range,
    oninput: () => oninput(Number(input.value)),
  });
  const shown = part("span", `${name}-value`);
  return { element: html("span", { class: "sw-slider" }, input, shown), input, shown };
}

// Milliseconds between two places while it plays.
const PLAY_PAUSE = 260;

/**
 * Make a button that plays: it moves from place to place, from where `at()` is to `last()`.
 *
 * `go(place)` moves there; `pause()` ends it. A screen reader speaks `summary` when it has ended,
 * and not of each place.
 */
function player({ at, last, go, summary }) {
  let timer = null;
  function pause() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    setText(element, "Play");
    summary.setAttribute("aria-live", "polite");
    summary.replaceChildren(summary.textContent);
  }
  function play() {
    summary.setAttribute("aria-live", "off");
    if (at() >= last()) go(0);
    setText(element, "Pause");
    timer = setInterval(() => {
      if (at() >= last()) pause();
      else go(at() + 1);
    }, PLAY_PAUSE);
  }
  const element = button("play", "Play", () => (timer === null ? play() : pause()));
  return { element, pause };
}

/** Make a line that says what is wrong with controls; each says, or takes back, its own words. */
function problemLine() {
  const element = part("p", "problem", { role: "alert" });
  const said = new Map();
  const say = (control, text) => {
    if (text) said.set(control, text);
    else said.delete(control);
    setText(element, [...said.values()].join(" "));
  };
  return { element, say };
}

/**
 * Make a number input; what is no number in its range is said, and `onvalue` not told of it.
 *
 * `show(value)` shows a value in the place of what was typed.
 */
function numberInput({ name, title, range: [low, high], whole = true, help }, problems, onvalue) {
  const range = `${low} to ${high.toLocaleString("en")}`;
  const say = (allowed) => {
    const kind = whole ? "a whole number" : "a number";
    input.setAttribute("aria-invalid", String(!allowed));
    problems.say(name, allowed ? "" : `${title} must be ${kind} from ${range}.`);
  };
  const input = part("input", name, {
    type: "number",
    min: low,
    max: high,
    step: whole ? 1 : "any",
    title: help && `${help}: ${range}`,
    oninput: () => {
      const value = input.valueAsNumber;
      const allowed = value >= low && value <= high && (!whole || Number.isInteger(value));
      say(allowed);
      if (allowed) onvalue(value);
    },
  });
  const show = (value) => {
    if (input.valueAsNumber !== value) input.value = value;
    say(true);
  };
  return { input, show };
}

/** Make the select of the trait `method`. */
function methodChoice(model, methods) {
  const names = methods.map(({ name }) => [name, name]);
  return choice("method", names, (value) => write(model, "method", value));
}

/** Make the select of the trait `gold`: a class index, or -1 for all. */
function goldChoice(model, labelNames) {
  const options = [[-1, "all"], ...labelNames.map((name, label) => [label, name])];
  return choice("gold", options, (value) => write(model, "gold", Number(value)));
}

/** Read some of the state traits. */
function readState(model, names) {
  return Object.fromEntries(names.map((name) => [name, model.get(name)]));
}

/** Write a state trait, here and in the kernel if there is one. */
function write(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/** Call back when one of the traits changes; returns the function that stops it. */
function observe(model, names, callback) {
  for (const name of names) model.on(`change:${name}`, callback);
  return () => {
    for (const name of names) model.off(`change:${name}`, callback);
  };
}

/**
 * Fill an element to its width: `show(content)` does, and so does each change of the width.
 *
 * `draw(content, width)` returns the nodes; `shown()` tells the content that was set last.
 */
function widthFitted(element, draw) {
  let content = null;
  let width = 0;
  const redraw = () => {
    // A hidden notebook tab has no width; drawing waits until it is shown.
    if (content !== null && width > 0) element.replaceChildren(...draw(content, width));
  };
  const observer = new ResizeObserver(() => {
    const newWidth = Math.floor(element.clientWidth);
    if (newWidth === 0 || newWidth === width) return;
    width = newWidth;
    redraw();
  });
  observer.observe(element);
  const show = (newContent) => {
    content = newContent;
    redraw();
  };
  return { element, show, shown: () => content, stop: () => observer.disconnect() };
}

/** Act on some keys, `{ key: action }`, while an element has the focus. */
function onKeys(element, actions) {
  element.addEventListener("keydown", (event) => {
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    // JupyterLab would also move between cells.
    event.stopPropagation();
    actions[event.key]();
  });
}

/** Where the pointer is, in pixels from the corner of an element. */
function pointerIn(element, event) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Widen a domain a little, so that nothing lies on the edge of the plot. */
function withAir([low, high]) {
  const air = 0.06 * (high - low || 1);
  return [low - air, high + air];
}

/** Map a value from a domain to a pixel range. */
function linearScale([low, high], [from, to]) {
  const span = high - low || 1;
  const scale = (value) => from + ((value - low) / span) * (to - from);
  scale.invert = (pixel) => low + ((pixel - from) / (to - from)) * span;
  scale.domain = [low, high];
  scale.range = [from, to];
  scale.ticks = (count) => ticks([low, high], count);
  scale.format = (value) => value.toLocaleString("en").replace("-", "−");
  return scale;
}

/** Round numbers that divide a domain into about `count` parts. */
function ticks([low, high], count) {
  const rough = (high - low || 1) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const values = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) {
    values.push(Number((index * step).toPrecision(12)));
  }
  return values;
}

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴" };
Object.assign(SUPERSCRIPTS, { 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" });
// Pixels that a logarithmic axis keeps at its start for zero.
const ZERO_GAP = 24;

/** Numbers 1, 2 or 5 times a power of ten, from the last at or below `low` to the first above. */
function logMarks(low, high) {
  const marks = [];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  for (let power = first; power <= last; power += 1) {
    // Written and read, as 10 ** -5 is not the number nearest to 0.00001.
    marks.push(...[1, 2, 5].map((factor) => Number(`${factor}e${power}`)));
  }
  const start = marks.findLastIndex((mark) => mark <= low * (1 + 1e-6));
  const end = marks.findIndex((mark) => mark >= high * (1 - 1e-6));
  return marks.slice(start, end + 1);
}

/** Show a whole number as an exponent. */
function superscript(number) {
  return Array.from(String(number), (sign) => SUPERSCRIPTS[sign]).join("");
}

/** Show a power of two. */
function powerOfTwo(exponent) {
  return `2${superscript(exponent)}`;
}

/** Show a number as a factor, with so many decimals, and a power of ten. */
function scientific(value, digits) {
  const [factor, power] = value.toExponential(digits).split("e");
  return `${factor === "1" ? "" : `${factor}·`}10${superscript(Number(power))}`;
}

/** Show 1, 2 or 5 times a power of ten on an axis. */
function powerText(value) {
  if (value === 0 || (value >= 0.01 && value < 1e4)) return value.toLocaleString("en");
  return scientific(value, 0);
}

/**
 * Map values to a pixel range by their logarithm; the domain is that of the values, rounded.
 *
 * Zero has no logarithm: if it is among the values, it gets a place of its own at the start.
 */
function logScale(values, [from, to]) {
  const positive = values.filter((value) => value > 0);
  const hasZero = positive.length < values.length;
  const [low, high] = positive.length ? [Math.min(...positive), Math.max(...positive)] : [0.1, 1];
  let marks = logMarks(low, high);
  if (marks.length < 2) marks = logMarks(low * 0.9, high * 1.1);
  const domain = [marks[0], marks.at(-1)];
  const start = hasZero ? from + Math.sign(to - from) * ZERO_GAP : from;
  const place = linearScale(domain.map(Math.log10), [start, to]);
  const scale = (value) => (value > 0 ? place(Math.log10(value)) : from);
  scale.domain = domain;
  scale.range = [from, to];
  scale.ticks = (count) => {
    const powers = ticks(domain.map(Math.log10), count).filter(Number.isInteger);
    const chosen = marks.length <= count ? marks : powers.map((power) => Number(`1e${power}`));
    return [...(hasZero ? [0] : []), ...chosen];
  };
  scale.format = powerText;
  return scale;
}

/** Draw an axis: at each mark a grid line and its number; `place` turns a pixel into a position. */
function drawAxis(scale, count, { place, grid, number }, title) {
  const mark = (value) =>
    svg(
      "g",
      { transform: `translate(${place(scale(value))})` },
      svg("line", { class: "sw-grid", ...grid }),
      svg("text", number, scale.format(value)),
    );
  const marks = scale.ticks(count).map(mark);
  return svg("g", { class: "sw-axis", "aria-hidden": "true" }, ...marks, title);
}

/** Draw a horizontal axis with its title below the plot. */
function xAxis(scale, { top, bottom, title }) {
  const [from, to] = scale.range;
  const shape = {
    place: (x) => `${x} 0`,
    grid: { y1: top, y2: bottom },
    number: { y: bottom + 16, "text-anchor": "middle" },
  };
  const below = { x: (from + to) / 2, y: bottom + 34, "text-anchor": "middle" };
  return drawAxis(scale, (to - from) / 70, shape, svg("text", below, title));
}

/** Draw a vertical axis with its title above the plot, where it stays readable on a phone. */
function yAxis(scale, { left, right, title }) {
  const [from, to] = scale.range;
  const shape = {
    place: (y) => `0 ${y}`,
    grid: { x1: left, x2: right },
    number: { x: left - 6, dy: "0.32em", "text-anchor": "end" },
  };
  const above = { x: 0, y: 12, "text-anchor": "start" };
  return drawAxis(scale, (from - to) / 45, shape, svg("text", above, title));
}

/** Make the summary line that a screen reader speaks after each change. */
function summaryLine() {
  return part("p", "summary", { role: "status", "aria-live": "polite" });
}

/** Make a table from a header and rows of strings; the first cell of a row is its header. */
function table(name, caption, header, rows) {
  const head = header.map((text) => html("th", { scope: "col" }, text));
  const body = rows.map(([first, ...rest]) =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, first),
      ...rest.map((text) => html("td", {}, text)),
    ),
  );
  // The box scrolls sideways on a phone, and so must be reachable with the keyboard.
  return html(
    "div",
    { class: "sw-scroll", tabindex: 0, role: "region", "aria-label": caption },
    part(
      "table",
      name,
      {},
      html("caption", {}, html("span", {}, caption)),
      html("thead", {}, html("tr", {}, ...head)),
      html("tbody", {}, ...body),
    ),
  );
}

const LIST_CHUNK = 100;

/**
 * Make a list of examples to pick from: one tab stop, arrow keys move, Home and End jump.
 *
 * `show(items, pickedId)` fills it with `{ id, title, detail }`; `onpick(id)` tells of a choice.
 */
function pickList(label, onpick) {
  const list = part("div", "list", { role: "listbox", "aria-label": label, tabindex: 0 });
  const more = button("more", "", () => extend());
  more.hidden = true; // Until something is listed, it would have no name.
  let items = [];
  let shown = 0;
  let picked = null;

  function option({ id, title, detail }) {
    return html(
      "div",
      {
        class: "sw-option",
        role: "option",
        tabindex: -1,
        "data-id": id,
        "aria-selected": String(id === picked),
      },
      html("bdi", { class: "sw-title" }, title),
      html("span", { class: "sw-detail" }, detail),
    );
  }

  function extend() {
    const next = items.slice(shown, shown + LIST_CHUNK);
    list.append(...next.map(option));
    shown += next.length;
    const left = items.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(left, LIST_CHUNK)} more (${left} left)`;
  }

  function mark(id) {
    picked = id;
    let current = null;
    for (const element of list.children) {
      const isPicked = Number(element.dataset.id) === id;
      element.setAttribute("aria-selected", String(isPicked));
      element.tabIndex = isPicked ? 0 : -1;
      if (isPicked) current = element;
    }
    list.tabIndex = current ? -1 : 0;
    return current;
  }

  function pick(element) {
    // An empty list holds a sentence, and that is no option.
    if (!element?.matches(".sw-option")) return;
    onpick(Number(element.dataset.id));
    element.focus({ preventScroll: true });
    reveal(element);
  }

  // Scrolls the list alone; scrollIntoView would move the page under the reader.
  function reveal(element) {
    const above = element.offsetTop - list.scrollTop;
    const below = above + element.offsetHeight - list.clientHeight;
    if (above < 0) list.scrollTop += above;
    else if (below > 0) list.scrollTop += below;
  }

  list.addEventListener("click", (event) => pick(event.target.closest(".sw-option")));
  const step = (sibling, end) => () => {
    const current = list.querySelector('[aria-selected="true"]');
    pick(current ? current[sibling] : list[end]);
  };
  onKeys(list, {
    ArrowDown: step("nextElementSibling", "firstElementChild"),
    ArrowUp: step("previousElementSibling", "lastElementChild"),
    Home: () => pick(list.firstElementChild),
    End: () => pick(list.lastElementChild),
  });

  return {
    element: html("div", { class: "sw-listbox" }, list, more),
    mark,
    show(newItems, pickedId) {
      items = newItems;
      shown = 0;
      list.replaceChildren();
      extend();
      list.scrollTop = 0;
      if (items.length === 0) list.append(html("p", { class: "sw-empty" }, "Nothing to list."));
      mark(pickedId);
    },
  };
}

/** The stroke of the n-th series. */
function seriesStyle(index) {
  return {
    class: "sw-line",
    stroke: SERIES_COLOURS[index % SERIES_COLOURS.length],
    "stroke-dasharray": SERIES_DASHES[index % SERIES_DASHES.length],
  };
}

/** Draw a line through points `[x, y]`. */
function polyline(points, attributes) {
  const texts = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return svg("polyline", { points: texts.join(" "), ...attributes });
}

/** The swatch of a line in a legend. */
function lineSwatch(attributes) {
  return svg("line", { x1: 0, x2: 26, y1: 6, y2: 6, ...attributes });
}

/** Make a legend entry: a swatch of a CSS class or a line in a series' style, and its text. */
function legendEntry(mark, text) {
  const swatch = svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, mark);
  return html("span", { class: "sw-legend-entry" }, swatch, text);
}

const CONTROL_KEYS = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter", " "];

/** Keep the keys that a control answers from JupyterLab, which would take them for its cells. */
function keepControlKeys(event) {
  const isAlone = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
  const isControl = event.target.matches("input, select, button");
  if (isAlone && isControl && CONTROL_KEYS.includes(event.key)) event.stopPropagation();
}

/** Make the root element of a widget, sections in reading order. */
function root(name, label, ...sections) {
  const attributes = {
    class: "stablib-widget",
    "data-widget": name,
    role: "group",
    onkeydown: keepControlKeys,
  };
  return html("div", { ...attributes, "aria-label": label }, ...sections);
}

/** Join the functions that stop the parts of a widget into one. */
function stopAll(...stops) {
  return () => {
    for (const stop of stops) stop();
  };
}

/** The part of anywidget's model that the widgets use, for a page without a kernel. */
class StaticModel {
  #state;
  #onset;
  #listeners = new Map();

  constructor(state, onset) {
    this.#state = { ...state };
    this.#onset = onset;
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    if (JSON.stringify(this.#state[name]) === JSON.stringify(value)) return;
    this.#state[name] = value;
    for (const callback of [...(this.#listeners.get(`change:${name}`) ?? [])]) callback();
    this.#onset(name, value);
  }

  on(event, callback) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(callback);
  }

  off(event, callback) {
    this.#listeners.get(event)?.delete(callback);
  }

  save_changes() {}
}

/** Read a value that has the type of another; undefined if it has not. */
function readAs(like, text) {
  if (typeof like === "string") return text;
  try {
    const value = JSON.parse(text);
    const isAlike = typeof value === typeof like && Array.isArray(value) === Array.isArray(like);
    return isAlike ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a state may be set to a value, by a rule of `linkable` in hosted.py. */
function isAllowed(rule, value) {
  if (rule.fields) {
    const names = Object.keys(rule.fields);
    return (
      Object.keys(value ?? {}).length === names.length &&
      names.every((name) => Object.hasOwn(value, name) && isAllowed(rule.fields[name], value[name]))
    );
  }
  const items = [value].flat();
  if (items.length === 0 || (rule.length && items.length !== rule.length)) return false;
  if (rule.options) return items.every((item) => rule.options.includes(item));
  const [low, high] = rule.range;
  const isRight = (item) => item >= low && item <= high && (!rule.whole || Number.isInteger(item));
  return items.every((item) => typeof item === "number" && isRight(item));
}

/** What the address says of a widget's state, as far as that is allowed: `#id?method=TGTSS&k=5`. */
function stateInAddress(id, { linkable, ...state }) {
  const [target, query] = location.hash.slice(1).split("?");
  if (target !== id) return {};
  const read = [...new URLSearchParams(query)]
    .filter(([name]) => Object.hasOwn(linkable, name))
    .map(([name, text]) => [name, readAs(state[name], text)])
    .filter(([name, value]) => value !== undefined && isAllowed(linkable[name], value));
  return Object.fromEntries(read);
}

// Browsers refuse an address that changes with every step of a slider.
const ADDRESS_DELAY = 300;

/** Keep the address up to date: `note` is told of each value that is set; `stop` ends it. */
function addressWriter(id, { linkable, ...state }) {
  const changed = new Map();
  let timer;
  const write = () => {
    const texts = [...changed].map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const address = `#${id}${texts.length ? `?${new URLSearchParams(texts)}` : ""}`;
    history.replaceState(history.state, "", address);
  };
  const note = (name, value) => {
    if (!Object.hasOwn(linkable, name)) return;
    if (JSON.stringify(value) === JSON.stringify(state[name])) changed.delete(name);
    else changed.set(name, value);
    clearTimeout(timer);
    timer = setTimeout(write, ADDRESS_DELAY);
  };
  return { note, stop: () => clearTimeout(timer) };
}

/** Draw a widget in the state of the address; where that makes no sense, in its own. */
function drawLinked(widget, id, state) {
  const linked = stateInAddress(id, state);
  const draw = (start) => {
    const writer = addressWriter(id, state);
    const el = html("div");
    const model = new StaticModel({ ...state, ...start }, writer.note);
    const stop = widget.render({ model, el });
    for (const [name, value] of Object.entries(start)) writer.note(name, value);
    return { el, stop: stopAll(writer.stop, stop ?? (() => {})) };
  };
  try {
    return draw(linked);
  } catch (error) {
    if (Object.keys(linked).length === 0) throw error;
    return draw({});
  }
}

/** Run a widget in a static page: read its state from the page, replace the fallback picture. */
function hostStatic(widget, id) {
  // Taking the first host that is not yet in use lets one page show the same widget twice.
  const host = document.querySelector(`#${id}:not([data-state])`);
  if (!host) return;
  host.dataset.state = "starting";
  try {
    const state = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    let drawn = drawLinked(widget, id, state);
    host.querySelector(".stablib-fallback").replaceWith(drawn.el);
    host.dataset.state = "ready";
    const isNamed = (hash) => hash.slice(1).split("?")[0] === id;
    addEventListener("hashchange", ({ oldURL }) => {
      if (!isNamed(location.hash) && !isNamed(new URL(oldURL).hash)) return;
      const next = drawLinked(widget, id, state);
      drawn.stop();
      drawn.el.replaceWith(next.el);
      drawn = next;
      if (isNamed(location.hash)) host.scrollIntoView();
    });
    // The browser looks for an element that is called like all that follows the #.
    if (isNamed(location.hash)) host.scrollIntoView();
  } catch (error) {
    host.dataset.state = "failed";
    host.append(html("p", { role: "alert" }, `This widget could not start: ${error.message}`));
    throw error;
  }
}
