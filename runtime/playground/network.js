/*
 * The network in JavaScript: token ids in, logits out, for one text.
 *
 * It computes what `textrnn_runtime.network` computes in NumPy, from the same file of arrays. The
 * equations of the cells are in `textrnn.layers.cells`. Arrays are Float32Array in C order; the
 * comments give their shapes: T time steps, E inputs, H units, C classes, V pieces.
 */

/** A file of arrays in the safetensors format, whose header is in ASCII. */
class TensorFile {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = 8 + view.getUint32(0, true);
    const header = JSON.parse(latin(bytes, 8, start));
    this.metadata = header.__metadata__ ?? {};
    delete header.__metadata__;
    const types = { F32: Float32Array, I32: Int32Array, I8: Int8Array };
    this.arrays = new Map();
    for (const [name, { dtype, shape, data_offsets: [first, last] }] of Object.entries(header)) {
      const data = new types[dtype](bytes.slice(start + first, start + last).buffer);
      this.arrays.set(name, { data, shape });
    }
  }

  /** The array with a name, `{data, shape}`; undefined if there is none. */
  get(name) {
    return this.arrays.get(name);
  }
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Adds `row [E] @ kernel[from : from + E]` to `out [G]`. */
function addProduct(row, kernel, out, from = 0) {
  const width = out.length;
  for (let e = 0; e < row.length; e++) {
    const value = row[e];
    if (value === 0) continue;
    const at = (from + e) * width;
    for (let g = 0; g < width; g++) out[g] += value * kernel[at + g];
  }
}

/**
 * The steps of the cells. A step takes the projected inputs of one step, the states (which it
 * replaces by the new ones), the product of the old state with the recurrent kernel, and H.
 */
const STEPS = {
  simple(gate, [h], product, units) {
    for (let i = 0; i < units; i++) h[i] = Math.tanh(product[i] + gate[i]);
  },
  gru(gate, [h], product, units, recurrentBias) {
    for (let i = 0; i < units; i++) {
      const [r, c] = [units + i, 2 * units + i];
      const z = sigmoid(gate[i] + product[i] + recurrentBias[i]);
      const reset = sigmoid(gate[r] + product[r] + recurrentBias[r]);
      const candidate = Math.tanh(gate[c] + reset * (product[c] + recurrentBias[c]));
      h[i] = z * h[i] + (1 - z) * candidate;
    }
  },
  lstm(gate, [h, c], product, units) {
    for (let i = 0; i < units; i++) {
      const of = (k) => gate[k * units + i] + product[k * units + i];
      c[i] = sigmoid(of(1)) * c[i] + sigmoid(of(0)) * Math.tanh(of(2));
      h[i] = sigmoid(of(3)) * Math.tanh(c[i]);
    }
  },
  mingru(gate, [h], product, units) {
    for (let i = 0; i < units; i++) {
      const z = sigmoid(gate[i]);
      h[i] = (1 - z) * h[i] + z * gate[units + i];
    }
  },
  minlstm(gate, [h], product, units) {
    for (let i = 0; i < units; i++) {
      const [f, input] = [sigmoid(gate[i]), sigmoid(gate[units + i])];
      const decay = f + input > 0 ? f / (f + input) : 0;
      h[i] = decay * h[i] + (1 - decay) * gate[2 * units + i];
    }
  },
};

/** The number of gates of each cell. */
const GATES = { simple: 1, gru: 3, lstm: 4, mingru: 2, minlstm: 3 };

/** One direction of one recurrent layer. */
class Direction {
  constructor(tensors, name, { cell, window }) {
    this.cell = cell;
    this.window = window;
    const kernel = tensors.get(`${name}/kernel`); // [w E, G H]
    this.kernel = kernel.data;
    this.width = kernel.shape[1];
    this.inputs = kernel.shape[0] / window;
    this.units = this.width / GATES[cell];
    this.recurrent = tensors.get(`${name}/recurrent_kernel`)?.data; // [H, G H]
    const bias = tensors.get(`${name}/bias`).data; // [G H], or of the GRU [2, 3 H].
    this.bias = bias.subarray(0, this.width);
    this.recurrentBias = bias.subarray(this.width);
    this.known = new WeakMap(); // Embeddings occur again and again.
  }

  start() {
    const states = Array.from({ length: this.cell === "lstm" ? 2 : 1 },
      () => new Float32Array(this.units));
    return { states, before: [] }; // The products of the inputs before, the latest first.
  }

  /** The products `[w G H]` of an input `[E]` with the parts of the kernel. */
  _products(input) {
    let products = this.known.get(input);
    if (products === undefined) {
      products = new Float32Array(this.window * this.width);
      for (let k = 0; k < this.window; k++) {
        const part = products.subarray(k * this.width, (k + 1) * this.width);
        addProduct(input, this.kernel, part, k * this.inputs);
      }
      this.known.set(input, products);
    }
    return products;
  }

