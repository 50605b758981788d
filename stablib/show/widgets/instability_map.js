// Instability map: two quantities of each example against each other. common.js stands in front.

const MAP_MARGIN = { left: 40, right: 14, top: 28, bottom: 44 };
const BRUSH_ENDS = ["x from", "x to", "y from", "y to"];
const LEVELS = ["none", "some", "high"];

/** Decode the arrays of the widget's data; a method without a quantity lacks its key. */
function readMapData(data) {
  const methods = data.methods.map(({ name, values }) => ({
    name,
    values: Object.fromEntries(
      Object.entries(values).map(([key, encoded]) => [key, decodeArray(encoded).values]),
    ),
  }));
  return { ...data, methods, gold: decodeArray(data.gold).values };
}

/** Tell the level of a label entropy: 0 none, 1 some, 2 high. */
function levelOf(data, entropy) {
  if (entropy >= data.high_entropy) return 2;
  return entropy > 0 ? 1 : 0;
}

/** List the examples that pass the gold filter and have both quantities. */
function visibleExamples(data, method, { x, y, gold }) {
  if (!(x in method.values && y in method.values)) return [];
  const all = Array.from(data.texts.keys());
  return gold < 0 ? all : all.filter((i) => data.gold[i] === gold);
}

/** Keep the examples inside the brush `[x from, x to, y from, y to]`; an empty brush keeps all. */
function insideBrush(examples, xs, ys, brush) {
  if (brush.length === 0) return examples;
  const [left, right, low, high] = brush;
  return examples.filter((i) => xs[i] >= left && xs[i] <= right && ys[i] >= low && ys[i] <= high);
}

/** Find what the state shows: the method, its two quantities, visible and selected examples. */
function readMapView(data, state) {
  const method = data.methods.find(({ name }) => name === state.method);
  const visible = visibleExamples(data, method, state);
  const [xs, ys] = [method.values[state.x], method.values[state.y]];
  const selected = insideBrush(visible, xs, ys, state.brush);
  const quantity = (key) => data.quantities.find((candidate) => candidate.key === key);
  return { state, method, visible, selected, xs, ys, x: quantity(state.x), y: quantity(state.y) };
}

/** The symbol of a quantity. */
function symbolOf({ option }) {
  return option.split(",")[0];
}

/** Say in one sentence what is selected. */
function mapSentence(data, { state, method, visible, selected, x, y }) {
  if (visible.length === 0) {
    const lacking = [x, y].filter(({ key }) => !(key in method.values)).map(symbolOf);
    return lacking.length
      ? `${lacking.join(" and ")} not computed for ${state.method}.`
      : `${state.method}: no example has this gold label.`;
  }
  if (selected.length === 0) {
    return `${state.method}: none of ${counted(visible.length, "example")} lies in the selection.`;
  }
  const entropies = selected.map((i) => method.values.LE_m[i]);
  const high = entropies.filter((value) => value >= data.high_entropy).length;
  return (
    `${state.method}: ${selected.length.toLocaleString("en")} of ` +
    `${counted(visible.length, "example")} selected (${percent(selected.length / visible.length)})` +
    `; mean LEₘ ${mean(entropies).toFixed(3)} nats, ${high.toLocaleString("en")} with LEₘ at or above ` +
    `${data.high_entropy} nats.`
  );
}

/** Spell out the quantities of one example. */
function describeExample(data, method, i) {
  const known = data.quantities.filter(({ key }) => key in method.values);
  const values = known.map((quantity) => {
    const { key, unit } = quantity;
    return `${symbolOf(quantity)} ${method.values[key][i].toFixed(3)}${unit ? ` ${unit}` : ""}`;
  });
  return `${isolated(data.texts[i])} (gold ${data.label_names[data.gold[i]]}): ${values.join(", ")}`;
}

/** Make the scales of a view at a given width. */
function mapScales({ x, y }, width) {
  const height = clamp(Math.round(width * 0.62), 260, 420);
  return {
    width,
    height,
    x: linearScale(x.domain, [MAP_MARGIN.left, width - MAP_MARGIN.right]),
    y: linearScale(y.domain, [height - MAP_MARGIN.bottom, MAP_MARGIN.top]),
  };
}

