// Train a small network on features in the page: the arithmetic of stablib.models.head, of torch's
// Adam and of the methods in stablib.mitigation. common.js and workers.js stand in front.

// biome-ignore-all lint/correctness/noUnusedVariables: the file that follows uses them.

/** Where the weights of each name begin in one array, and how many there are. */
function headLayout({ nFeatures, hidden, nClasses }) {
  const hiddenBias = nFeatures * hidden;
  const output = hiddenBias + hidden;
  const outputBias = output + hidden * nClasses;
  return { hiddenBias, output, outputBias, size: outputBias + nClasses };
}

/** Draw initial weights, uniform within 1 / sqrt(fan in). */
function initialHead(shape, random) {
  const { output, size } = headLayout(shape);
  const bounds = [shape.nFeatures, shape.hidden].map((fanIn) => fanIn ** -0.5);
  return Float32Array.from({ length: size }, (_, at) => {
    const bound = bounds[at < output ? 0 : 1];
    return (2 * random() - 1) * bound;
  });
}

/** Change the last bit of a weight: the next number in its type, away from zero. */
function changeLastBit(weights, index) {
  new Uint32Array(weights.buffer, weights.byteOffset, weights.length)[index] += 1;
}

/** The numbers below a count in a random order (Fisher and Yates). */
function permutation(count, random) {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

/** Which units are kept, scaled such that their mean stays: 0 or 1 / (1 - rate). */
function dropoutMask(count, rate, random) {
  return Float32Array.from({ length: count }, () => (random() < rate ? 0 : 1 / (1 - rate)));
}

/** Hidden units of one example, into `hidden`. */
function hiddenUnits(weights, shape, features, row, hidden) {
  const { hiddenBias } = headLayout(shape);
  const units = shape.hidden;
  for (let unit = 0; unit < units; unit += 1) hidden[unit] = weights[hiddenBias + unit];
  for (let at = 0; at < shape.nFeatures; at += 1) {
    const value = features[row * shape.nFeatures + at];
    const start = at * units;
    for (let unit = 0; unit < units; unit += 1) hidden[unit] += value * weights[start + unit];
  }
  for (let unit = 0; unit < units; unit += 1) if (hidden[unit] < 0) hidden[unit] = 0;
}

/** Class probabilities from hidden units, into `chances`. */
function classChances(weights, shape, hidden, chances) {
  const { output, outputBias } = headLayout(shape);
  const { nClasses } = shape;
  for (let k = 0; k < nClasses; k += 1) chances[k] = weights[outputBias + k];
  for (let unit = 0; unit < shape.hidden; unit += 1) {
    const value = hidden[unit];
    if (value === 0) continue;
    const start = output + unit * nClasses;
    for (let k = 0; k < nClasses; k += 1) chances[k] += value * weights[start + k];
  }
  const largest = Math.max(...chances);
  let total = 0;
  for (let k = 0; k < nClasses; k += 1) total += chances[k] = Math.exp(chances[k] - largest);
  for (let k = 0; k < nClasses; k += 1) chances[k] /= total;
}

/** Class probabilities of all examples, one after the other, without dropout. */
function predictHead(weights, shape, features) {
  const count = features.length / shape.nFeatures;
  const all = new Float32Array(count * shape.nClasses);
  const hidden = new Float64Array(shape.hidden);
  const chances = new Float64Array(shape.nClasses);
  for (let row = 0; row < count; row += 1) {
    hiddenUnits(weights, shape, features, row, hidden);
    classChances(weights, shape, hidden, chances);
    all.set(chances, row * shape.nClasses);
  }
  return all;
}

/** Gradient of the mean cross-entropy of a mini-batch; `kept` is its dropout mask. */
function headGradient(weights, shape, { features, targets }, rows, kept, gradient) {
  const { hiddenBias, output, outputBias } = headLayout(shape);
  const { nFeatures, nClasses, hidden: units } = shape;
  const hidden = new Float64Array(units);
  const chances = new Float64Array(nClasses);
  gradient.fill(0);
  rows.forEach((row, place) => {
    hiddenUnits(weights, shape, features, row, hidden);
    const mask = place * units;
    for (let unit = 0; unit < units; unit += 1) hidden[unit] *= kept[mask + unit];
    classChances(weights, shape, hidden, chances);
    for (let k = 0; k < nClasses; k += 1) {
      chances[k] = (chances[k] - targets[row * nClasses + k]) / rows.length;
      gradient[outputBias + k] += chances[k];
    }
    for (let unit = 0; unit < units; unit += 1) {
      // What was dropped or inactive passes nothing on.
      if (hidden[unit] === 0) continue;
      const start = output + unit * nClasses;
      let back = 0;
      for (let k = 0; k < nClasses; k += 1) {
        gradient[start + k] += hidden[unit] * chances[k];
        back += weights[start + k] * chances[k];
      }
      hidden[unit] = back * kept[mask + unit];
      gradient[hiddenBias + unit] += hidden[unit];
    }
    for (let at = 0; at < nFeatures; at += 1) {
      const value = features[row * nFeatures + at];
      const start = at * units;
      for (let unit = 0; unit < units; unit += 1) gradient[start + unit] += value * hidden[unit];
    }
  });
}

/** Make Adam with torch's defaults; `step(weights, gradient, rate)` changes the weights. */
function makeAdam(size) {
  const first = new Float64Array(size);
  const second = new Float64Array(size);
  let steps = 0;
  return (weights, gradient, rate) => {
    steps += 1;
    const length = rate / (1 - 0.9 ** steps);
    const scale = Math.sqrt(1 - 0.999 ** steps);
    for (let at = 0; at < size; at += 1) {
      const slope = gradient[at];
      first[at] += 0.1 * (slope - first[at]);
      second[at] += 0.001 * (slope * slope - second[at]);
      weights[at] -= (length * first[at]) / (Math.sqrt(second[at]) / scale + 1e-8);
    }
  };
}

/**
 * Make what averages weights: of all steps, taken as the weights when an epoch ends (ASWA), or of
 * the ends of the last two epochs (SWA); else it does nothing.
 */
function makeAverager(method, weights, nEpochs) {
  if (method === "ASWA") {
    const average = Float64Array.from(weights);
    let steps = 0;
    return {
      beforeStep() {
        steps += 1;
        for (let at = 0; at < average.length; at += 1) {
          average[at] += (weights[at] - average[at]) / (steps + 1);
        }
      },
      afterEpoch: () => weights.set(average),
    };
  }
  if (method === "SWA") {
    const last = [];
    return {
      beforeStep() {},
      afterEpoch(epoch) {
        if (epoch > nEpochs - 2) last.push(weights.slice());
        if (epoch < nEpochs) return;
        for (let at = 0; at < weights.length; at += 1) {
          weights[at] = last.reduce((sum, one) => sum + one[at], 0) / last.length;
        }
      },
    };
  }
  return { beforeStep() {}, afterEpoch() {} };
}

/** Train weights in place; `watch(step)` is told of each step, counted from 1. */
function trainHead(weights, shape, task, settings, { order, dropout }, watch = () => {}) {
  const { batchSize, epochs, learningRate, dropoutRate, method } = settings;
  const nTrain = task.features.length / shape.nFeatures;
  const gradient = new Float64Array(weights.length);
  const adam = makeAdam(weights.length);
  const averager = makeAverager(method, weights, epochs);
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    const places = permutation(nTrain, order);
    for (let start = 0; start < nTrain; start += batchSize) {
      step += 1;
      averager.beforeStep();
      const rows = places.subarray(start, start + batchSize);
      const kept = dropoutMask(rows.length * shape.hidden, dropoutRate, dropout);
      headGradient(weights, shape, task, rows, kept, gradient);
      adam(weights, gradient, learningRate);
      watch(step);
    }
    averager.afterEpoch(epoch);
  }
}

