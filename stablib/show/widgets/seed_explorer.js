// Seed explorer: on which examples do two runs differ? common.js stands in front of this text.

const ORDERS = [
  ["entropy", "LEₘ, highest first"],
  ["text", "text, A to Z"],
  ["position", "position in the data"],
];

/** Decode the arrays of the widget's data. */
function readExplorerData(data) {
  return {
    ...data,
    positions: decodeArray(data.positions).values,
    gold: decodeArray(data.gold).values,
    methods: data.methods.map((method) => ({
      ...method,
      labels: decodeArray(method.labels).values,
      entropy: decodeArray(method.entropy).values,
    })),
    trajectories: data.trajectories.map(({ name, values }) => ({
      name,
      values: decodeArray(values).values,
    })),
  };
}

/** The label that a run of a method gave to an example. */
function labelOf(data, method, row, i) {
  return method.labels[row * data.positions.length + i];
}

/** Name a label, and tell whether it is the gold one. */
function labelText(data, label, i) {
  return data.label_names[label] + (label === data.gold[i] ? " (gold)" : "");
}

/** Count how two runs of a method agree, and list the embedded examples on which they differ. */
function compareRuns(data, method, [rowA, rowB]) {
  const { positions, gold } = data;
  const differing = [];
  const counts = { bothRight: method.omitted_right, onlyA: 0, onlyB: 0 };
  for (let i = 0; i < positions.length; i += 1) {
    const a = labelOf(data, method, rowA, i);
    const b = labelOf(data, method, rowB, i);
    if (a !== b) differing.push(i);
    if (a === gold[i] && b === gold[i]) counts.bothRight += 1;
    else if (a === gold[i]) counts.onlyA += 1;
    else if (b === gold[i]) counts.onlyB += 1;
  }
  const agree = data.n_examples - differing.length;
  return {
    ...counts,
    differing,
    agree,
    bothWrongAlike: agree - counts.bothRight,
    bothWrongApart: differing.length - counts.onlyA - counts.onlyB,
  };
}

