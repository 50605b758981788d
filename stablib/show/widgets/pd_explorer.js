// PD explorer: how far do the two models of a pair predict apart? common.js stands in front.

const PD_MARGIN = { left: 46, right: 26, top: 28, bottom: 44 };
const PD_HEIGHT = 320;
// Each setting offers what the ones before it leave.
const NARROWING = ["model", "activation", "beta", "optimizer"];
const INITS = ["same", "distinct"];
const STATE = [...NARROWING, "init", "stream", "log2_examples", "log2_window"];

/** Decode the arrays of the widget's data: rows of points, and weights by window. */
function readPdData(data) {
  const curves = data.curves.map((curve) => {
    const column = (name) => decodeArray(curve[name]).values;
    const [windows, examples] = [column("log2_window"), column("log2_examples")];
    const [pd, low, high, loss] = ["pd", "pd_low", "pd_high", "loss"].map(column);
    const rows = Array.from(windows, (window, i) => ({
      window,
      examples: examples[i],
      pd: pd[i],
      low: low[i],
      high: high[i],
      loss: loss[i],
    }));
    const weights = curve.weights.map(({ log2_window: window, values }) => [
      window,
      decodeArray(values),
    ]);
    return { ...curve, rows, weights: new Map(weights) };
  });
  return { ...data, curves, truth: data.truth && decodeArray(data.truth).values };
}

/** Take the wanted value if it can be had, else the first that can. */
function take(wanted, available) {
  return available.includes(wanted) ? wanted : available[0];
}

/** The rows of a curve after a number of examples. */
function rowsAt({ rows }, examples) {
  return rows.filter((row) => row.examples === examples);
}

