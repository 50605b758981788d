// Train pairs of tiny networks on one stream in the page: the arithmetic of the kernels in
// stablib.workloads.streams. common.js and workers.js stand in front.

// biome-ignore-all lint/correctness/noUnusedVariables: the file that follows uses them.

/** Draw a stream: each example's features as bits, and its label. */
function drawStream(count, { chances, truth }, random) {
  const bits = new Uint32Array(count);
  const labels = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) {
    let pattern = 0;
    let odds = 0;
    for (let j = 0; j < chances.length; j += 1) {
      if (random() >= chances[j]) continue;
      pattern |= 1 << j;
      odds += truth[j];
    }
    bits[at] = pattern >>> 0;
    labels[at] = random() < 1 / (1 + Math.exp(-odds)) ? 1 : 0;
  }
  return { bits, labels };
}

/** The order in which a stream is met: shuffled inside windows of so many examples. */
function windowOrder(count, window, random) {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let start = 0; start < count; start += window) {
    for (let at = Math.min(window, count - start) - 1; at > 0; at -= 1) {
      const other = start + Math.floor(random() * (at + 1));
      [order[start + at], order[other]] = [order[other], order[start + at]];
    }
  }
  return order;
}

/** Draw first weights as Keras does: uniform by Glorot, biases 0. Without hidden units, linear. */
function firstWeights(nFeatures, hidden, random) {
  const uniform = (inputs, outputs) => () => (2 * random() - 1) * Math.sqrt(6 / (inputs + outputs));
  const first = Math.max(hidden, 1);
  const weights = Array.from({ length: nFeatures * first }, uniform(nFeatures, first));
  const biases = new Array(first).fill(0);
  if (hidden === 0) return Float32Array.from([...weights, ...biases]);
  const second = Array.from({ length: hidden }, uniform(hidden, 1));
  return Float32Array.from([...weights, ...biases, ...second, 0]);
}

/** Make an activation and its slope. */
function makeActivation(name, beta) {
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  return {
    identity: [(z) => z, () => 1],
    relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
    smelu: [
      (z) => (z <= -beta ? 0 : z >= beta ? z : ((z + beta) * (z + beta)) / 4 / beta),
      (z) => (z <= -beta ? 0 : z >= beta ? 1 : (z + beta) / 2 / beta),
    ],
    swish: [
      (z) => z * sigmoid(beta * z),
      (z) => sigmoid(beta * z) * (1 + beta * z * (1 - sigmoid(beta * z))),
    ],
  }[name];
}

/** Predicted log-odds of the features in `bits`; what goes into the activation, into `sums`. */
function pairOdds(weights, bits, { nFeatures, hidden }, activate, sums) {
  const units = Math.max(hidden, 1);
  const bias = nFeatures * units;
  for (let unit = 0; unit < units; unit += 1) sums[unit] = weights[bias + unit];
  for (let rest = bits; rest !== 0; rest = (rest & (rest - 1)) >>> 0) {
    const row = (31 - Math.clz32(rest & -rest)) * units;
    for (let unit = 0; unit < units; unit += 1) sums[unit] += weights[row + unit];
  }
  if (hidden === 0) return sums[0];
  const second = bias + units;
  let odds = weights[second + units];
  for (let unit = 0; unit < units; unit += 1) odds += weights[second + unit] * activate(sums[unit]);
  return odds;
}

/**
 * Train on a part of a stream, in place, by AdaGrad in mini-batches.
 *
 * Gradients are added up in single precision, in the order of the examples: with windows of one
 * mini-batch their rounding is all that tells two models apart.
 */
