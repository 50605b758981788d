// Mitigation matrix: every method on every workload. common.js stands in front.

const STATE = ["sort", "workload", "method"];
const DOTS = { left: 44, right: 14, top: 30, bottom: 44, height: 230 };

/** Write a number with a sign and a fixed number of digits. */
function signed(value, digits) {
  const text = fixed(value, digits);
  return text.startsWith("−") ? text : `+${text}`;
}

/** Say what a cell's interval allows: that the method helps, harms, or neither. */
function verdictOf({ reduction, low, high, gain_high: gain, failed }) {
  if (reduction === undefined) return "plain";
  if (failed > 0) return "failed";
  if (reduction === null || low === null) return "undefined";
  if (low > 0) return gain !== null && gain < 0 ? "costly" : "less";
  return high < 0 ? "more" : "undecided";
}

const VERDICT_WORDS = {
  plain: "plain runs",
  failed: "some learnt next to nothing",
  costly: "they differ less, and are less accurate",
  less: "they differ less",
  more: "they differ more",
  undecided: "undecided",
  undefined: "no interval",
};
const VERDICT_MARKS = {
  plain: "",
  failed: "✕",
  costly: "▽",
  less: "▼",
  more: "▲",
  undecided: "◇",
  undefined: "",
};

/** Write a cell's reduction; of plain runs, on how many examples two differ. */
function cellText({ reduction, apart }) {
  if (reduction === undefined) return `${mean(apart).toFixed(1)}\u00a0%`;
  return reduction === null ? "–" : `${fixed(reduction, 0)}\u00a0%`;
}

/** Write the ends of an interval, if there is one. */
function between(low, high, digits) {
  return low === null ? "" : ` [${fixed(low, digits)}, ${fixed(high, digits)}]`;
}

/** Write by how much less, or more, runs differ than plain ones. */
function againstPlain({ reduction, low, high }) {
  if (reduction === null) return "no more and no less";
  const percent = (value, from, to) => `${fixed(value, 0)}\u00a0%${between(from, to, 0)}`;
  if (reduction >= 0) return `${percent(reduction, low, high)} less`;
  return `${low === null ? percent(-reduction, null) : percent(-reduction, -high, -low)} more`;
}

/** Put the methods in the chosen order: by their reduction on a workload, empty cells last. */
function arrangeMethods(data, sort) {
  if (!sort) return data.methods;
  const value = (name) => data.cells[sort][name].reduction ?? Number.NEGATIVE_INFINITY;
  return [...data.methods].sort((a, b) => value(b) - value(a));
}

/** Say in words what the open cell holds. */
function matrixSentence(data, { workload, method }) {
  const cell = data.cells[workload][method];
  if (cell.reason) return `${method}, ${workload}: empty, ${cell.reason}.`;
  const { unit, accuracies, apart } = cell;
  const differ = `${method}, ${workload}: two ${unit}s differ on ${mean(apart).toFixed(1)}\u00a0% of the examples`;
  const count = counted(accuracies.length, unit);
  const verdict = verdictOf(cell);
  if (verdict === "plain") {
    return `${differ}; accuracy ${mean(accuracies).toFixed(1)}\u00a0%; ${count}.`;
  }
  return (
    `${differ}, ${againstPlain(cell)} than plain runs ` +
    `(${VERDICT_WORDS[verdict]}); accuracy ${signed(cell.gain, 1)}` +
    `${between(cell.gain_low, cell.gain_high, 1)} points; ${count}` +
    `${cell.failed ? `, of which ${cell.failed} failed` : ""}; ` +
    `${counted(cell.trainings, "training")} behind a prediction.`
  );
}

/** The least and the largest of some numbers, with air around. */
function reach(values) {
  return withAir([Math.min(...values), Math.max(...values)]);
}

/** Draw each run of a cell, and each plain one, by its accuracy and how far it is from the others. */
function drawRuns({ cell, control }, width) {
  const plot = svg("svg", { width, height: DOTS.height, role: "img" });
  const text = (values) => values.map((value) => value.toFixed(1)).join(", ");
  plot.setAttribute(
    "aria-label",
    `Accuracy of each ${cell.unit} in percent: ${text(cell.accuracies)}; examples on which it ` +
      `differs from another one in percent: ${text(cell.apart)}`,
  );
  const both = (key) => [...control[key], ...cell[key]];
  const [right, top, bottom] = [width - DOTS.right, DOTS.top, DOTS.height - DOTS.bottom];
  const x = linearScale(reach(both("accuracies")), [DOTS.left, right]);
  const y = linearScale(reach(both("apart")), [bottom, top]);
  plot.append(
    xAxis(x, { top, bottom, title: "accuracy (%)" }),
    yAxis(y, { left: DOTS.left, right, title: "examples on which another one differs (%)" }),
  );
  const dots = (of, name) =>
    of.accuracies.map((value, run) =>
      svg("circle", { class: name, cx: x(value), cy: y(of.apart[run]), r: 4 }),
    );
  plot.append(...dots(control, "sw-plain-dot"));
  if (cell !== control) plot.append(...dots(cell, "sw-run-dot"));
  return [plot];
}

