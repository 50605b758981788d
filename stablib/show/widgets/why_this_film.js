// Why this film? Two runs of a recommender with attention, computed here. common.js stands in front.

const STATE = ["runs", "user", "candidate", "dropped", "shuffle"];
const SIDES = ["left", "right"];

/** Decode the weights of a run. */
function readModel(run) {
  const matrix = ({ shape, values }) => ({ rows: shape[0], columns: shape[1] ?? 1, values });
  const read = (part) => matrix(decodeArray(part));
  return {
    name: run.name,
    history: read(run.history),
    targets: read(run.targets),
    bias: read(run.item_bias),
    attention: {
      weight: read(run.attention.weight),
      bias: read(run.attention.bias).values,
      top: read(run.attention.top).values,
    },
    layers: run.layers.map(({ weight, bias, norm }) => ({
      weight: read(weight),
      bias: read(bias).values,
      gain: read(norm.weight).values,
      shift: read(norm.bias).values,
      mean: read(norm.running_mean).values,
      variance: read(norm.running_var).values,
    })),
    top: read(run.top),
  };
}

/** A row of a matrix. */
function rowOf({ columns, values }, row) {
  return values.subarray(row * columns, (row + 1) * columns);
}

/** Multiply a matrix with a vector. */
function times(matrix, vector) {
  const found = new Float64Array(matrix.rows);
  for (let row = 0; row < matrix.rows; row += 1) {
    const start = row * matrix.columns;
    let sum = 0;
    for (let at = 0; at < matrix.columns; at += 1) sum += matrix.values[start + at] * vector[at];
    found[row] = sum;
  }
  return found;
}

/** Multiply two vectors number by number. */
function product(first, second) {
  const found = new Float64Array(first.length);
  for (let at = 0; at < first.length; at += 1) found[at] = first[at] * second[at];
  return found;
}

/** Attention of an item over a history: exp(a) / (sum exp(a)) ** beta. */
function attend(model, beta, history, item) {
  const target = rowOf(model.targets, item);
  const { weight, bias, top } = model.attention;
  const scores = history.map((other) => {
    const hidden = times(weight, product(rowOf(model.history, other), target));
    let score = 0;
    for (let unit = 0; unit < top.length; unit += 1) {
      score += top[unit] * Math.max(hidden[unit] + bias[unit], 0);
    }
    return score;
  });
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const factor = Math.exp(highest * (1 - beta)) / total ** beta;
  return powers.map((power) => power * factor);
}

/** Log-odds that an item is chosen, given the attention that is paid to a history. */
function oddsWith(model, epsilon, history, item, weights) {
  const target = rowOf(model.targets, item);
  const pooled = new Float64Array(target.length);
  history.forEach((other, place) => {
    const vector = rowOf(model.history, other);
    for (let at = 0; at < pooled.length; at += 1) pooled[at] += weights[place] * vector[at];
  });
  let state = product(pooled, target);
  for (const { weight, bias, gain, shift, mean: middle, variance } of model.layers) {
    state = times(weight, state).map((value, unit) => {
      const spread = Math.sqrt(variance[unit] + epsilon);
      return Math.max(((value + bias[unit] - middle[unit]) / spread) * gain[unit] + shift[unit], 0);
    });
  }
  const own = rowOf(model.bias, item);
  const logits = Array.from(times(model.top, state), (value, label) => value + own[label]);
  if (logits.length === 1) return logits[0];
  const highest = Math.max(...logits.slice(1));
  const chosen = logits.slice(1).reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return highest + Math.log(chosen) - logits[0];
}

/** The probability that belongs to log-odds. */
function chance(odds) {
  return 1 / (1 + Math.exp(-odds));
}

/** Put places in a random order, the same for the same seed. */
function shuffled(count, seed) {
  const draw = generator(seed);
  const places = Array.from({ length: count }, (_, place) => place);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * (last + 1));
    [places[last], places[other]] = [places[other], places[last]];
  }
  return places;
}

/** Rank from 1 of the first of some scores; it loses ties. */
function rankAmong(score, others) {
  return 1 + others.filter((other) => other >= score).length;
}

/** Log-odds of some items for a history. */
function oddsOf(data, model, history, items) {
  return items.map((item) =>
    oddsWith(model, data.epsilon, history, item, attend(model, data.beta, history, item)),
  );
}