function trainOnStream(weights, memory, stream, order, from, to, network, learningRate) {
  const { nFeatures, hidden, activation, batchSize } = network;
  const [activate, slope] = activation;
  const units = Math.max(hidden, 1);
  const bias = nFeatures * units;
  const second = bias + units;
  const gradient = new Float32Array(weights.length);
  const sums = new Float64Array(units);
  const errors = new Float64Array(units);
  for (let start = from; start < to; start += batchSize) {
    for (let at = start; at < start + batchSize; at += 1) {
      const pattern = stream.bits[order[at]];
      const odds = pairOdds(weights, pattern, network, activate, sums);
      const error = 1 / (1 + Math.exp(-odds)) - stream.labels[order[at]];
      if (hidden === 0) errors[0] = error;
      else {
        gradient[second + units] += error;
        for (let unit = 0; unit < units; unit += 1) {
          gradient[second + unit] += error * activate(sums[unit]);
          errors[unit] = error * weights[second + unit] * slope(sums[unit]);
        }
      }
      for (let unit = 0; unit < units; unit += 1) gradient[bias + unit] += errors[unit];
      for (let rest = pattern; rest !== 0; rest = (rest & (rest - 1)) >>> 0) {
        const row = (31 - Math.clz32(rest & -rest)) * units;
        for (let unit = 0; unit < units; unit += 1) gradient[row + unit] += errors[unit];
      }
    }
    for (let p = 0; p < weights.length; p += 1) {
      const g = gradient[p] / batchSize;
      memory[p] += g * g;
      weights[p] -= (learningRate * g) / (Math.sqrt(memory[p]) + 1e-7);
      gradient[p] = 0;
    }
  }
}

/** Relative prediction difference of two models (eq. 3), on evaluation examples. */
function relativeDifference(pair, evaluation, network, truths) {
  const [activate] = network.activation;
  const sums = new Float64Array(Math.max(network.hidden, 1));
  let total = 0;
  for (let at = 0; at < evaluation.bits.length; at += 1) {
    const [first, second] = pair.map(
      (weights) =>
        1 / (1 + Math.exp(-pairOdds(weights, evaluation.bits[at], network, activate, sums))),
    );
    total += Math.abs(second - first) / truths[at];
  }
  return total / evaluation.bits.length;
}

/** True probabilities of label 1. */
function trueChances({ bits }, truth) {
  return Float64Array.from(bits, (pattern) => {
    let odds = 0;
    for (let rest = pattern; rest !== 0; rest = (rest & (rest - 1)) >>> 0) {
      odds += truth[31 - Math.clz32(rest & -rest)];
    }
    return 1 / (1 + Math.exp(-odds));
  });
}

/**
 * Make a trainer of pairs; it returns the PD for a seed after the first checkpoint's examples, and
 * each time that they are twice as many.
 *
 * Both models of a pair meet the same examples, each in an order of its own.
 */
function makePairs({ model, settings }) {
  const { chances, truth } = model;
  const nFeatures = chances.length;
  const { hidden, activation, beta, learningRate, log2Window, sameInit, log2Examples } = settings;
  const { batchSize, nEvaluated, log2First } = settings;
  const network = { nFeatures, hidden, activation: makeActivation(activation, beta), batchSize };
  const count = 2 ** log2Examples;

  return function run(seed) {
    const of = (source) =>
      generator(Math.imul(seed, 0x9e3779b1) ^ Math.imul(source + 1, 0x85ebca6b));
    const stream = drawStream(count, model, of(0));
    const evaluation = drawStream(nEvaluated, model, of(1));
    const truths = trueChances(evaluation, truth);
    const orders = [2, 3].map((source) =>
      windowOrder(count, batchSize * 2 ** log2Window, of(source)),
    );
    const pair = [4, sameInit ? 4 : 5].map((source) => firstWeights(nFeatures, hidden, of(source)));
    const memories = pair.map((weights) => new Float32Array(weights.length).fill(0.1));
    const differences = [];
    for (let done = 0, log2 = log2First; log2 <= log2Examples; done = 2 ** log2, log2 += 1) {
      pair.forEach((weights, member) => {
        const memory = memories[member];
        const order = orders[member];
        trainOnStream(weights, memory, stream, order, done, 2 ** log2, network, learningRate);
      });
      differences.push(relativeDifference(pair, evaluation, network, truths));
    }
    return differences;
  };
}

/** All that a worker must know: these depend on nothing but each other. */
const PAIRS = [
  generator,
  drawStream,
  windowOrder,
  firstWeights,
  makeActivation,
  pairOdds,
  trainOnStream,
  relativeDifference,
  trueChances,
  makePairs,
];
