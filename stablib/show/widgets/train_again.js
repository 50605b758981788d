// Train again: networks that train in the page, one a seed. common.js, workers.js and
// head_trainer.js stand in front.

const STATE = [
  "first_seed",
  "n_seeds",
  "vary",
  "method",
  "teacher",
  "temperature",
  "learning_rate",
  "epochs",
];
const METHOD_TITLES = {
  plain: "none",
  TGTSS: "TGTSS",
  SWA: "SWA, last two epochs",
  ASWA: "ASWA",
};
const TEACHER_TITLES = { own: "one for each network", shared: "one for all" };

/** Read the data once: features as numbers. */
function readTask(data) {
  const features = (split) => {
    const { values } = decodeArray(data[split].features);
    if (data.scale === null) return values;
    return Float32Array.from(values, (byte) => data.scale * (byte - 128));
  };
  const task = {
    shape: data.shape,
    features: features("train"),
    labels: decodeArray(data.train.labels).values,
    testFeatures: features("test"),
  };
  return { task, gold: decodeArray(data.test.labels).values };
}

/** What the trainer is told, of the state. */
function settingsOf(state, data) {
  return {
    vary: state.vary,
    method: state.method,
    teacher: state.teacher,
    temperature: state.temperature,
    learningRate: state.learning_rate,
    epochs: state.epochs,
    batchSize: data.batchSize,
    dropoutRate: data.dropoutRate,
  };
}

/** How often each label was given to an example: `[label, count]`, the commonest first. */
function answersTo(runs, example) {
  const counts = new Map();
  for (const labels of runs) counts.set(labels[example], (counts.get(labels[example]) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a - b);
}

/** Label entropy in nats of counts. */
function entropyOf(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => sum - (count / total) * Math.log(count / total), 0);
}

/** Share of pairs of runs that differ, of counts. */
function pairsApart(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const alike = counts.reduce((sum, count) => sum + count * (count - 1), 0);
  return total > 1 ? 1 - alike / (total * (total - 1)) : 0;
}

/** What some runs answer: entropy by example, and means over examples and runs. */
function judge(runs, gold) {
  const counts = Array.from(gold, (_, example) => answersTo(runs, example).map(([, n]) => n));
  const entropies = counts.map(entropyOf);
  const accuracies = runs.map((labels) =>
    mean(Array.from(gold, (g, at) => Number(labels[at] === g))),
  );
  const accuracy = mean(accuracies);
  const squares = accuracies.map((value) => (value - accuracy) ** 2);
  return {
    entropies,
    entropy: mean(entropies),
    apart: mean(counts.map(pairsApart)),
    accuracy,
    // Of the population, as everywhere in the book.
    spread: Math.sqrt(mean(squares)),
    unanimous: counts.filter((one) => one.length === 1).length,
  };
}

/** Say what was trained. */
function settingsText(state) {
  const { method, teacher, temperature } = state;
  const taught = method === "TGTSS" ? `, ${TEACHER_TITLES[teacher]}, T = ${temperature}` : "";
  return method === "plain" ? "plain" : `${method}${taught}`;
}

/** Say which seeds. */
function seedsText({ first_seed, n_seeds }) {
  return `${first_seed} to ${first_seed + n_seeds - 1}`;
}

/** Build the controls; `sync(state)` shows the current state in them. */
function trainControls(model, data) {
  const problems = problemLine();
  const { offered, ranges } = data;
  const count = traitInput(model, "n_seeds", "Networks", problems);
  const first = traitInput(model, "first_seed", "First seed", problems);
  const pairs = (values, titles) => values.map((value) => [value, titles?.[value] ?? value]);
  const rate = choice("learning-rate", pairs(offered.learning_rate), (value) =>
    write(model, "learning_rate", Number(value)),
  );
  const epochs = choice("epochs", pairs(offered.epochs), (value) =>
    write(model, "epochs", Number(value)),
  );
  const method = choice("method", pairs(offered.method, METHOD_TITLES), (value) =>
    write(model, "method", value),
  );
  const teacher = choice("teacher", pairs(offered.teacher, TEACHER_TITLES), (value) =>
    write(model, "teacher", value),
  );
  const [coldest, hottest] = ranges.temperature;
  const temperature = slider("temperature", { min: coldest, max: hottest, step: 0.1 }, (value) =>
    write(model, "temperature", Number(value.toFixed(1))),
  );
  const boxes = offered.vary.map((source) => {
    const box = part("input", `vary-${source.replace(" ", "-")}`, {
      type: "checkbox",
      onchange: () => {
        const chosen = offered.vary.filter((_, at) => boxes[at].checked);
        // At least one: networks that nothing tells apart are one network.
        if (chosen.length > 0) write(model, "vary", chosen);
        else box.checked = true;
        problems.say("vary", chosen.length > 0 ? "" : "The seed must decide something.");
      },
    });
    return box;
  });
  const ofTeacher = [field("Teacher", teacher), field("Its temperature", temperature.element)];

  function sync(state) {
    count.show(state.n_seeds);
    first.show(state.first_seed);
    rate.value = state.learning_rate;
    epochs.value = state.epochs;
    method.value = state.method;
    teacher.value = state.teacher;
    temperature.input.value = state.temperature;
    setText(temperature.shown, state.temperature.toFixed(1));
    boxes.forEach((box, at) => {
      box.checked = state.vary.includes(offered.vary[at]);
    });
    for (const control of ofTeacher) control.hidden = state.method !== "TGTSS";
  }

  const checks = boxes.map((box, at) =>
    html("label", { class: "sw-check" }, box, offered.vary[at]),
  );
  const element = html(
    "details",
    { class: "sw-settings" },
    html("summary", {}, "What the seed decides, and what is done about it"),
    html("fieldset", { class: "sw-controls" }, html("legend", {}, "A seed decides"), ...checks),
    html(
      "div",
      { class: "sw-controls" },
      field("Method", method),
      ...ofTeacher,
      field("Learning rate", rate),
      field("Epochs", epochs),
      field("Networks", count.input),
      field("First seed", first.input),
    ),
    problems.element,
  );
  return { element, sync };
}