/** Compute what one run says: attention, score and rank, as they are and as changed. */
function readSide(data, model, state) {
  const whole = data.histories[state.user];
  const items = data.candidates[state.user];
  const kept = whole.map((_, place) => place).filter((place) => !state.dropped.includes(place));
  const history = kept.map((place) => whole[place]);
  const item = items[state.candidate];
  const others = items.filter((_, place) => place !== state.candidate);
  const attention = attend(model, data.beta, whole, item);
  const total = attention.reduce((sum, weight) => sum + weight, 0);
  const before = oddsWith(model, data.epsilon, whole, item, attention);
  const left = attend(model, data.beta, history, item);
  const order = state.shuffle ? shuffled(left.length, state.shuffle) : left.map((_, k) => k);
  const permuted = order.map((place) => left[place]);
  const after = oddsWith(model, data.epsilon, history, item, permuted);
  const used = permuted.reduce((sum, weight) => sum + weight, 0);
  const shares = new Map(kept.map((place, k) => [place, permuted[k] / used]));
  return {
    name: model.name,
    shares: attention.map((weight) => weight / total),
    changed: whole.map((_, place) => shares.get(place) ?? 0),
    before: chance(before),
    after: chance(after),
    rankBefore: rankAmong(before, oddsOf(data, model, whole, others)),
    rankAfter: rankAmong(after, oddsOf(data, model, history, others)),
  };
}

/** The places with the largest shares: a tenth of them, rounded up. */
function topPlaces(shares, share) {
  const count = Math.max(1, Math.ceil(Number((share * shares.length).toFixed(9))));
  const order = shares.map((_, place) => place).sort(descendingBy(shares));
  return new Set(order.slice(0, count));
}

/** Overlap of two sets: what both have over what either has. */
function jaccardIndex(a, b) {
  const shared = [...a].filter((place) => b.has(place)).length;
  return shared / (a.size + b.size - shared);
}

/** Find what the state shows. */
function readFilmView(data, models, state) {
  const sides = state.runs.map((wanted) =>
    readSide(
      data,
      models.find(({ name }) => name === wanted),
      state,
    ),
  );
  const tops = sides.map(({ shares }) => topPlaces(shares, data.top));
  const item = data.candidates[state.user][state.candidate];
  return { state, sides, tops, item, title: data.titles[item], agreement: jaccardIndex(...tops) };
}

/** Say in words what the two runs say. */
function filmSentence(data, { state, sides, title, agreement }) {
  const held = state.candidate === 0 ? ", which was held out," : "";
  const said = sides.map(
    ({ name, after, rankAfter }) => `${name}: ${percent(after)}, rank ${rankAfter}`,
  );
  const changes = [
    state.dropped.length ? `${counted(state.dropped.length, "item")} dropped` : "",
    state.shuffle ? "attention permuted" : "",
  ].filter(Boolean);
  const how = changes.length ? ` (${changes.join(", ")})` : "";
  const count = data.candidates[state.user].length;
  return (
    `User ${state.user}: ${isolated(title)}${held} of ${count} candidates${how}. ` +
    `${said.join("; ")}. The most attended tenths share a Jaccard index of ${agreement.toFixed(2)}.`
  );
}

/** Tabulate score and rank of both runs, as they are and as changed. */
function scoreTable({ sides, title }) {
  const rows = sides.map(({ name, before, rankBefore, after, rankAfter }) => [
    name,
    percent(before),
    String(rankBefore),
    percent(after),
    String(rankAfter),
  ]);
  const header = ["", "Score", "Rank", "Score now", "Rank now"];
  return table(
    "scores",
    `Probability that ${isolated(title)} is chosen, and its rank`,
    header,
    rows,
  );
}

