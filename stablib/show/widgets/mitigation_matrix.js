// Mitigation matrix: every method on every workload. common.js stands in front.

const STATE = ["sort", "workload", "method"];
const DOTS = { left: 44, right: 14, top: 26, height: 92 };

/** Write a number with a sign and a fixed number of digits. */
function signed(value, digits) {
  const sign = value < 0 ? "−" : "+";
  return `${sign}${Math.abs(value).toFixed(digits)}`;
}

/** Write a number whose minus sign is as wide as a plus sign. */
function plain(value, digits) {
  return value.toFixed(digits).replace("-", "−");
}

/** Say what a cell's interval allows: that the method helps, harms, or neither. */
function verdictOf({ reduction, low, high }) {
  if (reduction === null || low === null) return "undefined";
  if (low > 0) return "less";
  return high < 0 ? "more" : "undecided";
}

const VERDICT_WORDS = {
  less: "two runs differ less",
  more: "two runs differ more",
  undecided: "undecided",
  undefined: "no interval",
};
const VERDICT_MARKS = { less: "▼", more: "▲", undecided: "◇", undefined: "" };

/** Write a cell's reduction. */
function reductionText({ reduction }) {
  return reduction === null ? "–" : `${plain(reduction, 0)}\u00a0%`;
}

/** Put the methods in the chosen order: by their reduction on a workload, empty cells last. */
function arrangeMethods(data, sort) {
  const names = data.methods.map(({ name }) => name);
  if (!sort) return names;
  const value = (name) => data.cells[sort][name].reduction ?? Number.NEGATIVE_INFINITY;
  return names.sort((a, b) => value(b) - value(a));
}

/** Say in words what the open cell holds. */
function matrixSentence(data, { workload, method }) {
  const cell = data.cells[workload][method];
  if (cell.reason) return `${method}, ${workload}: empty, ${cell.reason}.`;
  const cost = data.methods.find(({ name }) => name === method).cost;
  const interval = cell.low === null ? "" : ` [${plain(cell.low, 0)}, ${plain(cell.high, 0)}]`;
  return (
    `${method}, ${workload}: two runs differ on ${cell.disagreement.toFixed(1)}\u00a0% of the ` +
    `examples, ${reductionText(cell)}${interval} less than plain ones (${VERDICT_WORDS[verdictOf(cell)]}); ` +
    `accuracy ${signed(cell.gain, 1)} points; ${counted(cell.accuracies.length, "run")}; ` +
    `trainings a prediction: ${cost}.`
  );
}

/** Draw the accuracy of each run as a dot on one axis. */
function drawRuns({ cell }, width) {
  const plot = svg("svg", { width, height: DOTS.height, role: "img" });
  const text = cell.accuracies.map((value) => value.toFixed(1)).join(", ");
  plot.setAttribute("aria-label", `Accuracy of each run in percent: ${text}`);
  const ends = [Math.min(...cell.accuracies), Math.max(...cell.accuracies)];
  const scale = linearScale(withAir(ends), [DOTS.left, width - DOTS.right]);
  const [top, bottom] = [DOTS.top, DOTS.height - 42];
  plot.append(xAxis(scale, { top, bottom, title: "accuracy of each run (%)" }));
  const draw = generator(1);
  for (const value of cell.accuracies) {
    // Spread up and down, so that equal runs do not hide each other.
    const cy = top + 4 + draw() * (bottom - top - 8);
    plot.append(svg("circle", { class: "sw-run-dot", cx: scale(value), cy, r: 3.5 }));
  }
  return [plot];
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
  const rows = new Map(data.methods.map(({ name }) => [name, row(name)]));

  function row(method) {
    const cells = data.workloads.map((workload) => {
      const cell = data.cells[workload][method];
      const verdict = cell.reason ? "empty" : verdictOf(cell);
      const text = cell.reason ? "–" : `${reductionText(cell)} ${VERDICT_MARKS[verdict]}`;
      const made = button("cell", text, () => onopen(workload, method));
      made.dataset.verdict = verdict;
      made.dataset.workload = workload;
      made.dataset.method = method;
      const said = cell.reason ? "empty" : `${reductionText(cell)}, ${VERDICT_WORDS[verdict]}`;
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
    body.append(...arrangeMethods(data, state.sort).map((method) => rows.get(method).line));
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
  const runs = widthFitted(part("div", "runs-of-cell"), drawRuns);
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
    "▼ the whole 95 % interval is above 0: two runs differ less; ▲ they differ more; ◇ undecided. " +
      "A head of a column sorts by it, and once more takes the order back. A cell shows its runs.",
  );

  function show() {
    const state = readState(model, STATE);
    const cell = data.cells[state.workload][state.method];
    matrix.show(state);
    setText(summary, matrixSentence(data, state));
    runs.element.hidden = Boolean(cell.reason);
    if (!cell.reason) runs.show({ cell });
  }

  const sections = [matrix.element, summary, runs.element, note];
  el.append(root("mitigation-matrix", "Mitigation matrix", ...sections));
  const stop = observe(model, STATE, show);
  show();
  return stopAll(stop, runs.stop);
}

const widget = { render };
export default widget;