/** One square a network, each with the letter of its answer. */
function squares(answers, outcome, before, example, labelNames) {
  return outcome.seeds.map((seed, at) => {
    const labels = outcome.labels.get(seed);
    if (!labels) return html("span", { class: "sw-square sw-waiting" }, "·");
    const place = answers.indexOf(labels[example]);
    const other = before?.labels.get(before.seeds[at]);
    const changed = other !== undefined && other[example] !== labels[example];
    return html(
      "span",
      {
        class: `sw-square sw-answer-${Math.min(place, SERIES_COLOURS.length)}`,
        title: `seed ${seed}: ${labelNames[labels[example]]}`,
        "data-seed": seed,
        "data-changed": changed,
      },
      letterOf(place),
    );
  });
}

/** Letter of the n-th answer to an example. */
function letterOf(place) {
  return place < 26 ? String.fromCharCode(65 + place) : "*";
}

/** Build the panel of one example; `show(...)` fills it. */
function examplePanel(data, gold) {
  const text = part("p", "picked-text");
  const grid = part("div", "squares", { role: "img" });
  const legend = part("ul", "answers", { "aria-label": "Answers" });
  const changes = part("p", "changes", { class: "sw-note" });
  // Letters stay with their answers from one try to the next.
  const known = new Map();

  function show(outcome, before, example) {
    const names = data.label_names;
    const runs = [...outcome.labels.values()];
    const counts = new Map(answersTo(runs, example));
    const answers = known.get(example) ?? [gold[example]];
    answers.push(...[...counts.keys()].filter((label) => !answers.includes(label)));
    known.set(example, answers);
    setText(text, `“${data.texts[example]}”`);
    grid.replaceChildren(...squares(answers, outcome, before, example, names));
    const said = [...counts].map(([label, count]) => `${count} say ${names[label]}`);
    grid.setAttribute("aria-label", said.length ? said.join(", ") : "No network has answered yet");
    legend.replaceChildren(
      ...answers
        .map((label, place) => [label, place, counts.get(label) ?? 0])
        .filter(([, place, count]) => count > 0 || place === 0)
        .map(([label, place, count]) =>
          html(
            "li",
            {},
            html(
              "span",
              { class: `sw-square sw-answer-${Math.min(place, SERIES_COLOURS.length)}` },
              letterOf(place),
            ),
            ` ${names[label]}${place === 0 ? " (right)" : ""}: ${count}`,
          ),
        ),
    );
    const other = grid.querySelectorAll("[data-changed]").length;
    const whole = before && outcome.labels.size === outcome.seeds.length;
    setText(
      changes,
      whole
        ? `Underlined: ${other} of ${outcome.seeds.length} answer otherwise than the last time.`
        : "",
    );
  }

  return { element: html("div", {}, text, grid, legend, changes), show };
}

/** Say what came out. */
function outcomeSentence(outcome, found, nExamples) {
  const { state, labels, seeds, running } = outcome;
  if (labels.size === 0) {
    return running ? `Training ${seeds.length} networks…` : "Stopped before the first network.";
  }
  const begun =
    labels.size < seeds.length
      ? `${labels.size} of ${seeds.length} networks${running ? " so far" : ", then stopped"}`
      : "";
  const whole = `${seeds.length} networks, seeds ${seedsText(state)}`;
  return (
    `${begun || whole}: right on ${percent(found.accuracy)} (SD ${(100 * found.spread).toFixed(1)} ` +
    `points). Two of them differ on ${percent(found.apart)} of the ${nExamples} examples; all agree ` +
    `on ${found.unanimous}. Label entropy LEₘ ${found.entropy.toFixed(3)} nats.`
  );
}