/** Build the history: a line an item, with the attention of both runs and a box to drop it. */
function historyPanel(data, ondrop) {
  const list = part("ol", "history", { class: "sw-films", "aria-label": "History" });
  let drawn = "";
  let lines = new Map();

  function line(place, title) {
    const box = html("input", { type: "checkbox", onchange: () => ondrop(place, !box.checked) });
    const numbers = SIDES.map((side) => html("span", { class: `sw-film-share sw-${side}` }));
    const name = html("label", { class: "sw-film-name" }, box, html("bdi", {}, title));
    const element = html("li", { class: "sw-film", "data-place": place }, name, ...numbers);
    return { element, box, numbers };
  }

  function show({ state, sides, tops }) {
    // Drawn only for another user, item or run, so that a box keeps the focus.
    const key = JSON.stringify([state.user, state.candidate, state.runs]);
    if (key !== drawn) {
      drawn = key;
      const whole = data.histories[state.user];
      const order = whole.map((_, place) => place).sort(descendingBy(sides[0].shares));
      lines = new Map(order.map((place) => [place, line(place, data.titles[whole[place]])]));
      list.replaceChildren(...[...lines.values()].map(({ element }) => element));
    }
    const largest = Math.max(...sides.flatMap(({ changed }) => changed));
    for (const [place, { element, box, numbers }] of lines) {
      const isDropped = state.dropped.includes(place);
      box.checked = !isDropped;
      element.classList.toggle("sw-dropped", isDropped);
      sides.forEach(({ changed }, side) => {
        const isTop = tops[side].has(place);
        setText(numbers[side], isDropped ? "–" : `${percent(changed[place])}${isTop ? " ▲" : ""}`);
        const tint = `${((45 * changed[place]) / largest).toFixed(1)}%`;
        numbers[side].style.setProperty("--sw-share", tint);
      });
    }
  }
  return { element: list, show };
}

/** Build the controls; `sync(view)` shows the current state in them. */
function filmControls(model, data) {
  const names = data.runs.map(({ name }) => [name, name]);
  const runs = SIDES.map((which, side) =>
    choice(`run-${which}`, names, (value) => {
      const chosen = [...model.get("runs")];
      chosen[side] = value;
      write(model, "runs", chosen);
    }),
  );
  const users = data.histories.map((items, user) => [user, `user ${user}, ${items.length} items`]);
  const user = choice("user", users, (value) => {
    write(model, "dropped", []);
    write(model, "user", Number(value));
  });
  const candidate = choice("candidate", [], (value) => write(model, "candidate", Number(value)));
  const permute = button("permute", "Permute the attention", () =>
    write(model, "shuffle", (model.get("shuffle") % data.max_shuffle) + 1),
  );
  const reset = button("reset", "As it is", () => {
    write(model, "dropped", []);
    write(model, "shuffle", 0);
  });
  let listed = -1;
  const sync = ({ state }) => {
    SIDES.forEach((_, side) => {
      runs[side].value = state.runs[side];
    });
    user.value = state.user;
    if (listed !== state.user) {
      listed = state.user;
      setOptions(
        candidate,
        data.candidates[state.user].map((item, place) => [
          place,
          place === 0 ? `${data.titles[item]} (held out)` : data.titles[item],
        ]),
      );
    }
    candidate.value = state.candidate;
    reset.disabled = state.dropped.length === 0 && state.shuffle === 0;
  };
  const fields = SIDES.map((which, side) =>
    field(which === "left" ? "Left run" : "Right run", runs[side]),
  );
  return {
    choose: html(
      "div",
      { class: "sw-controls" },
      ...fields,
      field("User", user),
      field("Item", candidate),
    ),
    act: html("div", { class: "sw-controls" }, permute, reset),
    sync,
  };
}

/** Explain what is shown. */
function filmNotes() {
  return html(
    "p",
    { class: "sw-note" },
    "Each line is an item of the history with the share of the attention that the left and the " +
      "right run pay to it; ▲ marks the most attended tenth of the history as it is. Clear a box " +
      "to drop the item. Permuting gives the same shares to other items of the history; the other " +
      "candidates keep theirs. Everything is computed in this page from the weights of the runs.",
  );
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const models = data.runs.map(readModel);
  const controls = filmControls(model, data);
  const summary = summaryLine();
  const scores = html("div");
  const panel = historyPanel(data, (place, isDropped) => {
    const dropped = model.get("dropped");
    const kept = dropped.filter((other) => other !== place);
    const wanted = isDropped ? [...kept, place].sort((a, b) => a - b) : kept;
    // One item must stay, or there is nothing to attend to.
    if (wanted.length < data.histories[model.get("user")].length) write(model, "dropped", wanted);
    show();
  });

  function show() {
    const state = readState(model, STATE);
    const last = data.histories[state.user].length;
    const view = readFilmView(data, models, {
      ...state,
      dropped: state.dropped.filter((place) => place < last),
    });
    controls.sync(view);
    setText(summary, filmSentence(data, view));
    scores.replaceChildren(scoreTable(view));
    panel.show(view);
  }

  const sections = [controls.choose, controls.act, summary, scores, panel.element, filmNotes()];
  el.append(root("why-this-film", "Why this film?", ...sections));
  const stop = observe(model, STATE, show);
  show();
  return stop;
}

const widget = { render };
export default widget;
