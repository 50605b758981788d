// Explanation comparer: where do the explanations of two runs point? common.js stands in front.

const ORDERS = [
  ["disagreement", "disagreement, highest first"],
  ["text", "text, A to Z"],
  ["position", "position in the data"],
];
const SIDES = ["left", "right"];
const STATE = ["methods", "rows", "kind", "picked", "search", "gold", "order"];
const BAR_HEIGHT = 26;

/** Decode the arrays of the widget's data; `starts` tells where a text's shares begin. */
function readComparerData(data) {
  const nRuns = data.methods[0].run_names.length;
  const kinds = data.kinds.map(({ name, texts }) => {
    const starts = new Map();
    let start = 0;
    for (const text of decodeArray(texts).values) {
      starts.set(text, start);
      start += nRuns * data.tokens[text].length;
    }
    return { name, starts };
  });
  const methods = data.methods.map((method) => ({
    ...method,
    scores: decodeArray(method.scores).values,
    kinds: method.kinds.map(({ shares, disagreement }, at) => {
      const values = decodeArray(disagreement).values;
      const texts = [...kinds[at].starts.keys()];
      return {
        codes: decodeArray(shares).values,
        disagreement: new Map(texts.map((text, i) => [text, values[i]])),
      };
    }),
  }));
  const texts = data.tokens.map((tokens) => tokens.join(" "));
  return { ...data, nRuns, kinds, methods, texts, gold: decodeArray(data.gold).values };
}