/** List the checkpoints of some curves, `[log2 of stream, log2 of examples]`, in order. */
function checkpointsOf(curves) {
  const keys = curves.flatMap(({ stream, rows }) =>
    rows.map(({ examples }) => `${stream} ${examples}`),
  );
  const pairs = unique(keys).map((key) => key.split(" ").map(Number));
  return pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** Find the wanted checkpoint, else as many examples of another stream, else the last of one. */
function nearestCheckpoint(checkpoints, wantedStream, wantedExamples) {
  const alike = checkpoints.filter(([, examples]) => examples === wantedExamples);
  const stream = take(wantedStream, unique(checkpoints.map(([length]) => length)));
  return (
    alike.find(([length]) => length === wantedStream) ??
    alike[0] ??
    checkpoints.filter(([length]) => length === stream).at(-1)
  );
}

/** Turn what is wished for into what there is: the settings, and what each of them offers. */
function settleState(data, wish) {
  const state = { ...wish };
  const available = {};
  let curves = data.curves;
  for (const key of NARROWING) {
    const offered = unique(curves.map((curve) => curve[key]));
    available[key] = offered.filter((value) => value !== null);
    // A linear model has no activation, and ReLU no beta; the wish stays for later.
    const value = take(wish[key], offered);
    curves = curves.filter((curve) => curve[key] === value);
    if (value !== null) state[key] = value;
  }
  const [same, distinct] = INITS.map((init) =>
    checkpointsOf(curves.filter((curve) => curve.init === init)),
  );
  const isShared = (checkpoint) => distinct.some((other) => String(other) === String(checkpoint));
  const checkpoints = { same, distinct, both: same.filter(isShared) };
  available.init = Object.keys(checkpoints).filter((init) => checkpoints[init].length > 0);
  state.init = take(wish.init, available.init);
  available.checkpoints = checkpoints[state.init];
  [state.stream, state.log2_examples] = nearestCheckpoint(
    available.checkpoints,
    wish.stream,
    wish.log2_examples,
  );
  const chosen = curves.filter(
    ({ init, stream }) => (state.init === "both" || init === state.init) && stream === state.stream,
  );
  const rows = chosen.flatMap((curve) => rowsAt(curve, state.log2_examples));
  available.windows = unique(rows.map(({ window }) => window)).sort((a, b) => a - b);
  const distance = (window) => Math.abs(window - wish.log2_window);
  [state.log2_window] = [...available.windows].sort((a, b) => distance(a) - distance(b));
  return { state, available, chosen };
}

/** Find what the state shows: chosen curves, the others of the model, and the linear ones. */
function readPdView(data, wish) {
  const { state, available, chosen } = settleState(data, wish);
  const related = data.curves.filter(
    ({ model, stream }) =>
      stream === state.stream && (model === state.model || model === data.linear),
  );
  const inits = new Set(chosen.map(({ init }) => init));
  const linear = related.filter(({ model }) => model === data.linear && model !== state.model);
  const alike = linear.filter(({ init }) => inits.has(init));
  const count = { same: 0, distinct: 0 };
  // Initial weights decide the style, so that a curve keeps it when others join.
  const style = ({ init }) => INITS.indexOf(init) + INITS.length * count[init]++;
  const series = [
    ...related
      .filter((curve) => curve.model === state.model && !chosen.includes(curve))
      .map((curve) => ({ curve, kind: "other" })),
    ...(alike.length ? alike : linear).map((curve) => ({ curve, kind: "reference" })),
    ...chosen.map((curve) => ({ curve, kind: "chosen", style: style(curve) })),
  ]
    .map((one) => ({ ...one, rows: rowsAt(one.curve, state.log2_examples) }))
    .filter(({ rows }) => rows.length > 0);
  return { state, available, chosen, related, series };
}

/** Show a number of any size in few digits. */
function shortNumber(value) {
  if (value === 0) return "0";
  return value >= 0.001 && value < 1000 ? value.toPrecision(3) : scientific(value, 2);
}

/** Name the settings that the chosen curves share. */
function describeChoice({ model, activation, beta, optimizer }) {
  const bend = activation && (beta === null ? activation : `${activation} (β ${beta})`);
  return [model, bend, optimizer].filter(Boolean).join(", ");
}

/** Spell out the measures of a point. */
function describeRow({ pd, low, high, loss }) {
  return (
    `PD ${shortNumber(pd)} (interval ${shortNumber(low)} to ${shortNumber(high)}), ` +
    `excess loss ${shortNumber(loss)} nats`
  );
}

/** Say in words what the picked window gives. */
function pdSentence(data, { state, available, chosen }) {
  const { log2_window: window, log2_examples: examples } = state;
  const at = available.windows.indexOf(window) + 1;
  const sentences = [
    `${describeChoice(chosen[0])}; window ${powerOfTwo(window)} mini-batches ` +
      `(point ${at} of ${available.windows.length}); after ${powerOfTwo(examples)} examples.`,
  ];
  for (const curve of chosen) {
    const row = rowsAt(curve, examples).find((candidate) => candidate.window === window);
    const init = curve.init === "same" ? "Same init" : "Distinct init";
    sentences.push(`${init} (${curve.name}): ${row ? describeRow(row) : "no run"}.`);
  }
  if (window + data.log2_batch > examples) {
    sentences.push(
      `A window holds ${powerOfTwo(window + data.log2_batch)} examples: after ${powerOfTwo(examples)}, the two ` +
        "models have not seen the same ones.",
    );
  }
  return sentences.join(" ");
}

/** The attributes of a series' line; distinct initial weights are dashed. */
function pdLine({ curve, kind, style }) {
  if (kind === "chosen") return seriesStyle(style);
  const dash = SERIES_DASHES[INITS.indexOf(curve.init)];
  const name = kind === "reference" ? "sw-reference" : "sw-faint";
  return { class: `sw-line ${name}`, "stroke-dasharray": dash };
}

/** The marker of a series' points; distinct initial weights are diamonds. */
function pdMarker({ curve, style }, x, y) {
  const attributes = { class: "sw-dot", fill: seriesStyle(style).stroke };
  if (curve.init === "same") return svg("circle", { ...attributes, cx: x, cy: y, r: 5 });
  return svg("path", { ...attributes, d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` });
}

const WINDOW_AXIS = {
  part: "window-plot",
  label: "Relative PD against the shuffling window",
  title: "log2 z (windows of z mini-batches)",
  value: ({ window }) => window,
  makeScale({ related, state }, range) {
    const rows = related.flatMap((curve) => rowsAt(curve, state.log2_examples));
    const windows = rows.map(({ window }) => window);
    const scale = linearScale([Math.min(...windows), Math.max(...windows)], range);
    const own = unique(windows).sort((a, b) => a - b);
    // The numbers are short, and so twice as many have room.
    scale.ticks = (count) =>
      own.length <= 2 * count ? own : ticks(scale.domain, count).filter(Number.isInteger);
    return scale;
  },
  // Where the windows are far apart, how high one clicks says nothing.
  distance: (dx) => Math.abs(dx),
  hasIntervals: true,
};

const LOSS_AXIS = {
  part: "loss-plot",
  label: "Relative PD against excess loss",
  title: "excess loss (nats), points by log2 z",
  value: ({ loss }) => loss,
  makeScale({ related }, range) {
    const rows = related.flatMap((curve) => curve.rows);
    return logScale(
      rows.map(({ loss }) => loss),
      range,
    );
  },
  distance: Math.hypot,
  hasIntervals: false,
};

/** Make the scales of a plot; they hold for every T, so that switching it compares. */
function pdScales(axis, view, width) {
  const bottom = PD_HEIGHT - PD_MARGIN.bottom;
  const values = view.related.flatMap(({ rows }) =>
    rows.flatMap(({ pd, low, high }) => [pd, low, high]),
  );
  return {
    width,
    bottom,
    x: axis.makeScale(view, [PD_MARGIN.left + 10, width - PD_MARGIN.right]),
    y: logScale(values, [bottom, PD_MARGIN.top]),
  };
}

/** Place the points of all series, in the order in which they are drawn. */
function placePoints(axis, { series }, { x, y }) {
  return series.map((one) => ({
    ...one,
    points: one.rows.map((row) => ({ row, x: x(axis.value(row)), y: y(row.pd) })),
  }));
}

/** Draw a series: its line, and for a chosen one its markers and intervals. */
function drawSeries(axis, one, { y }) {
  const { kind, points } = one;
  const line = polyline(
    points.map((point) => [point.x, point.y]),
    pdLine(one),
  );
  if (kind !== "chosen") {
    // A line of one point shows nothing, and so every point has a short one of its own.
    const stubs = points.map((point) => {
      const at = { x1: point.x - 3, x2: point.x + 3, y1: point.y, y2: point.y };
      return svg("line", { ...pdLine(one), "stroke-dasharray": "none", ...at });
    });
    return svg("g", {}, line, ...stubs);
  }
  const { stroke } = seriesStyle(one.style);
  const bars = points.map(({ row, x }) =>
    svg("line", { class: "sw-interval", stroke, x1: x, x2: x, y1: y(row.low), y2: y(row.high) }),
  );
  const markers = points.map((point) => pdMarker(one, point.x, point.y));
  return svg("g", {}, line, ...(axis.hasIntervals ? bars : []), ...markers);
}

/** Move ascending heights apart to a least distance, as much up as down, but not below an end. */
function spreadHeights(heights, least, end) {
  const down = [];
  for (const height of heights) down.push(Math.max(height, (down.at(-1) ?? -least) + least));
  const up = [];
  for (const height of [...heights].reverse()) {
    up.unshift(Math.min(height, (up[0] ?? Infinity) - least));
  }
  const limit = (at) => end - least * (heights.length - 1 - at);
  return heights.map((_, at) => Math.min((down[at] + up[at]) / 2, limit(at)));
}

/** Name the points of a series by their windows, beside them and apart from each other. */
function drawLabels({ points, style }, { bottom }) {
  // Two curves at one loss have their labels on either side.
  const side = style % INITS.length === 0 ? 1 : -1;
  const sorted = [...points].sort((a, b) => a.y - b.y);
  const heights = spreadHeights(
    sorted.map((point) => point.y),
    14,
    bottom,
  );
  const labels = sorted.flatMap((point, at) => {
    const [x, y] = [point.x + side * 13, heights[at]];
    const anchor = side > 0 ? "start" : "end";
    const text = { class: "sw-mark-name", x, y, dy: "0.32em", "text-anchor": anchor };
    const leader = { class: "sw-leader", x1: point.x, y1: point.y, x2: x - side * 2, y2: y };
    const moved = Math.abs(y - point.y) > 3 ? [svg("line", leader)] : [];
    return [...moved, svg("text", text, String(point.row.window))];
  });
  return svg("g", {}, ...labels);
}

/** Build one of the two plots; `show(view)` draws it. */
function pdPlot(axis, { onpick, onhover }) {
  const attributes = { class: "sw-plot", tabindex: 0, role: "application" };
  const element = part("div", axis.part, {
    ...attributes,
    "aria-label": `${axis.label}; arrow keys step through the windows`,
  });
  let placed = [];

  const plot = widthFitted(element, (view, width) => {
    const scales = pdScales(axis, view, width);
    placed = placePoints(axis, view, scales);
    const chosen = placed.filter(({ kind }) => kind === "chosen");
    const picked = chosen.flatMap(({ points }) =>
      points.filter(({ row }) => row.window === view.state.log2_window),
    );
    const { x, y, bottom } = scales;
    const right = width - PD_MARGIN.right;
    return [
      svg(
        "svg",
        { width, height: PD_HEIGHT, "aria-hidden": "true" },
        xAxis(x, { top: PD_MARGIN.top, bottom, title: axis.title }),
        yAxis(y, { left: PD_MARGIN.left, right, title: "relative PD (fraction)" }),
        ...placed.map((one) => drawSeries(axis, one, scales)),
        ...(axis.hasIntervals ? [] : chosen.map((one) => drawLabels(one, scales))),
        ...picked.map((point) =>
          svg("circle", { class: "sw-ring", cx: point.x, cy: point.y, r: 10 }),
        ),
      ),
    ];
  });

  /** Find the nearest of the placed points to the pointer. */
  function nearest(event, series, distance) {
    const [pointerX, pointerY] = pointerIn(element, event);
    const found = series.flatMap(({ curve, points }) =>
      points.map(({ row, x, y }) => ({
        curve,
        row,
        distance: distance(pointerX - x, pointerY - y),
      })),
    );
    return found.sort((a, b) => a.distance - b.distance)[0];
  }

  element.addEventListener("click", (event) => {
    const chosen = placed.filter(({ kind }) => kind === "chosen");
    const hit = nearest(event, chosen, axis.distance);
    if (hit) onpick(hit.row.window);
  });
  element.addEventListener("pointermove", (event) => {
    // The chosen curves lie on top, and so win where several are equally near.
    const hit = nearest(event, [...placed].reverse(), Math.hypot);
    onhover(hit && hit.distance <= 14 ? hit : null);
  });
  element.addEventListener("pointerleave", () => onhover(null));
  const move = (step) => () => {
    const { available, state } = plot.shown();
    const at = available.windows.indexOf(state.log2_window);
    onpick(available.windows[clamp(at + step, 0, available.windows.length - 1)]);
  };
  onKeys(element, {
    ArrowRight: move(1),
    ArrowUp: move(1),
    ArrowLeft: move(-1),
    ArrowDown: move(-1),
    Home: move(-Infinity),
    End: move(Infinity),
  });
  return plot;
}

/** Explain the lines that the plots show. */
function pdLegend({ series }) {
  const line = (one) => lineSwatch(pdLine(one));
  const entries = series
    .filter(({ kind }) => kind === "chosen")
    .map((one) => legendEntry(svg("g", {}, line(one), pdMarker(one, 13, 6)), one.curve.name));
  for (const one of series.filter(({ kind }) => kind === "reference")) {
    entries.push(legendEntry(line(one), `${one.curve.name} (reference)`));
  }
  const other = series.find(({ kind }) => kind === "other");
  if (other) entries.push(legendEntry(line(other), "other curves of this model"));
  return entries;
}

/** Tabulate all curves that the plots show, at the picked window. */
function pdTable({ state, series }) {
  const kinds = { chosen: "chosen", reference: "reference", other: "" };
  const order = Object.keys(kinds);
  const sorted = [...series].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const rows = sorted.map(({ curve, kind, rows: all }) => {
    const row = all.find(({ window }) => window === state.log2_window);
    const name = kinds[kind] ? `${curve.name} (${kinds[kind]})` : curve.name;
    if (!row) return [name, "–", "–", "–"];
    const interval = `${shortNumber(row.low)} to ${shortNumber(row.high)}`;
    return [name, shortNumber(row.pd), interval, shortNumber(row.loss)];
  });
  const caption =
    `All curves of the plots at window ${powerOfTwo(state.log2_window)}, ` +
    `after ${powerOfTwo(state.log2_examples)} examples`;
  return table("curves", caption, ["Curve", "PD", "Interval", "Excess loss (nats)"], rows);
}

/** Compare the weights of the two models: how many, and how far apart at most and on average. */
function compareWeights({ shape, values }) {
  const n = shape[1];
  const gaps = Array.from({ length: n }, (_, i) => Math.abs(values[i] - values[n + i]));
  const largest = gaps.reduce((best, gap, i) => (gap > gaps[best] ? i : best), 0);
  const square = mean(gaps.map((gap) => gap ** 2));
  return { n, largest, gap: gaps[largest], rms: Math.sqrt(square) };
}

/** The range of a curve's weights in all its windows, zero and the truth included. */
function weightDomain({ weights }, truth) {
  const domain = [0, 0];
  for (const values of [...[...weights.values()].map((kept) => kept.values), truth ?? []]) {
    for (const value of values) {
      domain[0] = Math.min(domain[0], value);
      domain[1] = Math.max(domain[1], value);
    }
  }
  return withAir(domain);
}

/** The marks of the weights: commands of a path around a point, `size` pixels to each side. */
const WEIGHT_MARKS = {
  "weights-a": (x, y) => `M${x} ${y}h0`,
  "weights-b": (x, y, size) =>
    `M${x - size} ${y - size}l${2 * size} ${2 * size}m${-2 * size} 0l${2 * size} ${-2 * size}`,
  truth: (x, y, size) => `M${x - size} ${y}h${2 * size}`,
};

/** Sizes of the marks, and how far the two models' stand side by side, by the room they have. */
function weightSizes(room) {
  const isCrowded = room < 3;
  return {
    isCrowded,
    shift: room < 14 ? 0 : 3,
    "weights-a": 0,
    "weights-b": isCrowded ? 1.5 : 3.5,
    truth: clamp(Math.floor(room / 2), 3, 8),
  };
}

/** Draw one kind of mark as a single path: a network may have thousands of weights. */
function weightMarks(kind, values, { x, y }, sizes) {
  const shift = { "weights-a": -sizes.shift, "weights-b": sizes.shift, truth: 0 }[kind];
  const commands = Array.from(values, (value, i) => {
    const [left, top] = [x(i + 1) + shift, y(value)].map((pixel) => Number(pixel.toFixed(1)));
    return WEIGHT_MARKS[kind](left, top, sizes[kind]);
  });
  const crowded = sizes.isCrowded ? " sw-crowded" : "";
  return svg("path", { class: `sw-${kind}${crowded}`, d: commands.join("") });
}

/** Draw the weights of both models, and the truth, by index. */
function drawWeights(curve, { shape, values }, truth, width) {
  const n = shape[1];
  const height = 250;
  const bottom = height - PD_MARGIN.bottom;
  const right = width - 14;
  const x = linearScale([1, n], [PD_MARGIN.left + 10, right - 8]);
  x.ticks = (count) => ticks(x.domain, count).filter((tick) => tick >= 1 && tick % 1 === 0);
  const y = linearScale(weightDomain(curve, truth), [bottom, PD_MARGIN.top]);
  y.ticks = (count) => ticks(y.domain, 1.5 * count);
  const sizes = weightSizes(x(2) - x(1));
  const marks = (kind, numbers) => weightMarks(kind, numbers, { x, y }, sizes);
  const zero = { class: "sw-zero", x1: PD_MARGIN.left, x2: right, y1: y(0), y2: y(0) };
  return svg(
    "svg",
    { width, height, role: "img", "aria-label": `Weights of both models of ${curve.name}` },
    xAxis(x, { top: PD_MARGIN.top, bottom, title: "index of the weight" }),
    yAxis(y, { left: PD_MARGIN.left, right, title: "weight" }),
    svg("line", zero),
    marks("truth", truth ?? []),
    marks("weights-a", values.subarray(0, n)),
    marks("weights-b", values.subarray(n)),
  );
}

/** Say how the weights of the two models differ, or that they were not kept. */
function weightsSentence(curve, { log2_window: window, log2_examples: examples }) {
  const kept = curve.weights.get(window);
  if (!kept) {
    const windows = [...curve.weights.keys()].map((other) => `${powerOfTwo(other)}`);
    return windows.length
      ? `The weights at window ${powerOfTwo(window)} were not kept; those at ${windows.join(", ")} were.`
      : "The weights of this model were not kept.";
  }
  const { n, largest, gap, rms } = compareWeights(kept);
  const early = examples < curve.stream ? `, not after ${powerOfTwo(examples)}` : "";
  return (
    `Window ${powerOfTwo(window)}, after all ${powerOfTwo(curve.stream)} examples${early}: ${counted(n, "weight")} a ` +
    `model. The two models' differ by ${shortNumber(rms)} (root mean square), at most by ` +
    `${shortNumber(gap)} (weight ${largest + 1}).`
  );
}

/** Build the panel of weights; `show(view)` fills it. */
function weightsPanel(data) {
  const entry = (kind, text) => {
    const mark = WEIGHT_MARKS[kind](13, 6, weightSizes(Infinity)[kind]);
    return legendEntry(svg("path", { class: `sw-${kind}`, d: mark }), text);
  };

  function section(curve, state, width) {
    const truth = curve.model === data.linear ? data.truth : null;
    const kept = curve.weights.get(state.log2_window);
    const about = part("p", "weights-about", {}, weightsSentence(curve, state));
    const parts = [html("h4", {}, `Weights of one pair, ${curve.name}`), about];
    if (kept) {
      const entries = [entry("weights-a", "first model"), entry("weights-b", "second model")];
      if (truth) entries.push(entry("truth", "truth"));
      parts.push(html("div", { class: "sw-legend" }, ...entries));
      parts.push(drawWeights(curve, kept, truth, width));
    }
    return html("section", {}, ...parts);
  }

  return widthFitted(part("div", "weights"), ({ chosen, state }, width) =>
    chosen.map((curve) => section(curve, state, width)),
  );
}

/** Show a power of two, also in round decimals. */
function compactPower(exponent) {
  const round = (2 ** exponent).toLocaleString("en", { notation: "compact" });
  return `${powerOfTwo(exponent)} (${round})`;
}

/** Show a power of two, also written out. */
function writtenPower(exponent) {
  return `${powerOfTwo(exponent)} = ${(2 ** exponent).toLocaleString("en")}`;
}

/** Build the controls; `sync(view)` shows the current state in them. */
function pdControls(data, summary, onchange) {
  const every = (key) => unique(data.curves.map((curve) => curve[key])).filter((v) => v !== null);
  const all = Object.fromEntries(NARROWING.map((key) => [key, every(key)]));
  all.beta.sort((a, b) => a - b);
  all.init = [...INITS, "both"];
  const labels = {
    model: "Model",
    activation: "Activation",
    beta: "β",
    optimizer: "Optimizer",
    init: "Initial weights",
  };
  const selects = Object.fromEntries(
    Object.keys(labels).map((key) => {
      const parse = key === "beta" ? Number : String;
      return [key, choice(key, [], (value) => onchange({ [key]: parse(value) }))];
    }),
  );
  let [checkpoints, windows] = [[], []];
  const goTo = (at) => onchange({ stream: checkpoints[at][0], log2_examples: checkpoints[at][1] });
  const checkpoint = slider("examples", { min: 0 }, goTo);
  const play = player({
    at: () => Number(checkpoint.input.value),
    last: () => checkpoints.length - 1,
    go: goTo,
    summary,
  });
  const windowSlider = slider("window", { min: 0 }, (at) => onchange({ log2_window: windows[at] }));

  function sync({ state, available }) {
    for (const [key, select] of Object.entries(selects)) {
      const offered = available[key];
      const options = all[key].map((value) => [value, String(value), !offered.includes(value)]);
      setOptions(select, offered.length ? options : [["", "none"]]);
      select.disabled = offered.length === 0;
      select.value = offered.length ? state[key] : "";
    }
    ({ checkpoints, windows } = available);
    const isOneStream = checkpoints.every(([stream]) => stream === state.stream);
    checkpoint.input.max = checkpoints.length - 1;
    checkpoint.input.value = checkpoints.findIndex(
      ([stream, examples]) => stream === state.stream && examples === state.log2_examples,
    );
    const examplesText = isOneStream
      ? compactPower(state.log2_examples)
      : `${powerOfTwo(state.log2_examples)} of ${powerOfTwo(state.stream)}`;
    checkpoint.input.setAttribute("aria-valuetext", `${examplesText} examples`);
    setText(checkpoint.shown, examplesText);
    const { input, shown } = windowSlider;
    input.max = windows.length - 1;
    input.value = windows.indexOf(state.log2_window);
    input.disabled = windows.length === 1;
    const text = writtenPower(state.log2_window);
    input.setAttribute("aria-valuetext", `${text} mini-batches`);
    setText(shown, text);
  }

  const settings = Object.entries(selects).map(([key, select]) => field(labels[key], select));
  const element = html(
    "div",
    { class: "sw-controls" },
    ...settings,
    field("Examples seen, T", checkpoint.element),
    play.element,
    field("Window z, in mini-batches", windowSlider.element),
  );
  return { element, sync, stop: play.pause };
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = readPdData(model.get("data"));
  const read = () => readState(model, STATE);
  const summary = summaryLine();
  const legend = html("div", { class: "sw-legend" });
  const hover = part("p", "hover", { "aria-hidden": "true" });
  const curves = html("div");
  let isWriting = false;

  // A reader's choice is written with all that follows from it, and then shown once.
  function onchange(changes) {
    const { state } = settleState(data, { ...read(), ...changes });
    isWriting = true;
    for (const name of STATE) model.set(name, state[name]);
    model.save_changes();
    isWriting = false;
    show();
  }

  const onpick = (window) => onchange({ log2_window: window });
  const onhover = (hit) => {
    const text =
      hit && `${hit.curve.name}, window ${powerOfTwo(hit.row.window)}: ${describeRow(hit.row)}`;
    setText(hover, text ?? "");
  };
  const controls = pdControls(data, summary, onchange);
  const plots = [WINDOW_AXIS, LOSS_AXIS].map((axis) => pdPlot(axis, { onpick, onhover }));
  const weights = weightsPanel(data);

  function show() {
    if (isWriting) return;
    const view = readPdView(data, read());
    controls.sync(view);
    setText(summary, pdSentence(data, view));
    legend.replaceChildren(...pdLegend(view));
    curves.replaceChildren(pdTable(view));
    for (const plot of plots) plot.show(view);
    weights.show(view);
  }

  const columns = html("div", { class: "sw-columns" }, ...plots.map(({ element }) => element));
  const sections = [controls.element, summary, legend, columns, hover, weights.element, curves];
  el.append(root("pd-explorer", "PD explorer", ...sections));
  const unobserve = observe(model, STATE, show);
  show();
  return stopAll(unobserve, controls.stop, ...plots.map(({ stop }) => stop), weights.stop);
}

const widget = { render };
export default widget;
