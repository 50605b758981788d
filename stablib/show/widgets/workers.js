// Train in workers: the page stays at hand, and all cores help. common.js stands in front.

// biome-ignore-all lint/correctness/noUnusedVariables: the files that follow use them.

/**
 * Do something for every seed in workers; `onrun(seed, result)` is told of each, `onerror` of a
 * fault.
 *
 * `make(argument)` returns the function of a seed. It, and all that it needs, is among `functions`,
 * whose texts are what the workers run. Returns the function that stops it. The seeds are dealt out,
 * so that the first ones come first.
 */
function runInWorkers(functions, make, argument, seeds, { onrun, onerror }) {
  const count = clamp((navigator.hardwareConcurrency || 2) - 1, 1, Math.min(4, seeds.length));
  const answer = `onmessage = ({ data: { argument, seeds } }) => {
    const run = ${make.name}(argument);
    for (const seed of seeds) postMessage({ seed, result: run(seed) });
  };`;
  const text = [...functions.map(String), answer].join("\n");
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const workers = Array.from({ length: count }, (_, number) => {
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => onrun(data.seed, data.result);
    worker.onerror = (event) => {
      event.preventDefault();
      onerror(event.message || "the browser allows no worker here");
    };
    worker.postMessage({ argument, seeds: seeds.filter((_, at) => at % count === number) });
    return worker;
  });
  return () => {
    for (const worker of workers) worker.terminate();
    URL.revokeObjectURL(url);
  };
}

/**
 * Make the controls of a training: the given buttons, one that stops it, and its progress.
 *
 * `begin(argument, seeds)` starts one in the place of the last; `onresult(seed, result)` is told of
 * each seed, then `onend(finished)` whether all are there.
 */
function trainingDesk(functions, make, buttons, { onresult, onend }) {
  const halt = button("stop", "Stop", () => end(false));
  const progress = part("progress", "progress", { "aria-label": "Trained so far", value: 0 });
  const fault = part("p", "fault", { role: "alert", hidden: true });
  let stop = () => {};
  halt.disabled = true;

  function end(finished) {
    stop();
    halt.disabled = true;
    onend(finished);
  }

  function begin(argument, seeds) {
    stop();
    fault.hidden = true;
    halt.disabled = false;
    progress.max = seeds.length;
    progress.value = 0;
    stop = runInWorkers(functions, make, argument, seeds, {
      onrun(seed, result) {
        progress.value += 1;
        onresult(seed, result);
        if (progress.value === seeds.length) end(true);
      },
      onerror(message) {
        end(false);
        setText(fault, `The training stopped: ${message}.`);
        fault.hidden = false;
      },
    });
  }

  const row = html("div", { class: "sw-controls sw-buttons" }, ...buttons, halt, progress);
  return { element: html("div", {}, row, fault), begin, stop: () => stop() };
}

/** Make a number input for a trait that holds a whole number of the model's ranges. */
function traitInput(model, trait, title, problems) {
  const range = model.get("data").ranges[trait];
  const name = trait.replace("_", "-");
  return numberInput({ name, title, range }, problems, (value) => write(model, trait, value));
}

// Tries that are listed.
const LONGEST_LIST = 8;

/**
 * List tries, the latest first; `row(one)` gives what came out, then the settings.
 *
 * A setting has a column if tries differ in it; those that are the same in all stand above.
 */
function triesList(outcomes, settings, row, onclear = () => {}) {
  const element = html("div");
  let tries = [];
  let number = 0;
  const clear = button("clear", "Clear the list", () => {
    tries = [];
    show();
    onclear();
  });

  function show() {
    if (tries.length === 0) {
      element.replaceChildren();
      return;
    }
    const rows = tries.map(row);
    const names = [...outcomes, ...settings];
    const isShared = names.map(
      (_, at) => at >= outcomes.length && rows.every((cells) => cells[at] === rows[0][at]),
    );
    const differing = (cells) => cells.filter((_, at) => !isShared[at]);
    const shared = names
      .map((name, at) => `${name} ${rows[0][at]}`)
      .filter((_, at) => isShared[at]);
    const caption = `Tries, the latest first${shared.length ? `. In all: ${shared.join(" · ")}` : ""}`;
    const cells = rows.map((of, at) => [String(tries[at].number), ...differing(of)]);
    const listed = table("tries", caption, ["Try", ...differing(names)], cells);
    element.replaceChildren(listed, clear);
  }

  function add(one) {
    number += 1;
    tries = [{ ...one, number }, ...tries].slice(0, LONGEST_LIST);
    show();
  }

  return { element, add, all: () => tries };
}