/** Turn the codes of one run's shares back into fractions that sum to 1. */
function sharesFrom(data, codes) {
  const shares = Array.from(codes, (code) =>
    code === data.zero ? 0 : Math.exp(-code * data.log_step),
  );
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** The shares that each run of a method gives to the tokens of a text. */
function sharesOf(data, method, kindIndex, text) {
  const n = data.tokens[text].length;
  const start = data.kinds[kindIndex].starts.get(text);
  return Array.from({ length: data.nRuns }, (_, row) => {
    const from = start + row * n;
    return sharesFrom(data, method.kinds[kindIndex].codes.subarray(from, from + n));
  });
}

/** The most important tokens, as `top_share` in stablib.metrics: earlier ones first of equals. */
function topTokens(shares, part) {
  const count = Math.max(1, Math.ceil(Number((part * shares.length).toFixed(9))));
  const order = shares.map((_, token) => token).sort(descendingBy(shares));
  return new Set(order.slice(0, count));
}

/** Relative entropy in nats: infinite where `q` is 0 and `p` is not; where both are, 0. */
function relativeEntropy(p, q) {
  const terms = p.map((share, token) => (share > 0 ? share * Math.log(share / q[token]) : 0));
  return Math.max(
    terms.reduce((sum, term) => sum + term, 0),
    0,
  );
}

/** Jaccard distance of two sets. */
function jaccardDistance(a, b) {
  const shared = [...a].filter((token) => b.has(token)).length;
  return 1 - shared / (a.size + b.size - shared);
}

/** Ranks from 1; equals share the mean of theirs. */
function meanRanks(values) {
  const below = (value) => values.filter((other) => other < value).length;
  const equal = (value) => values.filter((other) => other === value).length;
  return values.map((value) => below(value) + (equal(value) + 1) / 2);
}

/** Rank correlation (Spearman); NaN if one side ranks all tokens alike. */
function rankCorrelation(a, b) {
  const centred = [a, b].map((values) => {
    const ranks = meanRanks(values);
    const middle = mean(ranks);
    return ranks.map((rank) => rank - middle);
  });
  const product = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const [u, v] = centred;
  return product(u, v) / Math.sqrt(product(u, u) * product(v, v));
}

/** Measure how two runs agree. */
function measureAgreement(left, right) {
  return {
    forward: relativeEntropy(left.shares, right.shares),
    backward: relativeEntropy(right.shares, left.shares),
    jaccard: jaccardDistance(left.top, right.top),
    correlation: rankCorrelation(left.shares, right.shares),
    gap: Math.abs(left.score - right.score),
  };
}

/** The probability of the second class that a run gives to a text. */
function scoreOf(data, method, row, text) {
  return method.scores[row * data.texts.length + text];
}

/** Name the class that a probability speaks for. */
function saidLabel(data, score) {
  return data.label_names[Number(score > 0.5)];
}

/** Find what the state shows; without an explanation of the picked text there are no sides. */
function readComparerView(data, state) {
  const kindIndex = data.kinds.findIndex(({ name }) => name === state.kind);
  const methods = state.methods.map((wanted) => data.methods.find(({ name }) => name === wanted));
  const view = { state, kindIndex, methods, kind: data.kinds[kindIndex], sides: null };
  if (!view.kind.starts.has(state.picked)) return view;
  view.sides = methods.map((method, side) => {
    const row = state.rows[side];
    const shares = sharesOf(data, method, kindIndex, state.picked)[row];
    return {
      name: `${method.name}, ${method.run_names[row]}`,
      score: scoreOf(data, method, row, state.picked),
      shares,
      top: topTokens(shares, data.top),
    };
  });
  view.agreement = measureAgreement(...view.sides);
  return view;
}

/** Show a relative entropy. */
function natsText(nats) {
  return Number.isFinite(nats) ? nats.toFixed(3) : "infinite";
}

/** Show a correlation, which may be undefined. */
function correlationText(correlation) {
  return Number.isFinite(correlation) ? fixed(correlation, 3) : "undefined";
}

/** Say in words what the two runs say and how far their explanations are apart. */
function comparerSentence(data, { state, sides, agreement }) {
  if (state.picked < 0) return "No text is picked.";
  const text = `Text ${state.picked + 1}`;
  if (!sides) return `${text} has no explanation of the kind ${state.kind}; those listed have one.`;
  const said = sides.map(
    ({ name, score }) => `${name}: ${saidLabel(data, score)} (p ${score.toFixed(3)})`,
  );
  return (
    `${text}, ${state.kind}. ${said.join("; ")}. Jaccard distance of the top ` +
    `${percent(data.top, 0)} of tokens ${percent(agreement.jaccard)}, relative entropy ` +
    `${natsText(agreement.forward)} nats from left to right.`
  );
}

/** Keep the texts with an explanation that pass search and filter, in the chosen order. */
function arrangeTexts(data, { state, kind, kindIndex, methods }) {
  const wanted = state.search.trim().toLowerCase();
  const kept = [...kind.starts.keys()].filter(
    (text) =>
      (state.gold < 0 || data.gold[text] === state.gold) &&
      (wanted === "" || data.texts[text].toLowerCase().includes(wanted)),
  );
  const { disagreement } = methods[0].kinds[kindIndex];
  if (state.order === "disagreement") {
    kept.sort((a, b) => disagreement.get(b) - disagreement.get(a) || a - b);
  }
  if (state.order === "text") {
    kept.sort((a, b) => data.texts[a].localeCompare(data.texts[b], "en") || a - b);
  }
  return kept;
}

/** Describe one line of the list. */
function textItem(data, { kindIndex, methods }, text) {
  const distance = methods[0].kinds[kindIndex].disagreement.get(text);
  return {
    id: text,
    title: data.texts[text],
    detail:
      `text ${text + 1}; gold ${data.label_names[data.gold[text]]}; ` +
      `disagreement ${percent(distance)}`,
  };
}

/** Make a token with its share as a tint and as a number; the top ones are underlined as well. */
function tokenItem(token, share, largest, isTop) {
  const item = html(
    "li",
    { class: isTop ? "sw-token sw-top" : "sw-token" },
    html("bdi", { class: "sw-word" }, token),
    html("span", { class: "sw-share" }, percent(share)),
    isTop ? html("span", { class: "sw-hidden" }, " (top)") : "",
  );
  item.style.setProperty("--sw-share", `${((45 * share) / largest).toFixed(1)}%`);
  return item;
}

/** Build the panel of one side; `show(view)` fills it. */
function sidePanel(data, side) {
  const title = part("h4", `name-${SIDES[side]}`);
  const about = part("p", `about-${SIDES[side]}`);
  const tokens = part("ol", `tokens-${SIDES[side]}`, { class: "sw-tokens" });
  const label = `${SIDES[side]} run`;
  const element = html("section", { "aria-label": label }, title, about, tokens);

  function show({ state, sides }) {
    const { name, score, shares, top } = sides[side];
    const label = saidLabel(data, score);
    const gold = data.label_names[data.gold[state.picked]];
    // One scale for both, so that equal tints are equal shares.
    const largest = Math.max(...sides.flatMap((other) => other.shares));
    setText(title, `${side === 0 ? "Left" : "Right"}: ${name}`);
    setText(
      about,
      `Says ${label}, ${label === gold ? "as gold" : `gold is ${gold}`}; ` +
        `p(${data.label_names[1]}) = ${score.toFixed(3)}.`,
    );
    tokens.replaceChildren(
      ...data.tokens[state.picked].map((token, at) =>
        tokenItem(token, shares[at], largest, top.has(at)),
      ),
    );
  }
  return { element, show };
}

/** Tabulate how the two runs agree. */
function agreementTable(data, { forward, backward, jaccard, correlation, gap }) {
  const rows = [
    ["Relative entropy, left to right", `${natsText(forward)} nats`],
    ["Relative entropy, right to left", `${natsText(backward)} nats`],
    [`Jaccard distance, top ${percent(data.top, 0)}`, percent(jaccard)],
    ["Rank correlation of the shares", correlationText(correlation)],
    [`Difference of p(${data.label_names[1]})`, fixed(gap, 3)],
  ];
  return table("agreement", "Agreement of the two runs on this text", ["", "Value"], rows);
}

/** Draw one run's shares as bars in reading order; the top tokens are filled and the rest not. */
function shareBars(shares, top, largest) {
  const bars = shares.map((share, at) => {
    const height = Math.max((BAR_HEIGHT * share) / largest, 0.8);
    return svg("rect", {
      class: top.has(at) ? "sw-share-bar sw-top" : "sw-share-bar",
      x: at + 0.1,
      width: 0.8,
      y: BAR_HEIGHT - height,
      height,
    });
  });
  return svg(
    "svg",
    {
      class: "sw-share-bars",
      viewBox: `0 0 ${shares.length} ${BAR_HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    ...bars,
  );
}

/** Build the small multiples, all runs of the left method; `show(view)` draws them. */
function runsPanel(data, onchoose) {
  const title = html("h4");
  const list = part("div", "runs", { role: "list" });
  const element = html("section", {}, title, list);
  let drawn = "";
  let buttons = [];

  function runRow(method, row, shares, text, largest) {
    const score = scoreOf(data, method, row, text);
    const name = method.run_names[row];
    const top = topTokens(shares, data.top);
    const words = [...top].sort((a, b) => a - b).map((at) => data.tokens[text][at]);
    const pair = SIDES.map((which, side) => {
      const made = button(`as-${which}`, which, () => onchoose(side, row));
      made.setAttribute("aria-label", `${name} as ${which} run`);
      return made;
    });
    buttons.push(pair);
    return html(
      "div",
      { class: "sw-run", role: "listitem" },
      html(
        "span",
        { class: "sw-run-name" },
        `${name}: ${saidLabel(data, score)}, p ${score.toFixed(2)}`,
        html("span", { class: "sw-hidden" }, `; top tokens ${isolated(words.join(", "))}`),
      ),
      shareBars(shares, top, largest),
      html("span", { class: "sw-run-buttons" }, ...pair),
    );
  }

  function show({ state, kindIndex, methods: [method, right] }) {
    // Drawn only when the rows change, so that a pressed button keeps the focus.
    const key = JSON.stringify([method.name, state.kind, state.picked]);
    if (key !== drawn) {
      drawn = key;
      buttons = [];
      const runs = sharesOf(data, method, kindIndex, state.picked);
      const largest = Math.max(...runs.flat());
      setText(title, `All runs of ${method.name}, ${state.kind}`);
      list.replaceChildren(
        ...runs.map((shares, row) => runRow(method, row, shares, state.picked, largest)),
      );
    }
    buttons.forEach((pair, row) => {
      pair[0].setAttribute("aria-pressed", String(row === state.rows[0]));
      const isRight = row === state.rows[1] && right === method;
      pair[1].setAttribute("aria-pressed", String(isRight));
    });
  }
  return { element, show };
}

/** Replace one of the two entries of a trait. */
function writeSide(model, name, side, value) {
  const values = [...model.get(name)];
  values[side] = value;
  write(model, name, values);
}

/** Build the controls; `sync(view)` shows the current state in them. */
function comparerControls(model, data) {
  const kinds = data.kinds.map(({ name }) => [name, name]);
  const kind = choice("kind", kinds, (value) => write(model, "kind", value));
  const names = data.methods.map(({ name }) => [name, name]);
  const sides = SIDES.map((which, side) => ({
    method: choice(`method-${which}`, names, (value) => writeSide(model, "methods", side, value)),
    run: choice(`run-${which}`, [], (value) => writeSide(model, "rows", side, Number(value))),
  }));
  const search = part("input", "search", {
    type: "search",
    placeholder: "part of the text",
    oninput: () => write(model, "search", search.value),
  });
  const gold = goldChoice(model, data.label_names);
  const order = choice("order", ORDERS, (value) => write(model, "order", value));
  const sync = ({ state, methods }) => {
    kind.value = state.kind;
    sides.forEach(({ method, run }, side) => {
      method.value = state.methods[side];
      setOptions(
        run,
        methods[side].run_names.map((name, row) => [row, name]),
      );
      run.value = state.rows[side];
    });
    if (search.value !== state.search) search.value = state.search;
    gold.value = state.gold;
    order.value = state.order;
  };
  const fields = sides.flatMap(({ method, run }, side) => {
    const which = side === 0 ? "Left" : "Right";
    return [field(`${which} method`, method), field(`${which} run`, run)];
  });
  return {
    compare: html("div", { class: "sw-controls" }, ...fields),
    filter: html(
      "div",
      { class: "sw-controls" },
      field("Explanation", kind),
      field("Search", search),
      field("Gold label", gold),
      field("Sort by", order),
    ),
    sync,
  };
}

/** Explain the marks and the measures. */
function comparerNotes(data) {
  const top = percent(data.top, 0);
  return [
    html(
      "p",
      { class: "sw-note" },
      `Under each token stands its share of the explanation; the tint follows it, on one scale for ` +
        `both runs. Underlined: the top ${top} of the tokens, at least one. Below, all runs as ` +
        "bars in reading order, the same tokens filled.",
    ),
    html(
      "p",
      { class: "sw-note" },
      "Relative entropy: 0 if both runs spread their shares alike; infinite if one gives exactly 0 " +
        "to a token that the other uses. Jaccard distance: 0 % if the top tokens are the same, " +
        "100 % if none is. Rank correlation (Spearman): 1 if all tokens are in one order, 0 if " +
        "the orders have nothing in common. Disagreement, by which texts are sorted: the mean " +
        "Jaccard distance over all pairs of runs of the left method.",
    ),
  ];
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = readComparerData(model.get("data"));
  const controls = comparerControls(model, data);
  const summary = summaryLine();
  const listed = part("p", "listed", { "aria-live": "polite" });
  const list = pickList("Texts with an explanation", (id) => write(model, "picked", id));
  const panels = SIDES.map((_, side) => sidePanel(data, side));
  const agreement = html("div");
  const runs = runsPanel(data, (side, row) => {
    // The rows are the left method's, and so a right run is, too.
    if (side === 1) writeSide(model, "methods", 1, model.get("methods")[0]);
    writeSide(model, "rows", side, row);
  });
  const columns = html("div", { class: "sw-columns" }, ...panels.map(({ element }) => element));
  const body = part("div", "body", {}, columns, agreement, runs.element, ...comparerNotes(data));
  const read = () => readComparerView(data, readState(model, STATE));

  function showDetail() {
    const view = read();
    controls.sync(view);
    setText(summary, comparerSentence(data, view));
    list.mark(view.state.picked);
    body.hidden = !view.sides;
    if (!view.sides) return;
    for (const panel of panels) panel.show(view);
    agreement.replaceChildren(agreementTable(data, view.agreement));
    runs.show(view);
  }

  function showList() {
    const view = read();
    const kept = arrangeTexts(data, view);
    const total = view.kind.starts.size;
    setText(listed, `${kept.length} of ${counted(total, "text")} with ${view.state.kind} listed.`);
    list.show(
      kept.map((text) => textItem(data, view, text)),
      view.state.picked,
    );
  }

  let leftMethod = "";
  function showMethods() {
    // The list is made anew only for another left method; it would scroll back.
    const [left] = model.get("methods");
    if (left !== leftMethod) showList();
    leftMethod = left;
    showDetail();
  }

  const sections = [controls.compare, controls.filter, listed, list.element, summary, body];
  el.append(root("explanation-comparer", "Explanation comparer", ...sections));
  const stops = [
    observe(model, ["kind", "search", "gold", "order"], () => {
      showList();
      showDetail();
    }),
    observe(model, ["methods"], showMethods),
    observe(model, ["rows", "picked"], showDetail),
  ];
  showMethods();
  return stopAll(...stops);
}

const widget = { render };
export default widget;
