/*
 * SentencePiece in JavaScript: a model file and a text in, ids and places in the text out.
 *
 * The five piece types of textrnn, with the normalization that is compiled into the model file:
 *
 *     unigram   the most probable segmentation (Viterbi; Kudo 2018, arXiv:1804.10959)
 *     bpe       the merges of the best pairs (Sennrich et al. 2016, arXiv:1508.07909)
 *     char      one piece per character
 *     byte      one piece per byte of UTF-8
 *     word      one piece per word
 *
 * Kudo & Richardson 2018, "SentencePiece" (arXiv:1808.06226) describe the whole. Scores are added
 * in float64, in which the sums of textrnn's scores (multiples of 1/64) are exact.
 */

/** The fields of a serialized protocol buffer. */
class ProtocolBuffer {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Yields `[number, value]` of each field: a number (varint, float) or bytes.
   * @returns {Generator<[number, number | Uint8Array]>}
   */
  *fields() {
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = this.bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < this.bytes.length) {
      const key = varint();
      const [number, type] = [Math.floor(key / 8), key % 8];
      if (type === 0) {
        yield [number, varint()];
      } else if (type === 2) {
        const length = varint();
        yield [number, this.bytes.subarray(at, (at += length))];
      } else if (type === 5) {
        yield [number, this.view.getFloat32((at += 4) - 4, true)];
      } else if (type === 1) {
        yield [number, this.view.getFloat64((at += 8) - 8, true)];
      } else {
        throw new Error(`expected a SentencePiece model, got a field of wire type ${type}.`);
      }
    }
  }
}

/** The UTF-8 form of a text; U+FFFD stands for a lone surrogate. */
function utf8(text) {
  const bytes = [];
  for (const character of text) {
    let code = character.codePointAt(0);
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      bytes.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return Uint8Array.from(bytes);
}

/** Bytes as a string of as many characters, which can be a key of a map. */
function latin(bytes, start = 0, end = bytes.length) {
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]);
  return text;
}

/** The longest matches in a double-array trie (Darts-clone), as `NormalizerSpec` stores it. */
class CharacterMap {
  /** @param {Uint8Array} blob The size of the trie, the trie, and the replacements. */
  constructor(blob) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const size = blob.length ? view.getUint32(0, true) : 0;
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.replacements = blob.subarray(4 + size);
  }

  /**
   * The longest key that begins at a place, and its replacement.
   * @param {Uint8Array} bytes
   * @param {number} start
   * @returns {{length: number, replacement: Uint8Array} | null}
   */
  match(bytes, start) {
    if (!this.units.length) return null;
    const offset = (unit) => (unit >>> 10) << ((unit & 0x200) >>> 6);
    let [node, length, value] = [offset(this.units[0]), 0, 0];
    for (let at = start; at < bytes.length; at++) {
      node ^= bytes[at];
      const unit = this.units[node];
      if (unit === undefined || ((unit & 0x800000ff) >>> 0) !== bytes[at]) break;
      node ^= offset(unit);
      if ((unit >>> 8) & 1) [length, value] = [at + 1 - start, this.units[node] & 0x7fffffff];
    }
    if (!length) return null;
    const end = this.replacements.indexOf(0, value);
    return { length, replacement: this.replacements.subarray(value, end) };
  }
}

/** A heap of pairs for the merges of BPE: the best score first, then the leftmost. */
class MergeHeap {
  constructor() {
    this.items = [];
  }

  static before(a, b) {
    return a.score > b.score || (a.score === b.score && a.left < b.left);
  }

  push(item) {
    let at = this.items.push(item) - 1;
    while (at) {
      const parent = (at - 1) >> 1;
      if (!MergeHeap.before(item, this.items[parent])) break;
      this.items[at] = this.items[parent];
      at = parent;
    }
    this.items[at] = item;
  }

  pop() {
    const [top, last] = [this.items[0], this.items.pop()];
    if (this.items.length) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= this.items.length) break;
        const right = child + 1;
        if (right < this.items.length && MergeHeap.before(this.items[right], this.items[child])) {
          child = right;
        }
        if (!MergeHeap.before(this.items[child], last)) break;
        this.items[at] = this.items[child];
        at = child;
      }
      this.items[at] = last;
    }
    return top;
  }
}

/** Turns texts into ids, as `textrnn.text.tokenizer.Tokenizer` does. */
class SentencePiece {
  static SPACE = 0x20;
  static MARK = utf8("\u2581");
  static NORMAL = 1;
  static UNKNOWN = 2;
  static USER_DEFINED = 4;
  static UNUSED = 5;
  static BYTE = 6;
  static UNKNOWN_PENALTY = 10;

