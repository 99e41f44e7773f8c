/*
 * Models that lie in the page itself: the same examinations as the server's, computed here.
 *
 * `textrnn_runtime.examination`, `labels`, `decision_rule` and `text.words` say what is computed.
 */

/** Where the words of a text are, given the places of its tokens. */
class Words {
  // White space as Python's `re` knows it, and line breaks of HTML.
  static BLANK = "(?:[\\s\\u001c-\\u001f\\u0085]|<br\\s*/?>)*";
  static SEEN = new RegExp(`^${Words.BLANK}(.*?)${Words.BLANK}$`, "dius");
  static MARK = /\p{M}/u;
  static ALPHANUMERIC = /[\p{L}\p{N}]/u;

  /**
   * @param {string} text
   * @param {{start: number, end: number}[]} tokens Their places, in UTF-16 units.
   * @param {RegExp} unspaced Matches a character of a script without spaces.
   */
  constructor(text, tokens, unspaced) {
    Object.assign(this, { text, tokens, unspaced });
  }

  /** The words: `{start, end, first, stop}`, where `first` and `stop` count tokens. */
  list() {
    return this._groups().map(([first, stop]) => {
      const inside = this.tokens.slice(first, stop);
      const span = [inside[0].start, Math.max(...inside.map(({ end }) => end))];
      const [start, end] = this._trim(span) ?? span;
      return { start, end, first, stop };
    });
  }

  _groups() {
    const groups = [];
    let [end, begun, parts] = [0, false, 0];
    this.tokens.forEach(({ start, end: stop }, i) => {
      if (start === stop) {
        parts += 1;
        return;
      }
      const first = i - parts;
      parts = 0;
      const seen = this._trim([start, stop]);
      const apart = begun && seen !== null && this._separates(end, seen[0]);
      if (!groups.length || apart) groups.push([first, i + 1]);
      else groups[groups.length - 1][1] = i + 1;
      if (seen !== null) [begun, end] = [true, seen[1]];
    });
    if (parts) {
      if (groups.length) groups[groups.length - 1][1] = this.tokens.length;
      else groups.push([0, this.tokens.length]);
    }
    return groups;
  }

  _trim([start, end]) {
    const match = Words.SEEN.exec(this.text.slice(start, end));
    if (match === null || !match[1]) return null;
    return match.indices[1].map((place) => start + place);
  }

  _separates(end, start) {
    if (start > end) return true;
    const before = Array.from(this.text.slice(Math.max(0, end - 2), end)).pop() ?? "";
    const after = String.fromCodePoint(this.text.codePointAt(start));
    return !(Words.MARK.test(after) || (this._joins(before) && this._joins(after)));
  }

  _joins(character) {
    if (this.unspaced.test(character)) return false;
    return Words.ALPHANUMERIC.test(character) || Words.MARK.test(character);
  }
}

/** A model in the page: a network, its tokenizer, its labels and its rule. */
class LocalModel {
  /**
   * @param {{name: string, labels: string[], rule: object, unspaced: string, network: Uint8Array,
   *   tokenizer: Uint8Array, languageModel: ?{network: Uint8Array, tokenizer: ?Uint8Array}}} files
   *   `rule` as in `decisions.json`; a language model without a tokenizer has that of the model.
   */
  constructor({ name, labels, rule, unspaced, network, tokenizer, languageModel }) {
    Object.assign(this, { name, labels, rule });
    this.unspaced = new RegExp(unspaced, "u");
    this.tokenizer = new SentencePiece(tokenizer);
    this.network = new Network(new TensorFile(network));
    this.multiLabel = this.network.settings.multi_label;
    this.languageModel = null;
    if (languageModel) {
      const own = languageModel.tokenizer ? new SentencePiece(languageModel.tokenizer) : this.tokenizer;
      this.languageModel = new LanguageModel(languageModel.network, own, this.unspaced);
    }
  }

  probabilities(logits) {
    if (this.multiLabel) return Array.from(logits, (z) => Math.fround(sigmoid(z)));
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (z) => Math.exp(z - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => Math.fround(power / total));
  }

