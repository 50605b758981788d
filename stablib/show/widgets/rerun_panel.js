// Rerun panel: an experiment with other parameters, in the kernel; without one, the command that
// runs it. common.js stands in front.

/** Show an effect with its interval. */
function effectText(numbers) {
  const [value, low, high] = numbers.map((number) => fixed(number, 1));
  return `${value} [${low}, ${high}]`;
}

/** Name the values that differ from those at the start. */
function changesText(parameters, values) {
  const changed = parameters.filter(({ name, value }) => values[name] !== value);
  return changed.map(({ name }) => `${name} ${values[name]}`).join(", ") || "as at the start";
}

/** Write the command that runs it in a terminal. */
function commandText({ command, parameters }, values) {
  return [command, ...parameters.map(({ name }) => `--param ${name}=${values[name]}`)].join(" ");
}

/** Build the inputs; `sync(values)` shows the values in them. */
function parameterInputs(model, parameters) {
  const problems = problemLine();
  const inputs = parameters.map(({ name, low, high, whole, help }) => {
    const described = { name, title: name, range: [low, high], whole, help };
    const made = numberInput(described, problems, (value) =>
      write(model, "values", { ...model.get("values"), [name]: value }),
    );
    return { name, ...made };
  });
  const fields = inputs.map(({ name, input }) => field(name, input));
  const sync = (values) => {
    for (const { name, show } of inputs) show(values[name]);
  };
  const row = html("div", { class: "sw-controls" }, ...fields);
  return { element: html("div", {}, row, problems.element), sync };
}

/** Tabulate what came out, the published result last. */
function triesTable({ parameters, published, effect }, tries) {
  const all = [...tries];
  if (published) all.push({ ...published, number: "published" });
  if (all.length === 0) return [];
  const methods = unique(all.flatMap(({ effects }) => Object.keys(effects)));
  const cell = ({ effects }, method) => (effects[method] ? effectText(effects[method]) : "");
  const rows = all.map((one) => [
    String(one.number),
    ...methods.map((method) => cell(one, method)),
    one.values ? changesText(parameters, one.values) : "",
    one.about,
  ]);
  return [table("tries", effect, ["Try", ...methods, "Changed", "Made with"], rows)];
}

/** What a page with a kernel offers: to train there. */
function trainingRow(model) {
  // With the values: what was typed last may still wait for the kernel's answer to what stood there.
  const ask = (what) => () => model.send({ ask: what, values: model.get("values") });
  const price = button("price", "What will it cost?", ask("price"));
  const train = button("train", "Train", ask("train"));
  const cancel = button("cancel", "Cancel", ask("cancel"));
  const clear = button("clear", "Clear the list", () => write(model, "tries", []));
  const progress = part("progress", "progress", { "aria-label": "Done so far", max: 1, value: 0 });
  const said = summaryLine();
  const problem = part("p", "refusal", { role: "alert" });
  const row = [train, cancel, price, clear, progress];

  function sync() {
    const running = model.get("running");
    train.disabled = price.disabled = running;
    cancel.disabled = !running;
    clear.hidden = model.get("tries").length === 0;
    progress.value = model.get("done");
    // Read out at the end alone, not for every step.
    said.setAttribute("aria-live", running ? "off" : "polite");
    setText(said, model.get("said"));
    setText(problem, model.get("problem"));
  }

  return {
    elements: [html("div", { class: "sw-controls sw-buttons" }, ...row), said, problem],
    sync,
  };
}

/** What a page without a kernel offers: the command, and a page that trains by itself. */
function commandRow(model, data) {
  const said = summaryLine();
  const command = part("code", "command");
  const copied = part("span", "copied", { role: "status" });
  const copy = button("copy", "Copy the command", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      setText(copied, "Copied.");
    } catch {
      // Not every page may write there; the reader can.
      getSelection().selectAllChildren(command);
      setText(copied, "Selected, to be copied by hand.");
    }
  });
  const away = part(
    "a",
    "elsewhere",
    { href: data.elsewhere },
    "A page that trains without a kernel",
  );
  const sync = () => {
    setText(said, "This page has no kernel to train with. The command trains with these values:");
    setText(command, commandText(data, model.get("values")));
    setText(copied, "");
  };
  const box = html("pre", { tabindex: 0, role: "region", "aria-label": "Command" }, command);
  const row = html("div", { class: "sw-controls sw-buttons" }, copy, copied);
  return { elements: [said, box, row, ...(data.elsewhere ? [html("p", {}, away)] : [])], sync };
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const live = typeof model.send === "function";
  const inputs = parameterInputs(model, data.parameters);
  const tries = html("div");
  const desk = live ? trainingRow(model) : commandRow(model, data);
  const note = html("p", { class: "sw-note" }, data.source);
  const sections = [note, inputs.element, ...desk.elements, tries];
  el.append(root("rerun-panel", "The experiment with other parameters", ...sections));

  // Progress comes several times a second, and must not undo what is being typed.
  const typed = () => inputs.sync(model.get("values"));
  function list() {
    tries.replaceChildren(...triesTable(data, model.get("tries") ?? []));
    desk.sync();
  }
  const stops = [
    observe(model, ["values"], () => {
      typed();
      desk.sync();
    }),
    observe(model, ["running", "done", "said", "problem"], desk.sync),
    observe(model, ["tries"], list),
  ];
  typed();
  list();
  return stopAll(...stops);
}

const widget = { render };
export default widget;