/** Count the labels of one example over all runs of a method: `[label, count]`, most first. */
function countLabels(data, method, i) {
  const counts = new Map();
  for (let at = i; at < method.labels.length; at += data.positions.length) {
    counts.set(method.labels[at], (counts.get(method.labels[at]) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

/** Keep the examples that pass search and filter, in the chosen order. */
function arrange(data, method, differing, { search, gold, order }) {
  const wanted = search.trim().toLowerCase();
  const kept = differing.filter(
    (i) =>
      (gold < 0 || data.gold[i] === gold) &&
      (wanted === "" || data.texts[i].toLowerCase().includes(wanted)),
  );
  if (order === "entropy") kept.sort(descendingBy(method.entropy));
  if (order === "text") kept.sort((a, b) => data.texts[a].localeCompare(data.texts[b], "en"));
  return kept;
}

/** Draw the label counts of one method as bars, gold marked in words and by its own colour. */
function labelBars(data, counts, i) {
  const total = data.run_names[0].length;
  return counts.map(([label, count]) => {
    const isGold = label === data.gold[i];
    const bar = html("span", { class: isGold ? "sw-bar sw-bar-gold" : "sw-bar" });
    bar.style.width = `${(100 * count) / total}%`;
    return html(
      "div",
      { class: "sw-bar-row", role: "listitem" },
      html("span", { class: "sw-bar-label" }, labelText(data, label, i)),
      html("span", { class: "sw-bar-track", "aria-hidden": "true" }, bar),
      html("span", { class: "sw-bar-count" }, String(count)),
    );
  });
}

/** Tabulate how often each method gives each label to an example, with its entropy. */
function methodsTable(data, i) {
  const counts = data.methods.map((method) => new Map(countLabels(data, method, i)));
  const total = (label) => counts.reduce((sum, map) => sum + (map.get(label) ?? 0), 0);
  const labels = unique(counts.flatMap((map) => [...map.keys()]));
  labels.sort((a, b) => total(b) - total(a) || a - b);
  const rows = data.methods.map(({ name, entropy }, index) => [
    name,
    ...labels.map((label) => String(counts[index].get(label) ?? 0)),
    entropy[i].toFixed(3),
  ]);
  const header = [
    "Runs that predict",
    ...labels.map((label) => labelText(data, label, i)),
    "LEₘ (nats)",
  ];
  return table("methods-table", "All methods on this example", header, rows);
}

/** Standard deviation of a series. */
function standardDeviation(values) {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** The gold-label probabilities of one example over the kept steps of each trajectory. */
function seriesOf(data, i) {
  const n = data.positions.length;
  return data.trajectories.map(({ name, values }) => ({
    name,
    values: data.steps.map((_, step) => values[step * n + i] / 255),
  }));
}

/** Draw confidence over training at a given width. */
function drawTrajectories(series, steps, width) {
  const height = 230;
  const margin = { left: 36, right: 12, top: 26, bottom: 42 };
  const x = linearScale([steps[0], steps[steps.length - 1]], [margin.left, width - margin.right]);
  const y = linearScale([0, 1], [height - margin.bottom, margin.top]);
  const lines = series.map(({ values }, index) => {
    const points = values.map((value, step) => [x(steps[step]), y(value)]);
    return polyline(points, seriesStyle(index));
  });
  const spoken = series.map(({ name, values }) => `${name} ends at ${values.at(-1).toFixed(2)}`);
  return svg(
    "svg",
    { width, height, role: "img", "aria-label": `Confidence over training: ${spoken.join("; ")}.` },
    xAxis(x, { top: margin.top, bottom: height - margin.bottom, title: "optimization step" }),
    yAxis(y, {
      left: margin.left,
      right: width - margin.right,
      title: "probability of the gold label (fraction)",
    }),
    ...lines,
  );
}

/** Build the trajectory figure; `show(i)` draws one example. */
function trajectoryFigure(data) {
  const legend = html("div", { class: "sw-legend" });
  const plot = widthFitted(part("div", "trajectories"), (series, width) => [
    drawTrajectories(series, data.steps, width),
  ]);
  const entry = ({ name, values }, index) => {
    const [middle, sd] = [mean(values), standardDeviation(values)].map((v) => v.toFixed(2));
    const text = `${name}: mean ${middle}, SD over steps ${sd}`;
    return legendEntry(lineSwatch(seriesStyle(index)), text);
  };
  const show = (i) => {
    const series = seriesOf(data, i);
    legend.replaceChildren(...series.map(entry));
    plot.show(series);
  };
  const title = html("h4", {}, "Confidence over the training of one run");
  return { element: html("section", {}, title, legend, plot.element), show, stop: plot.stop };
}

/** Build the controls; `sync(state)` shows the current state in them. */
function explorerControls(model, data) {
  const rowChoice = (which) =>
    choice(`run-${"ab"[which]}`, [], (value) => {
      const rows = [...model.get("rows")];
      rows[which] = Number(value);
      write(model, "rows", rows);
    });
  const method = methodChoice(model, data.methods);
  const runs = [rowChoice(0), rowChoice(1)];
  const search = part("input", "search", {
    type: "search",
    placeholder: "part of the text",
    oninput: () => write(model, "search", search.value),
  });
  const gold = goldChoice(model, data.label_names);
  const order = choice("order", ORDERS, (value) => write(model, "order", value));
  const sync = (state, methodIndex) => {
    method.value = state.method;
    runs.forEach((select, which) => {
      setOptions(
        select,
        data.run_names[methodIndex].map((name, row) => [row, name]),
      );
      select.value = state.rows[which];
    });
    if (search.value !== state.search) search.value = state.search;
    gold.value = state.gold;
    order.value = state.order;
  };
  return {
    compare: html(
      "div",
      { class: "sw-controls" },
      field("Method", method),
      field("Run A", runs[0]),
      field("Run B", runs[1]),
    ),
    filter: html(
      "div",
      { class: "sw-controls" },
      field("Search", search),
      field("Gold label", gold),
      field("Sort by", order),
    ),
    sync,
  };
}

/** Say in one sentence how the two runs compare. */
function compareSentence(state, [nameA, nameB], data, result) {
  return (
    `${state.method}: ${nameA} and ${nameB} agree on ${result.agree.toLocaleString("en")} of ` +
    `${counted(data.n_examples, "example")} (${percent(result.agree / data.n_examples)}) ` +
    `and differ on ${result.differing.length.toLocaleString("en")}.`
  );
}

/** Tabulate right and wrong of the two runs. */
function agreementTable([nameA, nameB], result) {
  const rows = [
    ["both right", String(result.bothRight)],
    [`only ${nameA} right`, String(result.onlyA)],
    [`only ${nameB} right`, String(result.onlyB)],
    ["both wrong, same label", String(result.bothWrongAlike)],
    ["both wrong, other labels", String(result.bothWrongApart)],
  ];
  return table("agreement", "Agreement of the two runs", ["", "Examples"], rows);
}

/** Build the panel about the picked example; `show(state, methodIndex)` fills it. */
function detailPanel(data) {
  const title = part("h4", "picked-text");
  const about = part("p", "picked-about", { "aria-live": "polite" });
  const barsTitle = html("h4");
  const bars = part("div", "label-counts", { role: "list" });
  const methods = html("div");
  const figure = data.trajectories.length ? trajectoryFigure(data) : null;
  const body = html("div", {}, barsTitle, bars, ...(figure ? [figure.element] : []));
  const element = part("section", "panel", { "aria-label": "Picked example" }, title, about, body);

  function show(state, methodIndex) {
    const i = data.positions.indexOf(state.picked);
    body.hidden = i < 0;
    methods.hidden = i < 0;
    if (i < 0) {
      setText(title, "No example picked");
      setText(about, "The runs of every method agree on this example, or none is picked.");
      return;
    }
    const method = data.methods[methodIndex];
    const counts = countLabels(data, method, i);
    const answers = state.rows.map((row) => {
      const label = labelOf(data, method, row, i);
      return `${data.run_names[methodIndex][row]} says ${data.label_names[label]}`;
    });
    setText(title, data.texts[i]);
    setText(
      about,
      `Gold label ${data.label_names[data.gold[i]]}; ${answers.join(", ")}. ` +
        `LEₘ ${method.entropy[i].toFixed(3)} nats, ${counted(counts.length, "label")} over all runs.`,
    );
    setText(barsTitle, `Labels over ${data.run_names[0].length} runs, ${method.name}`);
    bars.replaceChildren(...labelBars(data, counts, i));
    methods.replaceChildren(methodsTable(data, i));
    figure?.show(i);
  }
  return { element, methods, show, stop: () => figure?.stop() };
}

/** Describe one line of the list: its text, both answers, gold label and entropy. */
function listItem(data, method, rows, i) {
  const [a, b] = rows.map((row) => data.label_names[labelOf(data, method, row, i)]);
  return {
    id: data.positions[i],
    title: data.texts[i],
    detail: `A ${a}, B ${b}; gold ${data.label_names[data.gold[i]]}; LEₘ ${method.entropy[i].toFixed(2)}`,
  };
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = readExplorerData(model.get("data"));
  const controls = explorerControls(model, data);
  const summary = summaryLine();
  const agreement = html("div");
  const listed = part("p", "listed", { "aria-live": "polite" });
  const list = pickList("Examples on which the two runs differ", (id) =>
    write(model, "picked", id),
  );
  const panel = detailPanel(data);
  const names = ["method", "rows", "picked", "search", "gold", "order"];
  const read = () => {
    const state = readState(model, names);
    return { state, methodIndex: data.methods.findIndex(({ name }) => name === state.method) };
  };

  function showDetail() {
    const { state, methodIndex } = read();
    panel.show(state, methodIndex);
    list.mark(state.picked);
  }

  function showAll() {
    const { state, methodIndex } = read();
    const method = data.methods[methodIndex];
    const runNames = state.rows.map((row) => data.run_names[methodIndex][row]);
    const result = compareRuns(data, method, state.rows);
    const kept = arrange(data, method, result.differing, state);
    controls.sync(state, methodIndex);
    setText(summary, compareSentence(state, runNames, data, result));
    agreement.replaceChildren(agreementTable(runNames, result));
    setText(listed, `${kept.length} of ${counted(result.differing.length, "difference")} listed.`);
    list.show(
      kept.map((i) => listItem(data, method, state.rows, i)),
      state.picked,
    );
    showDetail();
  }

  const left = html("div", {}, agreement, controls.filter, listed, list.element);
  const columns = html("div", { class: "sw-columns" }, left, panel.element);
  const sections = [controls.compare, summary, columns, panel.methods];
  el.append(root("seed-explorer", "Seed explorer", ...sections));
  const stops = [
    observe(model, ["method", "rows", "search", "gold", "order"], showAll),
    observe(model, ["picked"], showDetail),
  ];
  showAll();
  return stopAll(...stops, panel.stop);
}

const widget = { render };
export default widget;