  /** @param {Uint8Array} model The content of `tokenizer.model`. */
  constructor(model) {
    this.pieces = [];
    this.modelType = 1;
    this.byteFallback = false;
    this.spec = { map: new Uint8Array(0), prefix: true, trim: true, escape: true };
    for (const [field, value] of new ProtocolBuffer(model).fields()) {
      if (field === 1) this.pieces.push(SentencePiece._piece(value));
      if (field === 2) this._readTrainer(value);
      if (field === 3) this._readNormalizer(value);
    }
    this.characterMap = new CharacterMap(this.spec.map);
    this.ids = new Map(); // From the bytes of a piece, as a Latin-1 string, to its id.
    this.byteIds = new Map();
    this.unknown = 0;
    let lowest = Infinity;
    this.pieces.forEach(({ key, score, type }, id) => {
      if (type === SentencePiece.UNKNOWN) this.unknown = id;
      if (type === SentencePiece.BYTE) this.byteIds.set(parseInt(key.slice(3, 5), 16), id);
      if ([SentencePiece.NORMAL, SentencePiece.USER_DEFINED].includes(type)) {
        this.ids.set(key, id);
      }
      if (type === SentencePiece.NORMAL) lowest = Math.min(lowest, score);
    });
    this.unknownScore = lowest - SentencePiece.UNKNOWN_PENALTY;
    this.trie = this.modelType === 1 ? this._buildTrie() : null;
  }

  static _piece(bytes) {
    const piece = { key: "", score: 0, type: SentencePiece.NORMAL };
    for (const [field, value] of new ProtocolBuffer(bytes).fields()) {
      if (field === 1) piece.key = latin(value);
      if (field === 2) piece.score = value;
      if (field === 3) piece.type = value;
    }
    return piece;
  }

  _readTrainer(bytes) {
    for (const [field, value] of new ProtocolBuffer(bytes).fields()) {
      if (field === 3) this.modelType = value;
      if (field === 35) this.byteFallback = value !== 0;
    }
  }

  _readNormalizer(bytes) {
    for (const [field, value] of new ProtocolBuffer(bytes).fields()) {
      if (field === 2) this.spec.map = value;
      if (field === 3) this.spec.prefix = value !== 0;
      if (field === 4) this.spec.trim = value !== 0;
      if (field === 5) this.spec.escape = value !== 0;
    }
  }

  /** A trie over the bytes of the pieces: a map of children in each node, `id` where one ends. */
  _buildTrie() {
    const root = { children: new Map(), id: -1 };
    for (const [key, id] of this.ids) {
      let node = root;
      for (let at = 0; at < key.length; at++) {
        const byte = key.charCodeAt(at);
        if (!node.children.has(byte)) node.children.set(byte, { children: new Map(), id: -1 });
        node = node.children.get(byte);
      }
      node.id = id;
    }
    return root;
  }

  /** The number of bytes of the character that a byte begins. */
  static _characterLength(byte) {
    return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  }

  /**
   * The normalized bytes of a text, and the byte of the text from which each of them came.
   * @param {Uint8Array} bytes Valid UTF-8.
   * @returns {{bytes: number[], origins: number[]}} `origins` has one more entry: the end.
   */
  normalize(bytes) {
    const { prefix, trim, escape } = this.spec;
    const { SPACE, MARK } = SentencePiece;
    const space = escape ? [...MARK] : [SPACE];
    const out = [];
    const origins = [];
    const emit = (values, origin) => {
      for (const value of values) {
        out.push(value);
        origins.push(origin);
      }
    };
    const next = (at) => {
      const found = this.characterMap.match(bytes, at);
      if (found) return [found.replacement, found.length];
      const length = Math.min(SentencePiece._characterLength(bytes[at]), bytes.length - at);
      return [bytes.subarray(at, at + length), length];
    };
    let at = 0;
    if (trim) {
      while (at < bytes.length) {
        const [replacement, length] = next(at);
        if (replacement.length !== 1 || replacement[0] !== SPACE) break;
        at += length;
      }
    }
    if (at === bytes.length) return { bytes: [], origins: [at] };
    if (prefix) emit(space, at);
    let afterSpace = trim;
    while (at < bytes.length) {
      const [replacement, length] = next(at);
      let from = 0;
      while (afterSpace && replacement[from] === SPACE) from++;
      if (from < replacement.length) {
        for (let i = from; i < replacement.length; i++) {
          emit(escape && replacement[i] === SPACE ? space : [replacement[i]], at);
        }
        afterSpace = replacement[replacement.length - 1] === SPACE;
      }
      at += length;
      if (!trim) afterSpace = false;
    }
    let end = at;
    const endsWithSpace = () =>
      out.length >= space.length && space.every((v, i) => out[out.length - space.length + i] === v);
    while (trim && endsWithSpace()) {
      end = origins[out.length - space.length];
      out.length -= space.length;
      origins.length = out.length;
    }
    origins.push(end);
    return { bytes: out, origins };
  }

  /**
   * The ids of a text.
   * @param {string} text
   * @returns {number[]}
   */
  encode(text) {
    return this.encodeWithSpans(text).map(({ id }) => id);
  }

