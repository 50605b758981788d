// Descent: SGD with momentum past a saddle, with and without ASWA. common.js stands in front.

const STATE = ["learning_rate", "noise", "seed", "starts", "shown"];
const TITLES = { SGD: "SGD with momentum", ASWA: "The same with ASWA" };
const DESCENT_MARGIN = { left: 34, right: 12, top: 28, bottom: 42 };
const LEVELS = [-0.24, -0.2, -0.1, 0, 0.15, 0.4, 0.7, 1.1, 1.6, 2.2, 2.9, 3.7, 4.6];
const GRID = 72;
const START_NAMES = ["A", "B"];
const AXES = ["first", "second"];
// Pixels within which the pointer takes hold of a start.
const REACH = 22;

/** The surface. */
function height(x, y) {
  return x ** 4 / 4 - x ** 2 / 2 + y ** 2;
}

/** Its gradient. */
function gradient([x, y]) {
  return [x ** 3 - x, 2 * y];
}

/** Make a generator of pairs of normal numbers (Box and Muller), the same on every machine. */
function normalPairs(seed) {
  const random = generator(seed);
  return () => {
    // In (0, 1], as 0 has no logarithm.
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  };
}

/**
 * Descend; `epochs` holds `[weights at its start, after each of its steps]`, `ends` where each
 * epoch ends, with ASWA at the average.
 */
function walkDescent({ method, start, seed, learningRate, noise, momentum, steps, epochs }) {
  const draw = normalPairs(seed);
  let weights = [...start];
  let velocity = [0, 0];
  let average = [...start];
  let step = 0;
  const walk = { epochs: [], ends: [] };
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const path = [weights];
    for (let at = 0; at < steps; at += 1) {
      step += 1;
      // Algorithm 1 averages the weights before a step.
      average = average.map((value, axis) => value + (weights[axis] - value) / (step + 1));
      const slope = gradient(weights);
      const jolt = draw();
      velocity = velocity.map((v, axis) => momentum * v + slope[axis] + noise * jolt[axis]);
      weights = weights.map((value, axis) => value - learningRate * velocity[axis]);
      path.push(weights);
    }
    if (method === "ASWA") weights = average;
    walk.epochs.push(path);
    walk.ends.push(weights);
  }
  return walk;
}

/** The settings of a descent from one of the starts, `offset` seeds after the first. */
function descentOf(data, state, method, start, offset) {
  return {
    method,
    start: state.starts[start],
    seed: state.seed + offset,
    learningRate: state.learning_rate,
    noise: state.noise,
    momentum: data.momentum,
    steps: data.steps,
    epochs: data.epochs,
  };
}

/** Standard deviation of the last weights over seeds, a mean of both; and the share on the left. */
function spreadOfLast(data, state, method, start) {
  const last = Array.from({ length: data.n_seeds }, (_, offset) =>
    walkDescent(descentOf(data, state, method, start, offset)).ends.at(-1),
  );
  const deviations = [0, 1].map((axis) => {
    const middle = mean(last.map((weights) => weights[axis]));
    return Math.sqrt(mean(last.map((weights) => (weights[axis] - middle) ** 2)));
  });
  return { spread: mean(deviations), left: last.filter(([x]) => x < 0).length / last.length };
}

/** Find where a level crosses the edges of each cell of a grid: segments `[x1, y1, x2, y2]`. */
function contour(level, xs, ys) {
  const segments = [];
  for (let i = 0; i + 1 < xs.length; i += 1) {
    for (let j = 0; j + 1 < ys.length; j += 1) {
      const corners = [
        [xs[i], ys[j]],
        [xs[i + 1], ys[j]],
        [xs[i + 1], ys[j + 1]],
        [xs[i], ys[j + 1]],
      ];
      const over = corners.map(([x, y]) => height(x, y) - level);
      const crossings = [];
      for (let at = 0; at < 4; at += 1) {
        const next = (at + 1) % 4;
        if (over[at] < 0 === over[next] < 0) continue;
        const share = over[at] / (over[at] - over[next]);
        crossings.push(
          ...corners[at].map((value, axis) => value + share * (corners[next][axis] - value)),
        );
      }
      // Four crossings, around a saddle, make two segments.
      for (let at = 0; at < crossings.length; at += 4) {
        segments.push(crossings.slice(at, at + 4));
      }
    }
  }
  return segments;
}