/** Raise probabilities to a power and normalise: eq. 2 as printed. */
function temperAll(chances, nClasses, temperature) {
  const tempered = new Float32Array(chances.length);
  for (let start = 0; start < chances.length; start += nClasses) {
    const row = chances.subarray(start, start + nClasses);
    const largest = Math.max(...row);
    const powers = Array.from(row, (chance) => (chance / largest) ** temperature);
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let k = 0; k < nClasses; k += 1) tempered[start + k] = powers[k] / total;
  }
  return tempered;
}

/** Begin a training: generators of what differs from run to run, and of what does not. */
function beginHead(shape, vary, seed, fixed) {
  const sources = ["initial weights", "order", "dropout"];
  const [init, order, dropout] = sources.map((source, number) => {
    const own = vary.includes(source) ? seed : fixed;
    // Neighbouring seeds, and sources of one seed, must not begin near each other.
    return generator(Math.imul(own, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  });
  const weights = initialHead(shape, init);
  if (vary.includes("one bit")) changeLastBit(weights, seed % weights.length);
  return { weights, order, dropout };
}

/** Mean predictions of a teacher on the training examples, over the last fifth of its steps. */
function teacherMean(shape, task, settings, vary, seed, fixed) {
  const { weights, ...randoms } = beginHead(shape, vary, seed, fixed);
  const nTrain = task.features.length / shape.nFeatures;
  const nSteps = settings.epochs * Math.ceil(nTrain / settings.batchSize);
  const after = Math.floor(0.8 * nSteps);
  const every = Math.max(1, Math.floor((nSteps - after) / 16));
  const total = new Float32Array(nTrain * shape.nClasses);
  let looks = 0;
  trainHead(weights, shape, task, { ...settings, method: "plain" }, randoms, (step) => {
    if (step <= after || (step - after) % every) return;
    looks += 1;
    const chances = predictHead(weights, shape, task.features);
    for (let at = 0; at < total.length; at += 1) total[at] += chances[at];
  });
  return total.map((sum) => sum / looks);
}

/** Gold labels as probabilities. */
function oneHot(labels, nClasses) {
  const targets = new Float32Array(labels.length * nClasses);
  labels.forEach((label, row) => {
    targets[row * nClasses + label] = 1;
  });
  return targets;
}

/**
 * Make a trainer of one task; it returns the predicted label of every test example for a seed.
 *
 * `settings.vary` names what a seed decides. Teachers have seeds of their own: one for all students
 * or, with `settings.teacher` "own", one for each.
 */
function makeTrainer({ task: { shape, features, labels, testFeatures }, settings }) {
  // Larger than any seed, so that no student is its own teacher.
  const TEACHER = 1000000;
  const { vary, method, teacher, temperature } = settings;
  const gold = { features, targets: oneHot(labels, shape.nClasses) };
  let shared = null;

  function taughtBy(seed) {
    const mean = teacherMean(shape, gold, settings, vary, TEACHER + seed, TEACHER);
    return { features, targets: temperAll(mean, shape.nClasses, temperature) };
  }

  function taskOf(seed) {
    if (method !== "TGTSS") return gold;
    if (teacher === "own") return taughtBy(seed);
    shared ??= taughtBy(0);
    return shared;
  }

  return function run(seed) {
    const { weights, ...randoms } = beginHead(shape, vary, seed, 0);
    trainHead(weights, shape, taskOf(seed), settings, randoms);
    const chances = predictHead(weights, shape, testFeatures);
    return Uint8Array.from({ length: testFeatures.length / shape.nFeatures }, (_, row) => {
      const own = chances.subarray(row * shape.nClasses, (row + 1) * shape.nClasses);
      return own.indexOf(Math.max(...own));
    });
  };
}

/** All that a worker must know: these depend on nothing but each other. */
const TRAINER = [
  generator,
  headLayout,
  initialHead,
  changeLastBit,
  permutation,
  dropoutMask,
  hiddenUnits,
  classChances,
  predictHead,
  headGradient,
  makeAdam,
  makeAverager,
  trainHead,
  temperAll,
  beginHead,
  teacherMean,
  oneHot,
  makeTrainer,
];