  /**
   * The ids of a text and where each begins and ends in it, in UTF-16 units.
   * @param {string} text
   * @returns {{id: number, start: number, end: number}[]}
   */
  encodeWithSpans(text) {
    const source = utf8(text);
    const { bytes, origins } = this.normalize(source);
    const segments = this._mergeUnknown(this._segment(bytes)).filter(({ start, end }) => end > start);
    const places = SentencePiece._utf16Places(text, source.length);
    return segments.flatMap(({ id, start, end }) => {
      const span = { start: places[origins[start]], end: places[origins[end]] };
      if (id !== this.unknown || !this.byteFallback) return [{ id, ...span }];
      // The last byte of an unknown piece has its span, and those before it are empty.
      return bytes.slice(start, end).map((byte, i) => ({
        id: this.byteIds.get(byte),
        start: span.start,
        end: i === end - start - 1 ? span.end : span.start,
      }));
    });
  }

  /** The place in UTF-16 units of each byte of the UTF-8 form of a text. */
  static _utf16Places(text, length) {
    const places = new Uint32Array(length + 1);
    let [byte, place] = [0, 0];
    for (const character of text) {
      const code = character.codePointAt(0);
      const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      for (let i = 0; i < bytes; i++) places[byte++] = place;
      place += character.length;
    }
    places[length] = place;
    return places;
  }

  _segment(bytes) {
    const segment = [null, this._unigram, this._bpe, this._words, this._characters][this.modelType];
    return bytes.length ? segment.call(this, bytes) : [];
  }

  /** The most probable segmentation, by the Viterbi algorithm. */
  _unigram(bytes) {
    const size = bytes.length;
    const [score, from, ids] = [new Float64Array(size + 1), new Int32Array(size + 1).fill(-1), []];
    const reach = (end, start, id, candidate) => {
      if (from[end] !== -1 && candidate <= score[end]) return;
      [score[end], from[end], ids[end]] = [candidate, start, id];
    };
    for (let start = 0; start < size; ) {
      const length = Math.min(SentencePiece._characterLength(bytes[start]), size - start);
      let whole = false;
      let node = this.trie;
      for (let at = start; at < size; at++) {
        node = node.children.get(bytes[at]);
        if (node === undefined) break;
        if (node.id === -1) continue;
        reach(at + 1, start, node.id, score[start] + this.pieces[node.id].score);
        whole ||= at + 1 - start === length;
      }
      if (!whole) reach(start + length, start, this.unknown, score[start] + this.unknownScore);
      start += length;
    }
    const segments = [];
    for (let end = size; end > 0; end = from[end]) {
      segments.push({ id: ids[end], start: from[end], end });
    }
    return segments.reverse();
  }

  _characters(bytes) {
    const segments = [];
    for (let start = 0; start < bytes.length; ) {
      const length = SentencePiece._characterLength(bytes[start]);
      const end = Math.min(start + length, bytes.length);
      segments.push({ id: this._idOf(bytes, start, end), start, end });
      start = end;
    }
    return segments;
  }

  _words(bytes) {
    const { MARK } = SentencePiece;
    const segments = [];
    let start = 0;
    for (let at = 0; at <= bytes.length; at++) {
      const begins = MARK.every((byte, i) => bytes[at + i] === byte);
      if (at > start && (begins || at === bytes.length)) {
        segments.push({ id: this._idOf(bytes, start, at), start, end: at });
        start = at;
      }
    }
    return segments;
  }

  /** Merges of neighbours, the best pair first. */
  _bpe(bytes) {
    const symbols = this._characters(bytes).map(({ start, end }, i, all) => ({
      start, end, before: i - 1, after: i + 1 < all.length ? i + 1 : -1,
    }));
    const heap = new MergeHeap();
    const propose = (left, right) => {
      if (left === -1 || right === -1) return;
      const id = this.ids.get(latin(bytes, symbols[left].start, symbols[right].end));
      if (id === undefined) return;
      const size = symbols[right].end - symbols[left].start;
      heap.push({ left, right, score: this.pieces[id].score, size });
    };
    for (let i = 1; i < symbols.length; i++) propose(i - 1, i);
    while (heap.items.length) {
      const { left, right, size } = heap.pop();
      const [a, b] = [symbols[left], symbols[right]];
      const sizes = a.end - a.start + (b.end - b.start);
      if (a.end === a.start || b.end === b.start || sizes !== size || a.after !== right) continue;
      a.end = b.end;
      a.after = b.after;
      if (b.after !== -1) symbols[b.after].before = left;
      b.start = b.end;
      propose(a.before, left);
      propose(left, a.after);
    }
    return symbols
      .filter(({ start, end }) => end > start)
      .map(({ start, end }) => ({ id: this._idOf(bytes, start, end), start, end }));
  }

  _idOf(bytes, start, end) {
    return this.ids.get(latin(bytes, start, end)) ?? this.unknown;
  }

  /** A run of unknown pieces is one unknown piece, unless they are spelt in bytes. */
  _mergeUnknown(segments) {
    if (this.byteFallback) return segments;
    const merged = [];
    for (const segment of segments) {
      const last = merged[merged.length - 1];
      if (last && last.id === this.unknown && segment.id === this.unknown) last.end = segment.end;
      else merged.push({ ...segment });
    }
    return merged;
  }
}
