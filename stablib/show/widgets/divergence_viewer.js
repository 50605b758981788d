// Divergence viewer: twins part step by step. common.js stands in front.

const STATE = ["network", "source", "onset", "twin", "point", "example"];
const VIEW_MARGIN = { left: 52, right: 14, top: 28, bottom: 42 };
const TALL = 190;

/** Decode the arrays of the widget's data. */
function readTwins(data) {
  const decoded = (part, keys) =>
    Object.fromEntries(keys.map((key) => [key, decodeArray(part[key]).values]));
  return {
    ...data,
    networks: data.networks.map((network) => ({
      name: network.name,
      unchanged: decoded(network.unchanged, ["loss", "logits"]),
      sources: network.sources.map((source) => ({
        name: source.name,
        onset: source.onset,
        nTwins: source.n_twins,
        ...decoded(source, ["distance", "disagreement", "loss", "logits"]),
      })),
    })),
  };
}

/** Find a network and what differs in it, and from when: the first where it lacks the chosen one. */
function findSource(data, state) {
  const network = data.networks.find(({ name }) => name === state.network);
  const named = network.sources.find(({ name }) => name === state.source) ?? network.sources[0];
  const onsets = network.sources.filter(({ name }) => name === named.name);
  const source = onsets.find(({ onset }) => onset === state.onset) ?? onsets[0];
  return { network, source, onsets: onsets.map(({ onset }) => onset) };
}

/** Say from when twins differ. */
function onsetText(onset) {
  return onset === 1 ? "the beginning" : `epoch ${onset}`;
}

/** Find what the state shows: one twin, its three curves, and its logits of one example now. */
function readTwin(data, state) {
  const { network, source } = findSource(data, state);
  const [nPoints, nClasses] = [data.steps.length, data.label_names.length];
  const curve = (key) => source[key].slice(state.twin * nPoints, (state.twin + 1) * nPoints);
  const size = data.texts.length * nClasses;
  const logitsAt = (values, first) => {
    const start = (first + state.point) * size + state.example * nClasses;
    return Array.from(values.slice(start, start + nClasses));
  };
  return {
    state,
    network: network.name,
    source: source.name,
    onset: source.onset,
    distance: curve("distance"),
    disagreement: curve("disagreement"),
    loss: curve("loss"),
    unchangedLoss: network.unchanged.loss,
    logits: logitsAt(source.logits, state.twin * nPoints),
    unchangedLogits: logitsAt(network.unchanged.logits, 0),
  };
}

/** Place of the largest of some numbers. */
function argmax(values) {
  return values.indexOf(Math.max(...values));
}

/** Show a number that may be tiny. */
function smallText(value) {
  if (value === 0) return "0";
  return value < 0.001 ? value.toExponential(1) : value.toPrecision(2);
}

/** Say in a sentence how far apart the twins are now. */
function divergenceSentence(data, view) {
  const at = view.state.point;
  return (
    `After step ${data.steps[at].toLocaleString("en")}, twin ${view.state.twin + 1} of ` +
    `“${view.source}” from ${onsetText(view.onset)} (${view.network}): weights ${smallText(view.distance[at])} of their size apart, ` +
    `${percent(view.disagreement[at])} of the images get another label, loss ` +
    `${view.loss[at].toFixed(3)} against ${view.unchangedLoss[at].toFixed(3)} nats.`
  );
}

/** Build one chart over the steps; `curves(view)` gives its lines, `title` that of its axis. */
function stepChart(data, name, { title, isLog, curves }, onpoint) {
  const element = part("div", `plot-${name}`, { class: "sw-plot" });
  let scale = null;
  const plot = widthFitted(element, (view, width) => {
    const bottom = TALL - VIEW_MARGIN.bottom;
    const x = logScale(data.steps, [VIEW_MARGIN.left, width - VIEW_MARGIN.right]);
    scale = x;
    const lines = curves(view);
    const all = lines.flatMap((values) => Array.from(values));
    const range = [bottom, VIEW_MARGIN.top];
    const y = isLog
      ? logScale(all, range)
      : linearScale(withAir([0, Math.max(...all) || 1]), range);
    const cursor = x(data.steps[view.state.point]);
    return [
      svg(
        "svg",
        { width, height: TALL, "aria-hidden": "true" },
        xAxis(x, { top: VIEW_MARGIN.top, bottom, title: "optimization step" }),
        yAxis(y, { left: VIEW_MARGIN.left, right: width - VIEW_MARGIN.right, title }),
        svg("line", {
          class: "sw-cursor",
          x1: cursor,
          x2: cursor,
          y1: VIEW_MARGIN.top,
          y2: bottom,
        }),
        ...lines.map((values, index) =>
          polyline(
            Array.from(values, (value, at) => [x(data.steps[at]), y(value)]),
            seriesStyle(index),
          ),
        ),
        ...lines.map((values, index) =>
          svg("circle", {
            class: "sw-now",
            cx: cursor,
            cy: y(values[view.state.point]),
            r: 4.5,
            fill: SERIES_COLOURS[index],
          }),
        ),
      ),
    ];
  });
  element.addEventListener("pointerdown", (event) => {
    if (!scale) return;
    const [pixel] = pointerIn(element, event);
    const far = data.steps.map((step) => Math.abs(scale(step) - pixel));
    onpoint(far.indexOf(Math.min(...far)));
  });
  return plot;
}