/** Draw the points, the dim ones first so that the selected ones lie on top. */
function drawPoints(data, { method, visible, selected, xs, ys }, scales) {
  const isSelected = new Set(selected);
  const point = (i) => {
    const dim = isSelected.has(i) ? "" : " sw-dim";
    const level = levelOf(data, method.values.LE_m[i]);
    return svg("circle", {
      class: `sw-point sw-level-${LEVELS[level]}${dim}`,
      cx: scales.x(xs[i]).toFixed(1),
      cy: scales.y(ys[i]).toFixed(1),
      r: 2 + level * 0.7,
    });
  };
  const ordered = [...visible].sort((a, b) => isSelected.has(a) - isSelected.has(b));
  return svg("g", {}, ...ordered.map(point));
}

/** Draw the rectangle of a brush, cut to the plot: fields and Python may ask for more. */
function drawBrush([left, right, low, high], { x, y }) {
  const place = (scale, value) => scale(clamp(value, ...scale.domain));
  const [fromX, toX] = [place(x, left), place(x, right)];
  const [fromY, toY] = [place(y, high), place(y, low)];
  return svg("rect", {
    class: "sw-brush",
    x: fromX,
    y: fromY,
    width: Math.max(toX - fromX, 0),
    height: Math.max(toY - fromY, 0),
  });
}

/** Find the visible example nearest to a pixel, within reach. */
function nearestExample({ visible, xs, ys }, scales, [pixelX, pixelY], reach = 14) {
  let best = -1;
  let bestDistance = reach ** 2;
  for (const i of visible) {
    const distance = (scales.x(xs[i]) - pixelX) ** 2 + (scales.y(ys[i]) - pixelY) ** 2;
    if (distance <= bestDistance) {
      best = i;
      bestDistance = distance;
    }
  }
  return best;
}

/** Turn two corners in pixels into a brush in data units, cut to the plot. */
function brushBetween([startX, startY], [endX, endY], { x, y }) {
  const end = (scale, pixel) => Number(clamp(scale.invert(pixel), ...scale.domain).toFixed(3));
  const [left, right] = [Math.min(startX, endX), Math.max(startX, endX)];
  const [top, bottom] = [Math.min(startY, endY), Math.max(startY, endY)];
  return [end(x, left), end(x, right), end(y, bottom), end(y, top)];
}

/** Find the next example from the picked one along a quantity; wraps to an end when none is. */
function neighbour(selected, values, picked, step) {
  const ordered = [...selected].sort(ascendingBy(values));
  const at = ordered.indexOf(picked);
  if (at < 0) return ordered.at(step > 0 ? 0 : -1) ?? -1;
  return ordered[clamp(at + step, 0, ordered.length - 1)];
}

/** Let the pointer hover, pick (a click) and brush (a drag) on the plot. */
function listenToPointer(plot, { current, onhover, onpick, onbrush }) {
  let start = null;
  const at = (event) => pointerIn(plot, event);
  const isDrag = (end) => Math.hypot(end[0] - start[0], end[1] - start[1]) > 5;
  const nearest = (event) => nearestExample(current.view, current.scales, at(event));
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !current.scales) return;
    start = at(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (!current.scales) return;
    if (start && isDrag(at(event))) {
      current.overlay.replaceChildren(
        drawBrush(brushBetween(start, at(event), current.scales), current.scales),
      );
    } else if (!start) onhover(nearest(event));
  });
  plot.addEventListener("pointerup", (event) => {
    if (!start) return;
    if (isDrag(at(event))) onbrush(brushBetween(start, at(event), current.scales));
    else onpick(nearest(event));
    start = null;
  });
  plot.addEventListener("pointercancel", () => {
    start = null;
  });
  plot.addEventListener("pointerleave", () => onhover(-1));
}

