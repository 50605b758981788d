// How many seeds?: what a study with k of the runs would report. common.js stands in front.

const WORD = 32;

/** Count the set bits of a 32-bit word. */
function popcount(word) {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Draw k of n rows without replacement, in ascending order. */
function drawRows(n, k, seed) {
  const random = generator(seed);
  const rows = Array.from({ length: n }, (_, row) => row);
  for (let at = 0; at < k; at += 1) {
    const other = at + Math.floor(random() * (n - at));
    [rows[at], rows[other]] = [rows[other], rows[at]];
  }
  return rows.slice(0, k).sort((a, b) => a - b);
}

/** Pack rows into a bit mask. */
function maskOf(rows, n) {
  const mask = new Uint32Array(Math.ceil(n / WORD));
  for (const row of rows) mask[row >>> 5] |= 1 << (row & 31);
  return mask;
}

/**
 * For each example and label, pack the runs that gave it into a bit mask.
 *
 * A label that one run alone gives adds 1 log 1 = 0 to every sum and is left out.
 */
function packLabels(labels, nRuns, nExamples) {
  const words = Math.ceil(nRuns / WORD);
  const packed = [];
  for (let i = 0; i < nExamples; i += 1) {
    const rowsOf = new Map();
    for (let row = 0; row < nRuns; row += 1) {
      const label = labels[row * nExamples + i];
      if (!rowsOf.has(label)) rowsOf.set(label, []);
      rowsOf.get(label).push(row);
    }
    for (const rows of rowsOf.values()) {
      if (rows.length > 1) packed.push(...maskOf(rows, nRuns));
    }
  }
  return { masks: Uint32Array.from(packed), words, nExamples };
}

/** Sum LEₘ (nats) and count the switching examples of a method over the runs of a mask. */
function sumEntropy({ masks, words, nExamples }, mask, k, nLogN) {
  let total = 0;
  let unanimous = 0;
  for (let at = 0; at < masks.length; at += words) {
    let count = 0;
    for (let word = 0; word < words; word += 1) count += popcount(masks[at + word] & mask[word]);
    total += nLogN[count];
    if (count === k) unanimous += 1;
  }
  const sum = nExamples * Math.log(k) - total / k;
  return { sum: Math.max(sum, 0), switching: nExamples - unanimous };
}

/** Quantile of sorted numbers with linear interpolation, as numpy's default. */
function quantile(sorted, fraction) {
  const at = (sorted.length - 1) * fraction;
  const low = Math.floor(at);
  const next = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (at - low) * (next - sorted[low]);
}

/** Middle 95 % of the numbers that are defined; null if none is. */
function middle95(values) {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  return sorted.length ? [quantile(sorted, 0.025), quantile(sorted, 0.975)] : null;
}

/** Method indices, lowest sum first. */
function ranking(sums) {
  return sums.map((_, index) => index).sort(ascendingBy(sums));
}

/** Percent by which each sum lies below the baseline's; NaN where the baseline is zero. */
function reductions(sums, baseline) {
  return sums.map((sum) => (sums[baseline] > 0 ? 100 * (1 - sum / sums[baseline]) : NaN));
}

/** Make the computations over the widget's data; results per k are kept. */
function seedStudy(data) {
  const n = data.n_runs;
  const methods = data.methods.map(({ labels }) => {
    const { values, shape } = decodeArray(labels);
    return packLabels(values, n, shape[1]);
  });
  const nLogN = Float64Array.from({ length: n + 1 }, (_, count) => count * Math.log(count || 1));
  const measure = (rows) => {
    const mask = maskOf(rows, n);
    return methods.map((method) => sumEntropy(method, mask, rows.length, nLogN));
  };
  const sumsOf = (rows) => measure(rows).map(({ sum }) => sum);
  const full = sumsOf(drawRows(n, n, 0));
  const fullOrder = ranking(full);
  const kept = new Map();

  /** Spread over the draws of size k: intervals, and how often the ranking holds. */
  function spread(k) {
    if (kept.has(k)) return kept.get(k);
    const draws = Array.from({ length: data.n_resamples }, (_, draw) =>
      sumsOf(drawRows(n, k, 1000003 * k + draw)),
    );
    const orders = draws.map(ranking);
    const share = (holds) => orders.filter(holds).length / orders.length;
    const reduced = draws.map((sums) => reductions(sums, data.baseline));
    const result = {
      sums: full.map((_, index) => middle95(draws.map((sums) => sums[index]))),
      reductions: full.map((_, index) => middle95(reduced.map((row) => row[index]))),
      sameOrder: share((order) => order.every((index, rank) => index === fullOrder[rank])),
      sameBest: share((order) => order[0] === fullOrder[0]),
    };
    kept.set(k, result);
    return result;
  }

  /** What one subset says; `draw` numbers the clicks on "Resample". */
  function study(k, draw) {
    // The clicks' seeds lie apart from those of the intervals, which all are below 2^31.
    const rows = drawRows(n, k, 2 ** 31 + 1009 * draw + k);
    const measured = measure(rows);
    const sums = measured.map(({ sum }) => sum);
    return {
      rows,
      sums,
      switching: measured.map(({ switching }) => switching),
      order: ranking(sums),
      reductions: reductions(sums, data.baseline),
    };
  }
  return { full, fullOrder, fullReductions: reductions(full, data.baseline), spread, study };
}

/** Show an interval. */
function intervalText(interval, digits) {
  return interval ? `[${interval.map((value) => fixed(value, digits)).join(", ")}]` : "–";
}

/** Say in a few sentences what k runs tell. */
function seedsSentence(data, k, { full, fullOrder }, result, spread) {
  const nameOf = (index) => data.methods[index].name;
  const [first, ofAll] = [nameOf(result.order[0]), nameOf(fullOrder[0])];
  return (
    `With ${k} of ${data.n_runs} runs, LEₘ of ${nameOf(data.baseline)} sums to ` +
    `${result.sums[data.baseline].toFixed(1)} nats (all runs: ` +
    `${full[data.baseline].toFixed(1)}). The most stable here: ${first}; of all ` +
    `${data.n_runs} runs: ${first === ofAll ? "the same" : ofAll}. The first place of all runs ` +
    `holds in ${percent(spread.sameBest, 0)} of ${data.n_resamples} draws of ${k} runs, their ` +
    `whole ranking in ${percent(spread.sameOrder, 0)}.`
  );
}

/** Mean of the accuracies of some runs, in percent. */
function accuracyText(accuracy, rows) {
  return percent(mean(rows.map((row) => accuracy[row])));
}

/** Tabulate the methods, most stable first. */
function resultsTable(data, result, spread) {
  const rows = result.order.map((index, rank) => {
    const { name, accuracy } = data.methods[index];
    const reduction = result.reductions[index];
    const reduced = `${fixed(reduction, 1)} ${intervalText(spread.reductions[index], 1)}`;
    const isNone = index === data.baseline || !Number.isFinite(reduction);
    return [
      `${rank + 1}. ${name}`,
      `${result.sums[index].toFixed(1)} ${intervalText(spread.sums[index], 1)}`,
      isNone ? "–" : reduced,
      String(result.switching[index]),
      accuracyText(accuracy, result.rows),
    ];
  });
  const header = ["Method", "Sum of LEₘ (nats)", "Reduction (%)", "Switching", "Accuracy"];
  const caption = "Methods on the drawn runs, most stable first, with the middle 95 % of draws";
  return table("results", caption, header, rows);
}

/** Draw the places of the methods among all runs, on the left, and among the drawn ones. */
function drawRanks(data, { fullOrder }, { order }, width) {
  const rowHeight = 22;
  const x = [Math.min(180, 0.45 * width), width - 40];
  const y = (rank) => 34 + rowHeight * rank;
  const changed = fullOrder.filter((index, rank) => order[rank] !== index);
  const lines = fullOrder.map((index, rank) => {
    const now = order.indexOf(index);
    const points = [
      [x[0], y(rank)],
      [x[1], y(now)],
    ];
    const style = changed.includes(index) ? "sw-line sw-moved" : "sw-line sw-faint";
    const name = { class: "sw-mark-name", x: x[0] - 8, y: y(rank) + 4, "text-anchor": "end" };
    const place = { class: "sw-mark-name", x: x[1] + 8, y: y(now) + 4 };
    return svg(
      "g",
      {},
      polyline(points, { class: style }),
      svg("text", name, data.methods[index].name),
      svg("text", place, now + 1),
    );
  });
  const heading = { class: "sw-mark-name", y: 14 };
  const label = `${changed.length} of ${fullOrder.length} methods have another place than among all runs`;
  return svg(
    "svg",
    { width, height: y(fullOrder.length - 1) + 16, role: "img", "aria-label": label },
    svg("text", { ...heading, x: x[0] - 8, "text-anchor": "end" }, "place among all runs"),
    svg("text", { ...heading, x: width - 4, "text-anchor": "end" }, "among the drawn"),
    ...lines,
  );
}

/** The range of reductions to draw: all values and intervals, zero included, with some air. */
function reductionDomain(indices, study, result, spread) {
  const values = indices.flatMap((index) => [
    study.fullReductions[index],
    result.reductions[index],
    ...(spread.reductions[index] ?? []),
  ]);
  const finite = [0, ...values.filter(Number.isFinite)];
  return withAir([Math.min(...finite), Math.max(...finite)]);
}

/** Draw one method's interval, the drawn subset as a dot and all runs as a tick. */
function reductionRow(x, y, { interval, drawn, all, name }) {
  const row = svg("g", {}, svg("text", { class: "sw-row-name", x: x.range[0], y: y - 10 }, name));
  if (interval) {
    const [x1, x2] = interval.map(x);
    row.append(svg("line", { class: "sw-interval sw-of-method", x1, x2, y1: y, y2: y }));
  }
  if (Number.isFinite(all)) {
    const at = x(all);
    row.append(svg("line", { class: "sw-all", x1: at, x2: at, y1: y - 7, y2: y + 7 }));
  }
  if (Number.isFinite(drawn)) {
    row.append(svg("circle", { class: "sw-dot sw-of-method", cx: x(drawn), cy: y, r: 5 }));
  }
  return row;
}

/** Draw the reductions of all methods but the baseline at a given width. */
function drawReductions(data, study, result, spread, width) {
  const indices = study.fullOrder.filter((index) => index !== data.baseline);
  const rowHeight = 36;
  const bottom = 12 + rowHeight * indices.length;
  const domain = reductionDomain(indices, study, result, spread);
  const x = linearScale(domain, [8, width - 12]);
  const { name } = data.methods[data.baseline];
  const rows = indices.map((index, at) => {
    const values = {
      interval: spread.reductions[index],
      drawn: result.reductions[index],
      all: study.fullReductions[index],
      name: data.methods[index].name,
    };
    return reductionRow(x, 24 + rowHeight * at, values);
  });
  const label = `Reduction of the sum of LEₘ against ${name}; the table below has the numbers.`;
  return svg(
    "svg",
    { width, height: bottom + 44, role: "img", "aria-label": label },
    xAxis(x, { top: 4, bottom, title: "reduction of the sum of LEₘ (percent)" }),
    svg("line", { class: "sw-zero", x1: x(0), x2: x(0), y1: 4, y2: bottom }),
    ...rows,
  );
}

/** Build the widget in `el`; returns the function that stops it. */
function render({ model, el }) {
  const data = model.get("data");
  const study = seedStudy(data);
  const summary = summaryLine();
  const results = html("div");
  const plot = widthFitted(part("div", "reductions"), ({ result, spread }, width) => [
    drawReductions(data, study, result, spread, width),
  ]);
  const ranks = widthFitted(part("div", "ranks"), ({ result }, width) => [
    drawRanks(data, study, result, width),
  ]);
  const drawn = part("p", "drawn");
  const runs = slider("k", { min: 2, max: data.n_runs }, (k) => write(model, "k", k));
  const resample = button("resample", "Resample", () =>
    write(model, "draw", model.get("draw") + 1),
  );

  function show() {
    const k = model.get("k");
    const result = study.study(k, model.get("draw"));
    const spread = study.spread(k);
    runs.input.value = k;
    setText(runs.shown, `${k} of ${data.n_runs}`);
    runs.input.setAttribute("aria-valuetext", `${k} of ${data.n_runs} runs`);
    setText(summary, seedsSentence(data, k, study, result, spread));
    results.replaceChildren(resultsTable(data, result, spread));
    const numbers = result.rows.map((row) => row + 1).join(", ");
    setText(drawn, `Draw ${model.get("draw")}: runs ${numbers}.`);
    plot.show({ result, spread });
    ranks.show({ result });
    write(model, "rows", result.rows);
  }

  const legend = html(
    "div",
    { class: "sw-legend" },
    legendEntry(svg("circle", { class: "sw-dot sw-of-method", cx: 13, cy: 6, r: 5 }), "drawn runs"),
    legendEntry(
      svg("line", { class: "sw-interval sw-of-method", x1: 1, x2: 25, y1: 6, y2: 6 }),
      `middle 95 % of ${data.n_resamples} draws`,
    ),
    legendEntry(svg("line", { class: "sw-all", x1: 13, x2: 13, y1: 0, y2: 12 }), "all runs"),
    legendEntry(
      svg("line", { class: "sw-zero", x1: 13, x2: 13, y1: 0, y2: 12 }),
      `0: ${data.methods[data.baseline].name}`,
    ),
  );
  const note = html(
    "p",
    { class: "sw-note" },
    `A draw takes the same rows (runs) of every method, without replacement. The intervals ` +
      "show how much a study with k runs could have differed from another; as k nears " +
      `${data.n_runs} the draws are nearly the same runs, so the intervals shrink for that ` +
      "reason too. With few runs LEₘ is too low: labels that are rare have not been seen yet.",
  );
  const controls = html("div", { class: "sw-controls" }, field("Runs k", runs.element), resample);
  const sections = [controls, summary, legend, plot.element, ranks.element, results, drawn, note];
  el.append(root("how-many-seeds", "How many seeds?", ...sections));
  const unobserve = observe(model, ["k", "draw"], show);
  show();
  return stopAll(unobserve, plot.stop, ranks.stop);
}

const widget = { render };
export default widget;