/** Build the picture of a cell's runs with its legend; `show({ cell, control, method })` fills it. */
function runsPicture() {
  const fitted = widthFitted(part("div", "runs-of-cell"), drawRuns);
  const legend = html("div", { class: "sw-legend" });
  const element = html("div", {}, fitted.element, legend);
  function show({ cell, control, method }) {
    fitted.show({ cell, control });
    const swatch = (name) => svg("circle", { class: name, cx: 13, cy: 6, r: 4 });
    const entries = [legendEntry(swatch("sw-plain-dot"), "a plain run")];
    if (cell !== control) {
      entries.push(legendEntry(swatch("sw-run-dot"), `one ${cell.unit}: ${method}`));
    }
    legend.replaceChildren(...entries);
  }
  return { element, show, stop: fitted.stop };
}

/** Build the table; `show(state)` fills it. */
function matrixTable(data, { onsort, onopen }) {
  const head = html("tr");
  const body = html("tbody");
  const label = "Methods by workload: by how many percent two runs differ less than plain ones";
  const element = html(
    "div",
    { class: "sw-scroll", tabindex: 0, role: "region", "aria-label": label },
    part("table", "matrix", {}, html("caption", {}, label), html("thead", {}, head), body),
  );
  const sorters = data.workloads.map((workload, at) => {
    const made = button(`sort-${at}`, workload, () => onsort(workload));
    made.title = `Sort by ${workload}`;
    return made;
  });
  head.append(
    html("th", { scope: "col" }, "Method"),
    ...sorters.map((made) => html("th", { scope: "col" }, made)),
  );
  const rows = new Map([data.control, ...data.methods].map((name) => [name, row(name)]));

  function row(method) {
    const cells = data.workloads.map((workload) => {
      const cell = data.cells[workload][method];
      const verdict = cell.reason ? "empty" : verdictOf(cell);
      const text = cell.reason ? "–" : `${cellText(cell)} ${VERDICT_MARKS[verdict]}`;
      const made = button("cell", text, () => onopen(workload, method));
      made.dataset.verdict = verdict;
      made.dataset.workload = workload;
      made.dataset.method = method;
      const said = cell.reason ? "empty" : `${cellText(cell)}, ${VERDICT_WORDS[verdict]}`;
      made.setAttribute("aria-label", `${method}, ${workload}: ${said}`);
      return made;
    });
    const line = html(
      "tr",
      {},
      html("th", { scope: "row" }, method),
      ...cells.map((made) => html("td", {}, made)),
    );
    return { line, cells };
  }

  function show(state) {
    data.workloads.forEach((workload, at) => {
      const isSorted = workload === state.sort;
      sorters[at].parentElement.setAttribute("aria-sort", isSorted ? "descending" : "none");
      sorters[at].setAttribute("aria-pressed", String(isSorted));
    });
    const order = [data.control, ...arrangeMethods(data, state.sort)];
    body.append(...order.map((method) => rows.get(method).line));
    for (const [method, { cells }] of rows) {
      data.workloads.forEach((workload, at) => {
        const isOpen = workload === state.workload && method === state.method;
        cells[at].setAttribute("aria-pressed", String(isOpen));
      });
    }
  }
  return { element, show };
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const summary = summaryLine();
  const runs = runsPicture();
  const matrix = matrixTable(data, {
    onsort: (workload) => write(model, "sort", model.get("sort") === workload ? "" : workload),
    onopen: (workload, method) => {
      write(model, "workload", workload);
      write(model, "method", method);
    },
  });
  const note = html(
    "p",
    { class: "sw-note" },
    "▼ the whole 95 % interval is above 0: two runs differ less; ▽ and are less accurate, by the " +
      "whole interval too; ▲ they differ more; ◇ undecided; ✕ some runs have learnt next to nothing. " +
      "The first row: examples on which two plain runs differ. A head of a column sorts by it, " +
      "and once more takes the order back. A cell shows its runs.",
  );

  function show() {
    const state = readState(model, STATE);
    const of = data.cells[state.workload];
    const cell = of[state.method];
    matrix.show(state);
    setText(summary, matrixSentence(data, state));
    runs.element.hidden = Boolean(cell.reason);
    if (!cell.reason) runs.show({ cell, control: of[data.control], method: state.method });
  }

  const sections = [matrix.element, summary, runs.element, note];
  el.append(root("mitigation-matrix", "Mitigation matrix", ...sections));
  const stop = observe(model, STATE, show);
  show();
  return stopAll(stop, runs.stop);
}

const widget = { render };
export default widget;