/** Tabulate the logits of one example, of the unchanged run and of the twin. */
function logitTable(data, view) {
  const label = (logits) => data.label_names[argmax(logits)];
  const rows = data.label_names.map((name, k) => [
    name,
    fixed(view.unchangedLogits[k], 3),
    fixed(view.logits[k], 3),
    smallText(Math.abs(view.logits[k] - view.unchangedLogits[k])),
  ]);
  const caption =
    `Logits of ${data.texts[view.state.example]}, gold ` +
    `${data.label_names[data.gold[view.state.example]]}: the unchanged run says ` +
    `${label(view.unchangedLogits)}, the twin ${label(view.logits)}`;
  return table("logits", caption, ["class", "unchanged", "twin", "difference"], rows);
}

/** Build the controls; `sync(view)` shows the current state in them. */
function divergenceControls(model, data, summary, onpoint) {
  const names = (parts) => unique(parts.map(({ name }) => name)).map((name) => [name, name]);
  const network = choice("network", names(data.networks), (value) =>
    write(model, "network", value),
  );
  const source = choice("source", [], (value) => write(model, "source", value));
  const onset = choice("onset", [], (value) => write(model, "onset", Number(value)));
  // As many as every source has, so that another source never ends on a twin that is not there.
  const everySource = data.networks.flatMap(({ sources }) => sources);
  const nTwins = Math.min(...everySource.map((one) => one.nTwins));
  const numbers = Array.from({ length: nTwins }, (_, k) => [k, String(k + 1)]);
  const twin = choice("twin", numbers, (value) => write(model, "twin", Number(value)));
  const examples = data.texts.map((text, k) => [k, text]);
  const example = choice("example", examples, (value) => write(model, "example", Number(value)));
  const last = data.steps.length - 1;
  const point = slider("point", { min: 0, max: last }, onpoint);
  const at = () => model.get("point");
  const play = player({ at, last: () => last, go: onpoint, summary });

  function move(by) {
    play.pause();
    onpoint(clamp(model.get("point") + by, 0, last));
  }

  const element = html(
    "div",
    {},
    html(
      "div",
      { class: "sw-controls" },
      field("Network", network),
      field("What differs", source),
      field("From", onset),
      field("Twin", twin),
      field("Image", example),
    ),
    html(
      "div",
      { class: "sw-controls" },
      field("Step", point.element),
      play.element,
      button("back", "Step back", () => move(-1)),
      button("forward", "Step forward", () => move(1)),
    ),
  );
  let [shown, onsets] = [null, null];
  const sync = ({ state }) => {
    const found = findSource(data, state);
    if (found.network.name !== shown) {
      shown = found.network.name;
      setOptions(source, names(found.network.sources));
    }
    if (String(found.onsets) !== onsets) {
      onsets = String(found.onsets);
      setOptions(
        onset,
        found.onsets.map((epoch) => [epoch, onsetText(epoch)]),
      );
    }
    network.value = found.network.name;
    source.value = found.source.name;
    onset.value = found.source.onset;
    onset.disabled = found.onsets.length === 1;
    twin.value = state.twin;
    example.value = state.example;
    point.input.value = state.point;
    const text = data.steps[state.point].toLocaleString("en");
    setText(point.shown, text);
    point.input.setAttribute("aria-valuetext", `step ${text}`);
  };
  return { element, sync, stop: play.pause };
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = readTwins(model.get("data"));
  const onpoint = (value) => write(model, "point", value);
  const summary = summaryLine();
  const controls = divergenceControls(model, data, summary, onpoint);
  const charts = [
    ["distance", { title: "distance of the weights", isLog: true, curves: (v) => [v.distance] }],
    [
      "disagreement",
      {
        title: "images with another label (%)",
        isLog: false,
        curves: (v) => [v.disagreement.map((share) => 100 * share)],
      },
    ],
    ["loss", { title: "loss (nats)", isLog: false, curves: (v) => [v.loss, v.unchangedLoss] }],
  ].map(([name, settings]) => stepChart(data, name, settings, onpoint));
  const legend = html(
    "div",
    { class: "sw-legend" },
    legendEntry(lineSwatch(seriesStyle(0)), "twin"),
    legendEntry(lineSwatch(seriesStyle(1)), "unchanged run"),
  );
  const logits = html("div");

  function show() {
    const view = readTwin(data, readState(model, STATE));
    controls.sync(view);
    setText(summary, divergenceSentence(data, view));
    for (const chart of charts) chart.show(view);
    logits.replaceChildren(logitTable(data, view));
  }

  const side = html("div", {}, charts[2].element, logits);
  const columns = html(
    "div",
    { class: "sw-columns" },
    html("div", {}, charts[0].element, charts[1].element),
    side,
  );
  const sections = [controls.element, summary, legend, columns];
  el.append(root("divergence-viewer", "Divergence viewer", ...sections));
  const unobserve = observe(model, STATE, show);
  show();
  return stopAll(unobserve, controls.stop, ...charts.map(({ stop }) => stop));
}

const widget = { render };
export default widget;
