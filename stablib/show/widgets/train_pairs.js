// Train pairs: two tiny networks a pair, on one stream in different orders, in the page. common.js,
// workers.js and pair_trainer.js stand in front.

const STATE = [
  "hidden",
  "activation",
  "beta",
  "learning_rate",
  "log2_window",
  "same_init",
  "log2_examples",
  "n_pairs",
  "first_seed",
];
const NETWORKS = { 0: "linear", 1: "one hidden unit", 2: "two hidden units" };
const ACTIVATION_TITLES = { relu: "ReLU", smelu: "SmeLU", swish: "Swish", identity: "none" };
const BENT = ["smelu", "swish"];
const PLOT = { height: 320, left: 52, right: 14, top: 28, bottom: 44 };
// log2 of the examples at the first checkpoint.
const FIRST_CHECKPOINT = 8;
const BATCH_SIZE = 32;
const EVALUATED = 4096;

/** Say what network it is. */
function networkText({ hidden, activation, beta }) {
  if (hidden === 0) return NETWORKS[0];
  const bend = BENT.includes(activation) ? ` (β ${beta})` : "";
  return `${NETWORKS[hidden]}, ${ACTIVATION_TITLES[activation]}${bend}`;
}

/** Show a PD in few digits. */
function pdText(value) {
  if (value === 0) return "0";
  return value >= 0.001 ? value.toPrecision(2) : scientific(value, 1);
}

/** log2 of the mini-batches in the whole stream: no window is longer. */
function longestWindow({ log2_examples }) {
  return log2_examples - Math.log2(BATCH_SIZE);
}

/** log2 of the mini-batches of a window: what was asked for ends with the stream. */
function windowOf(state) {
  return Math.min(state.log2_window, longestWindow(state));
}

/** Name the window; of a longer one than the stream, say that this is all. */
function windowText(state) {
  const all = state.log2_window > longestWindow(state) ? ", all of the stream" : "";
  return `${powerOfTwo(windowOf(state))} mini-batches${all}`;
}

/** What the trainer is told, of the state. */
function pairSettings(state) {
  return {
    hidden: state.hidden,
    activation: state.activation,
    beta: state.beta,
    learningRate: state.learning_rate,
    log2Window: windowOf(state),
    sameInit: state.same_init,
    log2Examples: state.log2_examples,
    batchSize: BATCH_SIZE,
    nEvaluated: EVALUATED,
    log2First: FIRST_CHECKPOINT,
  };
}

/** Mean PD over pairs after each number of examples. */
function meanCurve(curves) {
  return curves[0].map((_, at) => mean(curves.map((curve) => curve[at])));
}

/** Build the controls; `sync(state)` shows the current state in them. */
function pairControls(model, data) {
  const problems = problemLine();
  const { offered, ranges } = data;
  const pairs = (values, titles) => values.map((value) => [value, titles[value]]);
  const hidden = choice("network", pairs(offered.hidden, NETWORKS), (value) =>
    write(model, "hidden", Number(value)),
  );
  const activation = choice("activation", pairs(offered.activation, ACTIVATION_TITLES), (value) =>
    write(model, "activation", value),
  );
  const inits = [
    ["true", "the same"],
    ["false", "each their own"],
  ];
  const init = choice("init", inits, (value) => write(model, "same_init", value === "true"));
  const range = (trait, step) => ({ min: ranges[trait][0], max: ranges[trait][1], step });
  const beta = slider("beta", range("beta", 0.1), (value) =>
    write(model, "beta", Number(value.toFixed(1))),
  );
  const rate = slider("learning-rate", range("learning_rate", 0.01), (value) =>
    write(model, "learning_rate", Number(value.toFixed(2))),
  );
  const length = slider("log2-examples", range("log2_examples", 1), (value) =>
    write(model, "log2_examples", value),
  );
  const window = slider("log2-window", { min: 0 }, (value) => write(model, "log2_window", value));
  const count = traitInput(model, "n_pairs", "Pairs", problems);
  const first = traitInput(model, "first_seed", "First seed", problems);
  const bend = field("Activation", activation);
  const steep = field("β", beta.element);

  function sync(state) {
    hidden.value = state.hidden;
    activation.value = state.activation;
    init.value = String(state.same_init);
    window.input.max = longestWindow(state);
    for (const [control, value, text] of [
      [beta, state.beta, state.beta.toFixed(1)],
      [rate, state.learning_rate, state.learning_rate.toFixed(2)],
      [length, state.log2_examples, `${powerOfTwo(state.log2_examples)} examples`],
      [window, windowOf(state), windowText(state)],
    ]) {
      control.input.value = value;
      setText(control.shown, text);
      control.input.setAttribute("aria-valuetext", text);
    }
    count.show(state.n_pairs);
    first.show(state.first_seed);
    bend.hidden = state.hidden === 0;
    steep.hidden = state.hidden === 0 || !BENT.includes(state.activation);
  }

  const element = html(
    "div",
    {},
    html(
      "div",
      { class: "sw-controls" },
      field("Network", hidden),
      bend,
      steep,
      field("Initial weights of a pair", init),
    ),
    html(
      "div",
      { class: "sw-controls" },
      field("Stream", length.element),
      field("Shuffling window", window.element),
      field("Learning rate", rate.element),
    ),
    html(
      "div",
      { class: "sw-controls" },
      field("Pairs", count.input),
      field("First seed", first.input),
    ),
    problems.element,
  );
  return { element, sync };
}