  /** Reads an input `[E]`: returns the output `[H]` and changes the state. */
  step(input, state) {
    const gate = Float32Array.from(this.bias);
    state.before = [this._products(input), ...state.before].slice(0, this.window);
    state.before.forEach((products, k) => {
      const at = k * this.width;
      for (let g = 0; g < this.width; g++) gate[g] += products[at + g];
    });
    const product = new Float32Array(this.recurrent ? this.width : 0);
    if (this.recurrent) addProduct(state.states[0], this.recurrent, product);
    STEPS[this.cell](gate, state.states, product, this.units, this.recurrentBias);
    return Float32Array.from(state.states[0]);
  }

  /** Reads a whole sequence: a list of outputs. */
  read(sequence) {
    const state = this.start();
    return sequence.map((input) => this.step(input, state));
  }
}

const joined = (...rows) => {
  const all = new Float32Array(rows.reduce((size, row) => size + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
};

/** The recurrent layers on top of each other. */
class Stack {
  static EPSILON = 1e-3;

  constructor(tensors, architecture) {
    this.settings = architecture;
    const names = architecture.bidirectional ? ["forward", "backward"] : ["forward"];
    const count = architecture.cell === "none" ? 0 : architecture.layers;
    this.layers = Array.from({ length: count }, (_, i) => ({
      directions: names.map((name) => new Direction(tensors, `layer_${i}/${name}`, architecture)),
      gamma: tensors.get(`layer_${i}/norm/gamma`)?.data,
      beta: tensors.get(`layer_${i}/norm/beta`)?.data,
    }));
  }

  /** Embeddings, a list of `[E]`, to the states of the last layer, a list of `[H]`. */
  read(sequence) {
    this.layers.forEach((layer, number) => {
      if (number > 0 && this.settings.pyramid) sequence = Stack._pairs(sequence);
      const outputs = this._layer(layer, number, sequence);
      sequence = outputs.map((output, t) => this._after(output, sequence[t], layer, number));
    });
    return sequence;
  }

  _layer({ directions }, number, sequence) {
    if (directions.length === 1) return directions[0].read(sequence);
    const split = this.settings.separate_directions && number > 0;
    const half = (row, k) => (split ? row.subarray(k * row.length / 2, (k + 1) * row.length / 2) : row);
    const ahead = directions[0].read(sequence.map((row) => half(row, 0)));
    const back = directions[1].read(sequence.map((row) => half(row, 1)).reverse()).reverse();
    return ahead.map((row, t) => joined(row, back[t]));
  }

  /** Adds the input of a layer to its output and normalizes it, where the settings say so. */
  _after(output, input, { gamma, beta }, number) {
    const { residual, layer_norm: norm, separate_directions: separate } = this.settings;
    if (residual && separate && number === 0) input = joined(input, input);
    if (residual && input.length === output.length) output = output.map((x, i) => x + input[i]);
    if (!norm) return output;
    const mean = output.reduce((sum, x) => sum + x, 0) / output.length;
    const variance = output.reduce((sum, x) => sum + (x - mean) ** 2, 0) / output.length;
    const scale = 1 / Math.sqrt(variance + Stack.EPSILON);
    return output.map((x, i) => (x - mean) * scale * gamma[i] + beta[i]);
  }

  static _pairs(sequence) {
    const pairs = [];
    for (let t = 0; t < sequence.length; t += 2) {
      const second = sequence[t + 1] ?? new Float32Array(sequence[t].length);
      pairs.push(joined(sequence[t], second));
    }
    return pairs;
  }
}

/** The weights with which a head adds the units of the states, a list of `[H]`. */
class Head {
  constructor(tensors, { head, bidirectional, cell }) {
    this.head = head;
    this.both = bidirectional && cell !== "none";
    this.kernel = tensors.get("pooling/kernel")?.data; // [H, A]
    this.bias = tensors.get("pooling/bias")?.data;
    this.query = tensors.get("pooling/query")?.data;
  }

  /** The logit of a state's share of attention. */
  _logit(state) {
    const u = Float32Array.from(this.bias);
    addProduct(state, this.kernel, u);
    return u.reduce((sum, x, a) => sum + Math.tanh(x) * this.query[a], 0);
  }

  /** Returns a function of a step t and a unit i. */
  weights(states) {
    const last = states.length - 1;
    if (this.head === "mean") return () => 1 / states.length;
    if (this.head === "last") {
      const half = this.both ? states[0].length / 2 : states[0].length;
      return (t, i) => (t === (i < half ? last : 0) ? 1 : 0);
    }
    if (this.head === "max") {
      const best = Array.from(states[0], (_, i) =>
        states.reduce((top, state, t) => (state[i] > states[top][i] ? t : top), 0));
      return (t, i) => (best[i] === t ? 1 : 0);
    }
    const logits = states.map((state) => this._logit(state));
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return (t) => powers[t] / total;
  }

  /** The pooled vector `[H]`. */
  pool(states, units) {
    const pooled = new Float64Array(units);
    if (!states.length) return pooled;
    const weight = this.weights(states);
    states.forEach((state, t) => {
      for (let i = 0; i < units; i++) pooled[i] += weight(t, i) * state[i];
    });
    return pooled;
  }
}

/** The linear classifier of n-grams. */
class NGrams {
  constructor(tensors, { ngram_once_in: onceIn }, classes) {
    this.classes = classes;
    this.onceIn = onceIn;
    this.bias = tensors.get("ngrams/bias").data;
    this.scales = tensors.get("ngrams/scales").data;
    this.weights = [];
    this.rows = []; // For each order above 1, a map from row * V + token to the next row.
    for (let n = 1; tensors.get(`ngrams/weights_${n}`); n++) {
      const weights = tensors.get(`ngrams/weights_${n}`);
      this.weights.push(weights.data);
      if (n === 1) this.vocabulary = weights.shape[0];
      else this.rows.push(new Map([...tensors.get(`ngrams/keys_${n}`).data].map((key, row) => [key, row])));
    }
  }

  /** The n-grams of a text that count: `{order, row, last}`, `last` the place of the last token. */
  find(ids) {
    const found = [];
    let rows = ids;
    for (let order = 1; order <= this.weights.length; order++) {
      if (order > 1) {
        const table = this.rows[order - 2];
        const before = rows;
        rows = ids.map((id, t) =>
          t > 0 && before[t - 1] > 0 ? table.get(before[t - 1] * this.vocabulary + id) ?? 0 : 0);
      }
      const latest = new Map();
      rows.forEach((row, last) => {
        if (row > 0 && !(last - (latest.get(row) ?? -Infinity) <= this.onceIn)) {
          found.push({ order, row, last });
        }
        latest.set(row, last);
      });
    }
    return found;
  }

  /** What an n-gram of a text of T tokens adds to a logit. */
  weight({ order, row }, label, length) {
    const weight = this.weights[order - 1][row * this.classes + label];
    return (this.scales[order - 1] * weight) / Math.sqrt(Math.max(length, 1));
  }

  /** The logits `[C]`. */
  logits(ids) {
    const logits = Float64Array.from(this.bias);
    for (const ngram of this.find(ids)) {
      for (let c = 0; c < this.classes; c++) logits[c] += this.weight(ngram, c, ids.length);
    }
    return logits;
  }
}

/** A trained classifier of token ids. */
class Network {
  /** @param {TensorFile} tensors */
  constructor(tensors) {
    this.settings = JSON.parse(tensors.metadata.architecture);
    const embeddings = tensors.get("embedding/embeddings"); // [V, E]
    [this.embeddings, this.width] = [embeddings.data, embeddings.shape[1]];
    this.rows = [];
    this.kernel = tensors.get("classify/kernel").data; // [H, C]
    this.bias = tensors.get("classify/bias").data;
    this.classes = this.bias.length;
    this.units = this.kernel.length / this.classes;
    this.stack = new Stack(tensors, this.settings);
    this.head = new Head(tensors, this.settings);
    this.ngrams = this.settings.ngram_once_in === null
      ? null : new NGrams(tensors, this.settings, this.classes);
  }

  /** The ids that are read of a text. */
  cut(ids) {
    const { bidirectional, pyramid, max_length: length } = this.settings;
    return (bidirectional || pyramid) && length ? ids.slice(0, length) : ids;
  }

  /** The same array for the same id, by which the layer above knows it again. */
  _embedding(id) {
    this.rows[id] ??= this.embeddings.subarray(id * this.width, (id + 1) * this.width);
    return this.rows[id];
  }

  /** The states of the last layer, a list of `[H]`, and the pooled vector. */
  read(ids) {
    const states = this.stack.read(ids.map((id) => this._embedding(id)));
    return { states, pooled: this.head.pool(states, this.units) };
  }

  /** The logits `[C]` of a pooled vector and the n-grams of ids. */
  classify(pooled, ids) {
    const logits = this.ngrams ? this.ngrams.logits(ids) : new Float64Array(this.classes);
    for (let c = 0; c < this.classes; c++) {
      logits[c] += this.bias[c];
      for (let i = 0; i < this.units; i++) logits[c] += pooled[i] * this.kernel[i * this.classes + c];
    }
    return logits;
  }
}