/** All contour lines of the drawn part of the surface. */
function allContours({ x, y }) {
  const along = ([low, high]) =>
    Array.from({ length: GRID + 1 }, (_, i) => low + ((high - low) * i) / GRID);
  const [xs, ys] = [along(x), along(y)];
  return LEVELS.flatMap((level) => contour(level, xs, ys));
}

/** Make the scales of a plot at a given width. */
function descentScales({ ranges }, width) {
  const tall = clamp(Math.round(width * 0.85), 240, 430);
  const { left, right, top, bottom } = DESCENT_MARGIN;
  return {
    width,
    tall,
    x: linearScale(ranges.x, [left, width - right]),
    y: linearScale(ranges.y, [tall - bottom, top]),
  };
}

/** Draw a descent: each epoch a line, the way to the average dashed, a dot where an epoch ends. */
function drawWalk({ epochs, ends }, index, { x, y }) {
  const place = ([first, second]) => [x(first), y(second)];
  const stroke = SERIES_COLOURS[index];
  const lines = epochs.map((path) =>
    polyline(path.map(place), { class: "sw-line sw-path", stroke, "data-start": index }),
  );
  const jumps = epochs.map((path, epoch) =>
    polyline([path.at(-1), ends[epoch]].map(place), { class: "sw-line sw-jump", stroke }),
  );
  const dots = ends.map((end, epoch) => {
    const [cx, cy] = place(end);
    const shape = { class: "sw-dot", fill: stroke, "data-epoch": epoch + 1 };
    if (index === 0) return svg("circle", { ...shape, cx, cy, r: 4 });
    return svg("path", { ...shape, d: `M${cx} ${cy - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z` });
  });
  return svg("g", {}, ...jumps, ...lines, ...dots);
}

/** Draw a start: a ring with its name, which can be dragged. */
function drawStart([first, second], index, { x, y }) {
  const [cx, cy] = [x(first), y(second)];
  // The names are on either side, as the starts may be near each other.
  const isLeft = index === 1;
  return svg(
    "g",
    { class: "sw-start" },
    svg("circle", { cx, cy, r: REACH, class: "sw-hold" }),
    svg("circle", { cx, cy, r: 7, class: "sw-handle", stroke: SERIES_COLOURS[index] }),
    svg(
      "text",
      {
        class: "sw-mark-name",
        x: cx + (isLeft ? -12 : 12),
        y: cy,
        dy: "0.32em",
        "text-anchor": isLeft ? "end" : "start",
      },
      START_NAMES[index],
    ),
  );
}

/** Show a weight. */
function weightText(value) {
  return Math.abs(value) < 1000 ? value.toFixed(3) : value.toExponential(2);
}

/** Show both weights of a point. */
function pointText(point) {
  return `(${point.map(weightText).join(", ")})`;
}