/** Draw mean PD over the examples seen, a line a try; of the latest each pair too. */
function drawPairs({ latest, tries }, width) {
  const { height, left, right, top, bottom } = PLOT;
  const named = tries.map(({ curves, number }) => ({ curve: meanCurve(curves), number }));
  const pairs = latest.filter(Boolean);
  // One that is still going on has no number yet.
  if (pairs.length > 0 && tries[0]?.curves !== latest) {
    named.unshift({ curve: meanCurve(pairs), number: null });
  }
  const all = [...named.flatMap(({ curve }) => curve), ...pairs.flat()];
  const y = logScale(all, [height - bottom, top]);
  const longest = Math.max(0, ...named.map(({ curve }) => curve.length));
  const last = FIRST_CHECKPOINT + Math.max(1, longest - 1);
  const x = linearScale([FIRST_CHECKPOINT, last], [left, width - right]);
  x.format = powerOfTwo;
  x.ticks = (count) => ticks(x.domain, count).filter(Number.isInteger);
  const points = (curve) => curve.map((value, at) => [x(FIRST_CHECKPOINT + at), y(value)]);
  const faint = pairs.map((curve) => polyline(points(curve), { class: "sw-line sw-faint" }));
  const lines = named.map(({ curve, number }, index) =>
    svg(
      "g",
      {},
      polyline(points(curve), { ...seriesStyle(index), "data-try": number ?? "now" }),
      svg(
        "text",
        { class: "sw-mark-name", x: points(curve).at(-1)[0] - 4, y: points(curve).at(-1)[1] - 8 },
        number ?? "",
      ),
    ),
  );
  const said = named.map(({ curve, number }) => `try ${number ?? "now"}: ${pdText(curve.at(-1))}`);
  return [
    svg(
      "svg",
      { width, height, role: "img", "aria-label": `Mean PD at the end, ${said.join("; ")}` },
      xAxis(x, { top, bottom: height - bottom, title: "examples seen" }),
      yAxis(y, { left, right: width - right, title: "relative prediction difference" }),
      ...faint,
      ...lines,
    ),
  ];
}

const OUTCOMES = ["PD, mean", "of pairs from, to"];
const SETTINGS = ["Network", "Initial weights", "Window", "Learning rate", "Examples", "Pairs"];
SETTINGS.push("First seed");

/** The cells of a try. */
function tryCells({ state, curves }) {
  const ends = curves.map((curve) => curve.at(-1));
  return [
    pdText(mean(ends)),
    `${pdText(Math.min(...ends))}, ${pdText(Math.max(...ends))}`,
    networkText(state),
    state.same_init ? "the same" : "own",
    powerOfTwo(windowOf(state)),
    String(state.learning_rate),
    powerOfTwo(state.log2_examples),
    String(state.n_pairs),
    String(state.first_seed),
  ];
}

/** Say what came out. */
function pairsSentence(state, curves, running) {
  const there = curves.filter(Boolean);
  if (there.length === 0) {
    return running
      ? `Training ${counted(state.n_pairs, "pair")}…`
      : "Stopped before the first pair.";
  }
  const done = there.length < curves.length ? `${there.length} of ` : "";
  return (
    `${done}${counted(curves.length, "pair")} of ${networkText(state)}: after ` +
    `${powerOfTwo(state.log2_examples)} examples two models predict ` +
    `${pdText(mean(there.map((curve) => curve.at(-1))))} of the truth apart, on average.`
  );
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const read = () => readState(model, STATE);
  let latest = [];
  let trained = null;
  let running = false;

  const controls = pairControls(model, data);
  const start = button("again", "", () => train());
  const desk = trainingDesk(PAIRS, makePairs, [start], { onresult, onend });
  const summary = summaryLine();
  const tries = triesList(OUTCOMES, SETTINGS, tryCells, () => show());
  const plot = widthFitted(part("div", "plot", { class: "sw-plot" }), drawPairs);

  function train() {
    trained = read();
    latest = new Array(trained.n_pairs).fill(null);
    running = true;
    const seeds = Array.from(latest, (_, at) => trained.first_seed + at);
    desk.begin({ model: data.model, settings: pairSettings(trained) }, seeds);
    show();
  }

  function onresult(seed, curve) {
    latest[seed - trained.first_seed] = curve;
    show();
  }

  function onend(finished) {
    running = false;
    if (finished) tries.add({ state: trained, curves: latest });
    show();
  }

  function show() {
    // Read out at the end alone, not for every pair.
    summary.setAttribute("aria-live", running ? "off" : "polite");
    setText(summary, pairsSentence(trained, latest, running));
    plot.show({ latest, tries: tries.all() });
  }

  function sync() {
    const state = read();
    controls.sync(state);
    setText(start, `Train ${counted(state.n_pairs, "pair")}`);
  }

  const note = html(
    "p",
    { class: "sw-note" },
    `Both models of a pair learn the same examples from ${data.model.chances.length} binary ` +
      `features, in one pass, in mini-batches of ${BATCH_SIZE}, by AdaGrad; each meets them in an ` +
      "order of its own, shuffled inside " +
      "windows. Thin lines: pairs of the latest try; the others: means of tries by their number. " +
      `Compared on ${EVALUATED.toLocaleString("en")} other examples. All is computed here, in this page.`,
  );
  const sections = [controls.element, desk.element, summary, plot.element, tries.element, note];
  el.append(root("train-pairs", "Pairs of networks that train in this page", ...sections));
  const stop = observe(model, STATE, sync);
  sync();
  train();
  return stopAll(stop, plot.stop, desk.stop);
}

const widget = { render };
export default widget;