const OUTCOMES = ["Two differ on", "LEₘ (nats)", "Accuracy ± SD"];
const SETTINGS = ["Method", "A seed decides", "Learning rate", "Epochs", "Seeds"];

/** The cells of a try. */
function tryCells({ state, found }) {
  return [
    percent(found.apart),
    found.entropy.toFixed(3),
    `${percent(found.accuracy)} ± ${(100 * found.spread).toFixed(1)}`,
    settingsText(state),
    state.vary.join(", "),
    String(state.learning_rate),
    String(state.epochs),
    seedsText(state),
  ];
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const { task, gold } = readTask(data);
  const read = () => readState(model, STATE);
  let outcome = null;
  let before = null;
  let found = null;
  let drawing = 0;

  const controls = trainControls(model, data);
  const again = button("again", "", () => train(nextSeed()));
  const same = button("same", "Same seeds again", () => train(outcome.state.first_seed));
  const desk = trainingDesk(TRAINER, makeTrainer, [again, same], { onresult, onend });
  const summary = summaryLine();
  const panel = examplePanel(data, gold);
  const list = pickList("Examples, those on which most networks differ first", (id) =>
    write(model, "example", id),
  );
  const tries = triesList(OUTCOMES, SETTINGS, tryCells);

  /** The first seed that was asked for, or after those that were trained last. */
  function nextSeed() {
    const asked = model.get("first_seed");
    if (asked !== outcome.state.first_seed) return asked;
    const [low, high] = data.ranges.first_seed;
    const next = asked + outcome.state.n_seeds;
    return next <= high ? next : low;
  }

  function train(first) {
    write(model, "first_seed", first);
    const state = read();
    const seeds = Array.from({ length: state.n_seeds }, (_, at) => first + at);
    if (outcome && outcome.labels.size === outcome.seeds.length) before = outcome;
    // Squares are compared one by one.
    if (before?.seeds.length !== seeds.length) before = null;
    outcome = { state, seeds, labels: new Map(), running: true };
    desk.begin({ task, settings: settingsOf(state, data) }, seeds);
    show();
  }

  function onresult(seed, labels) {
    outcome.labels.set(seed, labels);
    if (drawing === 0) drawing = requestAnimationFrame(show);
  }

  function onend(finished) {
    outcome.running = false;
    show();
    if (finished) tries.add({ state: outcome.state, found });
    showList();
  }

  function show() {
    cancelAnimationFrame(drawing);
    drawing = 0;
    found = judge([...outcome.labels.values()], gold);
    // Read out at the end alone, not for every network.
    summary.setAttribute("aria-live", outcome.running ? "off" : "polite");
    setText(summary, outcomeSentence(outcome, found, gold.length));
    panel.show(outcome, before, model.get("example"));
  }

  /** Only at an end: a list that moves while one reads it cannot be picked from. */
  function showList() {
    const order = Array.from(gold.keys()).sort(descendingBy(found.entropies));
    const items = order
      .filter((example) => found.entropies[example] > 0)
      .map((example) => ({
        id: example,
        title: data.texts[example],
        detail: answersTo([...outcome.labels.values()], example)
          .map(([label, count]) => `${data.label_names[label]} ${count}`)
          .join(", "),
      }));
    list.show(items, model.get("example"));
  }

  function sync() {
    const state = read();
    controls.sync(state);
    setText(again, `Train ${state.n_seeds} again`);
  }

  const listed = html("div", {}, html("h4", {}, "On which do they differ?"), list.element);
  const columns = html("div", { class: "sw-columns" }, panel.element, listed);
  const [nTrain] = data.train.features.shape;
  const intro = html(
    "p",
    {},
    `Networks train in this page. They learn the same ${nTrain.toLocaleString("en")} examples and ` +
      "differ by their seeds; each square is one network's answer to the example above it.",
  );
  const note = html("p", { class: "sw-note" }, `${data.source}. ${aboutText(data)}`);
  const sections = [intro, desk.element, summary, columns, controls.element, tries.element, note];
  el.append(root("train-again", "Networks that train in this page", ...sections));
  const stops = [
    observe(model, STATE, sync),
    observe(model, ["example"], () => {
      panel.show(outcome, before, model.get("example"));
      list.mark(model.get("example"));
    }),
  ];
  sync();
  train(model.get("first_seed"));
  return stopAll(...stops, desk.stop);
}

/** Say what the networks are. */
function aboutText({ shape, train, batchSize, dropoutRate }) {
  const [nTrain, nFeatures] = train.features.shape;
  return (
    `Each network has ${shape.hidden} hidden units on ${nFeatures} features, learns ` +
    `${nTrain.toLocaleString("en")} examples of ${shape.nClasses} classes by Adam in mini-batches ` +
    `of ${batchSize}, and drops ${percent(dropoutRate, 0)} of its units. All is computed here, in ` +
    "this page."
  );
}

const widget = { render };
export default widget;