  /** The answer that probabilities mean, by the rule of the run. */
  answer(scores) {
    const { weights, costs, thresholds, abstain_below: limit = 0 } = this.rule;
    const named = (values, i) => values[this.labels[i]];
    const utilities = costs
      ? scores.map((_, c) => -scores.reduce((sum, p, k) => sum + p * costs[this.labels[k]][this.labels[c]], 0))
      : scores.map((p, i) => (weights ? p * named(weights, i) : p));
    const carried = scores.map((p, i) => p >= (thresholds ? Math.fround(named(thresholds, i)) : 0.5));
    const ranks = this.multiLabel ? scores.map((p, i) => p + Number(carried[i])) : utilities;
    const best = ranks.indexOf(Math.max(...ranks));
    const sureness = this.multiLabel
      ? Math.min(...scores.map((p, i) => (carried[i] ? p : 1 - p))) : scores[best];
    const abstained = sureness < Math.fround(limit);
    const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
    const decided = order.filter((i) => (this.multiLabel ? carried[i] : i === best));
    return {
      label: this.labels[best],
      score: scores[best],
      labels: abstained ? [] : decided.map((i) => this.labels[i]),
      scores: Object.fromEntries(scores.map((p, i) => [this.labels[i], p])),
      abstained,
    };
  }

  /** The states, their last one (of the forward direction) and the probabilities. */
  read(ids) {
    const { states, pooled } = this.network.read(ids);
    const { bidirectional, cell } = this.network.settings;
    const both = bidirectional && cell !== "none";
    const last = states.length ? states[states.length - 1] : new Float32Array(this.network.units);
    return {
      states,
      last: both ? last.subarray(0, last.length / 2) : last,
      scores: this.probabilities(this.network.classify(pooled, ids)),
    };
  }

  /** What each token adds to the logit of a label; null if the logit is no sum over the tokens. */
  contributions(ids, states, target) {
    const { head, kernel, units, classes, settings, ngrams } = this.network;
    if (settings.head === "last") return null;
    const parts = new Float64Array(ids.length);
    const weight = states.length ? head.weights(states) : null;
    // A state of a pyramid belongs to several tokens, which share its score.
    const share = settings.pyramid && settings.cell !== "none" ? 2 ** (settings.layers - 1) : 1;
    states.forEach((state, t) => {
      let part = 0;
      for (let i = 0; i < units; i++) part += weight(t, i) * state[i] * kernel[i * classes + target];
      const stop = Math.min((t + 1) * share, ids.length);
      for (let token = t * share; token < stop; token++) parts[token] += part / (stop - t * share);
    });
    for (const ngram of ngrams?.find(ids) ?? []) {
      const part = ngrams.weight(ngram, target, ids.length) / ngram.order;
      for (let k = 0; k < ngram.order; k++) parts[ngram.last - k] += part;
    }
    return parts;
  }
}

/** The models that lie in the page. */
class LocalModels {
  static MOST_WORDS = 128;
  static MOST_TOKENS = 32768;
  static MOST_DELETIONS = 8;
  static BUSY = 30; // Milliseconds until the page gets time for the keys.

  /** @param {LocalModel[]} models */
  constructor(models) {
    this.all = models;
  }

  async models() {
    return this.all.map(({ name }) => ({ name }));
  }