/** Build the plot of one method; `onmove(start, point)` tells of a start that is dragged. */
function descentPlot(data, method, contours, onmove) {
  const element = part("div", `plot-${method}`, { class: "sw-plot sw-descent" });
  let scales = null;
  let held = -1;

  const plot = widthFitted(element, ({ state, walks }, width) => {
    scales = descentScales(data, width);
    const { x, y, tall } = scales;
    const bottom = tall - DESCENT_MARGIN.bottom;
    const lines = contours.map(
      ([x1, y1, x2, y2]) =>
        `M${x(x1).toFixed(1)} ${y(y1).toFixed(1)}L${x(x2).toFixed(1)} ${y(y2).toFixed(1)}`,
    );
    const said = walks.map(
      ({ ends }, start) => `from ${START_NAMES[start]} to ${pointText(ends.at(-1))}`,
    );
    const [left, top] = [DESCENT_MARGIN.left, DESCENT_MARGIN.top];
    const inner = { width: width - left - DESCENT_MARGIN.right, height: bottom - top };
    const frame = { x: left, y: top, ...inner };
    return [
      svg(
        "svg",
        { width, height: tall, role: "img", "aria-label": `${TITLES[method]}: ${said.join("; ")}` },
        svg("path", { class: "sw-contours", d: lines.join("") }),
        xAxis(x, { top: bottom, bottom: bottom + 4, title: "first weight" }),
        yAxis(y, { left: left - 4, right: left, title: "second weight" }),
        svg(
          "svg",
          { class: "sw-clip", viewBox: `${left} ${top} ${inner.width} ${inner.height}`, ...frame },
          ...walks.map((walk, start) => drawWalk(walk, start, scales)),
        ),
        ...state.starts.map((start, index) => drawStart(start, index, scales)),
      ),
    ];
  });

  element.addEventListener("pointerdown", (event) => {
    const [px, py] = pointerIn(element, event);
    const far = plot
      .shown()
      .state.starts.map(([x, y]) => Math.hypot(scales.x(x) - px, scales.y(y) - py));
    const nearest = far[1] < far[0] ? 1 : 0;
    if (far[nearest] > REACH) return;
    held = nearest;
    element.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => {
    if (held < 0) return;
    const pixels = pointerIn(element, event);
    onmove(held, [scales.x.invert(pixels[0]), scales.y.invert(pixels[1])]);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, () => {
      held = -1;
    });
  }
  return plot;
}

/** Build the controls; `sync(state)` shows the current state in them. */
function descentControls(model, data, onmove) {
  const range = (key, step) => ({ min: data.ranges[key][0], max: data.ranges[key][1], step });
  const rate = slider("learning-rate", range("learning_rate", 0.001), (value) =>
    write(model, "learning_rate", value),
  );
  const noise = slider("noise", range("noise", 0.05), (value) => write(model, "noise", value));
  const problems = problemLine();
  const described = { name: "seed", title: "Seed of the noise", range: data.ranges.seed };
  const seed = numberInput(described, problems, (value) => write(model, "seed", value));
  const starts = START_NAMES.map((name, start) =>
    ["x", "y"].map((key, axis) =>
      slider(`start-${name}-${key}`, range(key, 0.05), (value) => {
        const point = [...model.get("starts")[start]];
        point[axis] = value;
        onmove(start, point);
      }),
    ),
  );
  const shown = data.methods.map((method) =>
    part("input", `show-${method}`, {
      type: "checkbox",
      onchange: () => {
        const chosen = data.methods.filter((_, at) => shown[at].checked);
        write(model, "shown", chosen);
      },
    }),
  );

  function sync(state) {
    rate.input.value = state.learning_rate;
    setText(rate.shown, shortNumber(state.learning_rate));
    noise.input.value = state.noise;
    setText(noise.shown, shortNumber(state.noise));
    seed.show(state.seed);
    starts.forEach((axes, start) => {
      axes.forEach(({ input, shown: text }, axis) => {
        input.value = state.starts[start][axis];
        setText(text, shortNumber(state.starts[start][axis]));
        input.setAttribute("aria-valuetext", shortNumber(state.starts[start][axis]));
      });
    });
    shown.forEach((box, at) => {
      box.checked = state.shown.includes(data.methods[at]);
    });
  }

  const boxes = shown.map((box, at) =>
    html("label", { class: "sw-check" }, box, TITLES[data.methods[at]]),
  );
  const points = starts.flatMap((axes, start) =>
    axes.map(({ element }, axis) =>
      field(`Start ${START_NAMES[start]}, ${AXES[axis]} weight`, element),
    ),
  );
  const element = html(
    "div",
    {},
    html(
      "div",
      { class: "sw-controls" },
      field("Learning rate", rate.element),
      field("Noise (SD)", noise.element),
      field("Seed of the noise", seed.input),
    ),
    problems.element,
    html("div", { class: "sw-controls" }, ...points),
    html("div", { class: "sw-controls", role: "group", "aria-label": "Methods" }, ...boxes),
  );
  return { element, sync };
}

/** Show a number without needless digits. */
function shortNumber(value) {
  return String(Number(value.toFixed(3))).replace("-", "−");
}

/** Say what the seeds do: spread of the last weights and the valleys. */
function descentSentence(data, state, results) {
  const said = results.map(({ method, outcomes }) => {
    const each = outcomes.map(
      ({ spread, left }, start) =>
        `from ${START_NAMES[start]} ${weightText(spread)}, ${percent(left, 0)} in the left valley`,
    );
    return `${TITLES[method]}: SD of the last weights ${each.join("; ")}.`;
  });
  if (said.length === 0) return "No method is shown.";
  const last = state.seed + data.n_seeds - 1;
  return `Over ${data.n_seeds} seeds of the noise, ${state.seed} to ${last}. ${said.join(" ")}`;
}

/** Tabulate what the seeds do, and where the drawn descents end. */
function descentTable(data, results) {
  const rows = results.flatMap(({ method, outcomes, walks }) =>
    outcomes.map(({ spread, left }, start) => [
      `${method}, from ${START_NAMES[start]}`,
      pointText(walks[start].ends.at(-1)),
      weightText(spread),
      percent(left, 0),
      percent(1 - left, 0),
    ]),
  );
  const header = ["", "Last weights, drawn", "SD over seeds", "Left valley", "Right valley"];
  return table("outcomes", `Last weights: those drawn, and ${data.n_seeds} seeds`, header, rows);
}

/** Explain what is drawn. */
function descentNote(data) {
  return html(
    "p",
    { class: "sw-note" },
    `Surface x⁴/4 − x²/2 + y², a saddle at the origin between two valleys; momentum ` +
      `${data.momentum}, ${data.epochs} epochs of ${data.steps} steps. Dots: weights with which ` +
      "an epoch ends; with ASWA that is the average so far, and the dashed line leads to it. Both " +
      "methods get the same noise. Drag a start, or use its sliders. SD: mean over both weights of " +
      "the standard deviation over seeds.",
  );
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const read = () => readState(model, STATE);

  function onmove(start, point) {
    const starts = model.get("starts").map((one) => [...one]);
    starts[start] = ["x", "y"].map((key, axis) =>
      Number(clamp(point[axis], ...data.ranges[key]).toFixed(3)),
    );
    write(model, "starts", starts);
  }

  const controls = descentControls(model, data, onmove);
  const summary = summaryLine();
  const contours = allContours(data.ranges);
  const plots = data.methods.map((method) => descentPlot(data, method, contours, onmove));
  const sections = plots.map(({ element }, at) =>
    html("section", {}, html("h4", {}, TITLES[data.methods[at]]), element),
  );
  const outcomes = html("div");
  const legend = html(
    "div",
    { class: "sw-legend" },
    ...START_NAMES.map((name, index) =>
      legendEntry(drawLegend(index), `start ${name}, dots at ends of epochs`),
    ),
  );

  function show() {
    const state = read();
    controls.sync(state);
    const results = [];
    data.methods.forEach((method, at) => {
      sections[at].hidden = !state.shown.includes(method);
      if (sections[at].hidden) return;
      const walks = START_NAMES.map((_, start) =>
        walkDescent(descentOf(data, state, method, start, start)),
      );
      const spreads = START_NAMES.map((_, start) => spreadOfLast(data, state, method, start));
      results.push({ method, walks, outcomes: spreads });
      plots[at].show({ state, walks });
    });
    setText(summary, descentSentence(data, state, results));
    outcomes.replaceChildren(...(results.length ? [descentTable(data, results)] : []));
  }

  const columns = html("div", { class: "sw-columns" }, ...sections);
  const parts = [controls.element, summary, legend, columns, outcomes, descentNote(data)];
  el.append(root("descent", "Descent past a saddle", ...parts));
  const unobserve = observe(model, STATE, show);
  show();
  return stopAll(unobserve, ...plots.map(({ stop }) => stop));
}

/** The swatch of a start in the legend. */
function drawLegend(index) {
  const shape = { class: "sw-dot", fill: SERIES_COLOURS[index] };
  const mark =
    index === 0
      ? svg("circle", { ...shape, cx: 13, cy: 6, r: 4 })
      : svg("path", { ...shape, d: "M13 0.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z" });
  return svg(
    "g",
    {},
    lineSwatch({ class: "sw-line sw-path", stroke: SERIES_COLOURS[index] }),
    mark,
  );
}

const widget = { render };
export default widget;