/** Build the plot; `show(view, picked)` draws it. */
function mapPlot(data, handlers) {
  const element = part("div", "plot", { tabindex: 0, role: "application" });
  // What is on the screen, for the pointer; without scales nothing has been drawn.
  const current = { view: null, scales: null, overlay: null };

  function drawOverlay(picked) {
    const { view, scales, overlay } = current;
    if (!scales) return;
    overlay.replaceChildren();
    if (view.state.brush.length) overlay.append(drawBrush(view.state.brush, scales));
    if (picked < 0 || !view.visible.includes(picked)) return;
    const [cx, cy] = [scales.x(view.xs[picked]), scales.y(view.ys[picked])];
    overlay.append(svg("circle", { class: "sw-ring", cx, cy, r: 8 }));
  }

  const plot = widthFitted(element, (view, width) => {
    const scales = mapScales(view, width);
    const overlay = svg("g", {});
    Object.assign(current, { view, scales, overlay });
    drawOverlay(view.state.picked);
    const bottom = scales.height - MAP_MARGIN.bottom;
    const right = width - MAP_MARGIN.right;
    return [
      svg(
        "svg",
        { width, height: scales.height, "aria-hidden": "true" },
        xAxis(scales.x, { top: MAP_MARGIN.top, bottom, title: view.x.title }),
        yAxis(scales.y, { left: MAP_MARGIN.left, right, title: view.y.title }),
        drawPoints(data, view, scales),
        overlay,
      ),
    ];
  });

  function show(view) {
    const label = `${view.y.title} against ${view.x.title}; arrow keys step through the points`;
    element.setAttribute("aria-label", label);
    plot.show(view);
  }

  const move = (axis, step, from) => () => {
    const view = plot.shown();
    handlers.onpick(neighbour(view.selected, view[axis], from ?? handlers.picked(), step));
  };
  onKeys(element, {
    ArrowRight: move("xs", 1),
    ArrowLeft: move("xs", -1),
    ArrowUp: move("ys", 1),
    ArrowDown: move("ys", -1),
    Home: move("xs", 1, -1),
    End: move("xs", -1, -1),
    Escape: () => handlers.onbrush([]),
  });
  listenToPointer(element, { current, ...handlers });
  return { element, show, drawOverlay, stop: plot.stop };
}

/** Build the number fields of the brush, its keyboard form; `sync(view)` fills them. */
function brushFields(onbrush) {
  const problems = problemLine();
  const inputs = BRUSH_ENDS.map((label) =>
    part("input", label.replace(" ", "-"), {
      type: "number",
      step: "any",
      onchange: () => apply(),
    }),
  );
  let limits = [0, 1, 0, 1];

  /** Say what is wrong with one end: outside its axis, or beyond the other end. */
  function problem(at, ends) {
    const [low, high] = at < 2 ? limits.slice(0, 2) : limits.slice(2);
    if (!(ends[at] >= low && ends[at] <= high)) {
      return `${BRUSH_ENDS[at]} must be a number from ${low.toFixed(2)} to ${high.toFixed(2)}.`;
    }
    const isEnd = at % 2 === 1;
    return isEnd && ends[at] <= ends[at - 1]
      ? `${BRUSH_ENDS[at]} must be more than ${BRUSH_ENDS[at - 1]}.`
      : "";
  }

  function apply() {
    const ends = inputs.map((input, at) => (input.value === "" ? limits[at] : Number(input.value)));
    const found = ends.map((_, at) => problem(at, ends));
    found.forEach((text, at) => {
      problems.say(BRUSH_ENDS[at], text);
      inputs[at].setAttribute("aria-invalid", String(text !== ""));
    });
    if (found.every((text) => text === "")) onbrush(ends);
  }

  const clear = button("clear", "Select all", () => onbrush([]));
  const fields = inputs.map((input, at) => field(BRUSH_ENDS[at], input));
  const element = html(
    "fieldset",
    { class: "sw-brush-fields" },
    html("legend", {}, "Selection (or drag on the map)"),
    ...fields,
    clear,
    problems.element,
  );
  const sync = ({ state, x, y }) => {
    limits = [...x.domain, ...y.domain];
    inputs.forEach((input, at) => {
      const axis = at < 2 ? x : y;
      [input.min, input.max] = axis.domain;
      input.placeholder = limits[at].toFixed(2);
      input.value = state.brush.length ? state.brush[at] : "";
      input.removeAttribute("aria-invalid");
      problems.say(BRUSH_ENDS[at], "");
    });
    clear.disabled = state.brush.length === 0;
  };
  return { element, sync };
}