  async examine(name, text, label, signal, onAnswer = () => {}) {
    const model = this.all.find((other) => other.name === name);
    const tokens = model.tokenizer.encodeWithSpans(text);
    const ids = model.network.cut(tokens.map(({ id }) => id));
    const { states, last, scores } = model.read(ids);
    const answer = model.answer(scores);
    const explained = label ?? answer.label;
    const target = model.labels.indexOf(explained);
    const parts = model.contributions(ids, states, target);
    const words = new Words(text, tokens.slice(0, ids.length), model.unspaced).list();
    const limit = Math.floor(LocalModels.MOST_TOKENS / Math.max(ids.length, 1));
    const seen = words.slice(0, Math.min(LocalModels.MOST_WORDS, limit));
    const length = Math.max(Math.hypot(...last), 1e-12);
    const without = (places) => ids.filter((_, t) =>
      !places.some((place) => seen[place].first <= t && t < seen[place].stop));
    const readings = [];
    const rest = LocalModels._rest(signal);
    for (let i = 0; i < seen.length; i++) {
      await rest();
      const reading = model.read(without([i]));
      const difference = Array.from(reading.last, (x, k) => x - last[k]);
      readings.push({
        scores: reading.scores,
        after: model.read(ids.slice(0, seen[i].stop)).scores[target],
        remembered: Math.hypot(...difference) / length,
      });
    }
    const codePoints = codePointPlaces(text);
    const sum = ({ first, stop }) => parts?.subarray(first, stop).reduce((all, x) => all + x, 0) ?? null;
    const found = {
      ...answer,
      explained,
      words: seen.map((word, i) => ({
        word: text.slice(word.start, word.end),
        start: codePoints[word.start],
        end: codePoints[word.end],
        contribution: sum(word),
        without: readings[i].scores[target],
        after: readings[i].after,
        remembered: readings[i].remembered,
      })),
      deletions: await this._deletions(model, readings, answer, without, rest),
      cut: seen.length < words.length,
      likelihood: null,
    };
    if (model.languageModel === null) return found;
    const onWait = () => onAnswer({ ...found, likelihood: undefined });
    return { ...found, likelihood: await model.languageModel.read(text, rest, onWait) };
  }

  async _deletions(model, readings, answer, without, rest) {
    const best = model.labels.indexOf(answer.label);
    const answerWithout = (places) => model.answer(model.read(without(places)).scores);
    const differs = (other) => other.labels.join("\0") !== answer.labels.join("\0");
    const order = readings.map((_, i) => i)
      .sort((a, b) => readings[a].scores[best] - readings[b].scores[best] || a - b)
      .slice(0, LocalModels.MOST_DELETIONS);
    let needed = null;
    for (let count = 1; count <= order.length && needed === null; count++) {
      await rest();
      if (differs(answerWithout(order.slice(0, count)))) needed = order.slice(0, count);
    }
    if (needed === null) return null;
    for (let i = 0; i < needed.length; i++) {
      await rest();
      const fewer = needed.filter((_, k) => k !== i);
      if (differs(answerWithout(fewer))) [needed, i] = [fewer, -1]; // Begin again.
    }
    const after = answerWithout(needed);
    return {
      words: needed.sort((a, b) => a - b),
      label: after.labels.length ? after.label : null,
      score: after.score,
    };
  }

  /** Returns a function that lets the page breathe, and ends a reading that nobody waits for. */
  static _rest(signal) {
    let since = Date.now();
    return async () => {
      if (Date.now() - since < LocalModels.BUSY) return;
      await new Promise((done) => setTimeout(done, 0));
      if (signal?.aborted) throw new DOMException("a newer text is read", "AbortError");
      since = Date.now();
    };
  }
}

/** The place in code points of each place in UTF-16 units. */
function codePointPlaces(text) {
  const places = new Uint32Array(text.length + 1);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    places[at] = count;
    const low = at > 0 && (text.charCodeAt(at) & 0xfc00) === 0xdc00
      && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (low) places[at] = count - 1;
    else count += 1;
  }
  places[text.length] = count;
  return places;
}

/** The bytes of a text in base64. */
function decodeBase64(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const values = Object.fromEntries([...letters].map((letter, i) => [letter, i]));
  const clean = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const letter of clean) {
    held = ((held << 6) | values[letter]) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  return bytes;
}

/** The models that a page holds as JSON, their files in base64. */
function modelsOf(json) {
  const decoded = ({ network, tokenizer }) =>
    ({ network: decodeBase64(network), tokenizer: tokenizer === null ? null : decodeBase64(tokenizer) });
  return new LocalModels(JSON.parse(json).map((files) => new LocalModel({
    ...files,
    ...decoded(files),
    languageModel: files.language_model ? decoded(files.language_model) : null,
  })));
}
