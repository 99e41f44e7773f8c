/*
 * The language model in JavaScript: how surprising each word of a text is, given those before it.
 *
 * It computes what `textrnn_runtime.language_model` and `textrnn_runtime.surprise` compute in NumPy,
 * forwards, from the same file of arrays. V is the number of pieces, E the size of an embedding.
 */

/** A trained language model, and the text that it read last. */
class LanguageModel {
  static BETWEEN = 0; // The token between two texts.
  static FEW = 32; // The number of new tokens that take hardly any time.

  /**
   * @param {Uint8Array} network The content of `runtime.safetensors`.
   * @param {SentencePiece} tokenizer
   * @param {RegExp} unspaced Matches a character of a script without spaces.
   */
  constructor(network, tokenizer, unspaced) {
    Object.assign(this, { tokenizer, unspaced });
    const tensors = new TensorFile(network);
    this.settings = JSON.parse(tensors.metadata.architecture);
    const embeddings = tensors.get("embedding/embeddings"); // [V, E]
    [this.embeddings, this.width] = [embeddings.data, embeddings.shape[1]];
    this.bias = tensors.get("output/bias").data; // [V]
    this.kernel = tensors.get("projection/forward/kernel").data; // [H, E]
    this.shift = tensors.get("projection/forward/bias").data; // [E]
    this.layers = Array.from({ length: this.settings.layers }, (_, i) =>
      new Direction(tensors, `layer_${i}/forward`, this.settings));
    this.rows = [];
    this.logits = new Float64Array(this.bias.length);
    this.places = []; // What is known after each token that was read: while one types, few change.
  }

  /**
   * The likelihood of a text, as the server returns it.
   * @param {string} text
   * @param {function} rest Lets the page breathe.
   * @param {function} onWait Called if the reading will take a while.
   */
  async read(text, rest, onWait) {
    const tokens = this.tokenizer.encodeWithSpans(text);
    const bits = await this._bits(tokens.map(({ id }) => id), rest, onWait);
    const codePoints = codePointPlaces(text);
    const words = new Words(text, tokens, this.unspaced).list().map(({ start, end, first, stop }) => ({
      word: text.slice(start, end),
      start: codePoints[start],
      end: codePoints[end],
      bits: bits.slice(first, stop).reduce((sum, x) => sum + x, 0),
    }));
    const sum = (rows) => rows.reduce((all, x) => all + x, 0);
    const total = sum(bits);
    const perToken = total / bits.length;
    const limit = this.settings.unusual_bits_per_token;
    return {
      log_likelihood: -total * Math.LN2,
      tokens: tokens.length,
      bits_per_token: perToken,
      perplexity: 2 ** perToken,
      bits: total,
      bits_per_word: words.length ? sum(words.map((word) => word.bits)) / words.length : null,
      unusual: limit === null ? null : perToken > limit,
      words,
      end_bits: bits[bits.length - 1],
    };
  }

  /** The bits of each token and of the end of the text. */
  async _bits(ids, rest, onWait) {
    const read = [LanguageModel.BETWEEN, ...ids];
    let known = 0;
    while (known < this.places.length && this.places[known].id === read[known]) known++;
    this.places.length = known;
    if (read.length - known > LanguageModel.FEW) onWait();
    for (const id of read.slice(known)) {
      await rest();
      this.places.push(this._next(id, this.places[this.places.length - 1]));
    }
    return [...ids, LanguageModel.BETWEEN].map((id, t) => {
      const { vector, logSum } = this.places[t];
      return (logSum - this._logit(vector, id)) / Math.LN2;
    });
  }

  /** Reads a token after a place; `vector` predicts the next token, `logSum` normalizes that. */
  _next(id, before) {
    const states = this.layers.map((layer, i) => {
      const { states: arrays, before: inputs } = before?.states[i] ?? layer.start();
      return { states: arrays.map((array) => array.slice()), before: inputs };
    });
    let row = this.rows[id] ??= this.embeddings.subarray(id * this.width, (id + 1) * this.width);
    this.layers.forEach((layer, i) => {
      const output = layer.step(row, states[i]);
      const added = this.settings.residual && output.length === row.length;
      row = added ? output.map((x, k) => x + row[k]) : output;
    });
    const vector = Float32Array.from(this.shift);
    addProduct(row, this.kernel, vector);
    return { id, states, vector, logSum: this._logSum(vector) };
  }

  _logit(vector, id) {
    const at = id * this.width;
    let sum = this.bias[id];
    for (let e = 0; e < this.width; e++) sum += vector[e] * this.embeddings[at + e];
    return sum;
  }

  /** The logarithm of the sum of the powers of all logits. */
  _logSum(vector) {
    let largest = -Infinity;
    for (let id = 0; id < this.logits.length; id++) {
      this.logits[id] = this._logit(vector, id);
      if (this.logits[id] > largest) largest = this.logits[id];
    }
    let total = 0;
    for (let id = 0; id < this.logits.length; id++) total += Math.exp(this.logits[id] - largest);
    return largest + Math.log(total);
  }
}