/** Build the controls; `sync(view)` shows the current state in them. */
function mapControls(model, data, onbrush) {
  const quantities = data.quantities.map(({ key, option }) => [key, option]);
  // A brush is in the units of its axes, so another axis ends it.
  const turn = (axis) => (value) => {
    model.set("brush", []);
    write(model, axis, value);
  };
  const selects = {
    method: methodChoice(model, data.methods),
    x: choice("x", quantities, turn("x")),
    y: choice("y", quantities, turn("y")),
    gold: goldChoice(model, data.label_names),
  };
  const brush = brushFields(onbrush);
  const element = html(
    "div",
    { class: "sw-controls" },
    field("Method", selects.method),
    field("Horizontal", selects.x),
    field("Vertical", selects.y),
    field("Gold label", selects.gold),
  );
  const sync = (view) => {
    for (const [name, select] of Object.entries(selects)) select.value = view.state[name];
    brush.sync(view);
  };
  return { element, brush: brush.element, sync };
}

/** Make the legend of the three levels of label entropy. */
function mapLegend(data) {
  const texts = [
    "LEₘ = 0 (all runs agree)",
    `LEₘ below ${data.high_entropy} nats`,
    `LEₘ at or above ${data.high_entropy} nats`,
  ];
  const entries = texts.map((text, level) => {
    const mark = { class: `sw-point sw-level-${LEVELS[level]}`, cx: 13, cy: 6, r: 3 + level };
    return legendEntry(svg("circle", mark), text);
  });
  return html("div", { class: "sw-legend" }, ...entries);
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = readMapData(model.get("data"));
  const names = ["method", "x", "y", "gold", "picked", "brush"];
  const onpick = (i) => {
    if (i >= 0) write(model, "picked", i);
  };
  const onbrush = (brush) => write(model, "brush", brush);
  let view = null;

  const controls = mapControls(model, data, onbrush);
  const summary = summaryLine();
  const readout = part("p", "readout", { "aria-live": "polite" });
  const hover = part("p", "hover", { "aria-hidden": "true" });
  const list = pickList("Selected examples, highest LEₘ first", onpick);
  const onhover = (i) => setText(hover, i < 0 ? "" : describeExample(data, view.method, i));
  const plot = mapPlot(data, { onhover, onpick, onbrush, picked: () => model.get("picked") });

  const step = (direction) => () =>
    onpick(neighbour(view.selected, view.xs, model.get("picked"), direction));
  const stepping = html(
    "div",
    { class: "sw-controls" },
    button("previous", "Previous point", step(-1)),
    button("next", "Next point", step(1)),
  );

  function showPicked() {
    const picked = model.get("picked");
    const text = picked < 0 ? "No point picked." : describeExample(data, view.method, picked);
    setText(readout, text);
    plot.drawOverlay(picked);
    list.mark(picked);
  }

  function showAll() {
    view = readMapView(data, readState(model, names));
    const { LE_m: entropy } = view.method.values;
    const ordered = [...view.selected].sort(descendingBy(entropy));
    controls.sync(view);
    plot.show(view);
    setText(summary, mapSentence(data, view));
    list.show(
      ordered.map((i) => ({
        id: i,
        title: data.texts[i],
        detail: `gold ${data.label_names[data.gold[i]]}; LEₘ ${entropy[i].toFixed(2)}`,
      })),
      model.get("picked"),
    );
    showPicked();
  }

  const chart = html("div", {}, mapLegend(data), plot.element, hover, stepping, readout);
  const side = html("div", {}, controls.brush, list.element);
  const columns = html("div", { class: "sw-columns" }, chart, side);
  el.append(root("instability-map", "Instability map", controls.element, summary, columns));
  const stops = [
    observe(model, ["method", "x", "y", "gold", "brush"], showAll),
    observe(model, ["picked"], showPicked),
  ];
  showAll();
  return stopAll(...stops, plot.stop);
}

const widget = { render };
export default widget;
