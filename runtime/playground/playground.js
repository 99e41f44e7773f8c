/*
 * The page: a text, and what each model makes of it.
 *
 * A source of models has `models()`, which resolves to `[{name}]`, and `examine(name, text, label,
 * signal, onAnswer)`, which resolves to an examination as the server's `:examine` returns it. A source
 * may call `onAnswer` with an examination whose likelihood is still undefined. `ServerModels` asks the
 * server that the page came from; a page with its own model passes another source to
 * `showPlayground`.
 */

/** The models of the server that the page came from. */
class ServerModels {
  async models() {
    const response = await fetch("v1/models", { headers: ServerModels._headers() });
    return (await ServerModels._read(response)).models.map((name) => ({ name }));
  }

  async examine(name, text, label, signal) {
    const response = await fetch(`v1/models/${encodeURIComponent(name)}:examine`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...ServerModels._headers() },
      body: JSON.stringify(label === null ? { text } : { text, label }),
      signal,
    });
    return ServerModels._read(response);
  }

  /** A server with API keys takes the key behind `#key=` in the address of the page. */
  static _headers() {
    const key = new URLSearchParams(location.hash.slice(1)).get("key");
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  static async _read(response) {
    const body = await response.json().catch(() => ({}));
    if (response.status === 401) {
      throw new Error("the server wants an API key: put #key=KEY behind the address of this page");
    }
    if (!response.ok) throw new Error(body.error || `the server answered ${response.status}`);
    return body;
  }
}

/** What one model makes of the text. */
class AnswerPanel {
  constructor(name, onLabel) {
    this.name = name;
    this.label = null; // The label that is explained; null for the answer itself.
    this.view = VIEWS[0];
    this.onLabel = onLabel;
    const template = document.getElementById("answer").content.cloneNode(true);
    this.element = template.firstElementChild;
    this.parts = {};
    for (const part of this.element.querySelectorAll("[data-part]")) {
      this.parts[part.dataset.part] = part;
    }
    this.parts.name.textContent = name;
    VIEWS.forEach((view) => this._addView(view));
    this.surprise = this._addView(SURPRISE);
  }

  _addView(view) {
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: `view ${this.name}`, checked: view === this.view });
    radio.addEventListener("change", () => {
      this.view = view;
      if (this.found) this._showWords();
    });
    const label = document.createElement("label");
    label.append(radio, ` ${view.name}`);
    this.parts.views.append(label);
    return { radio, label };
  }

  /** Shows an examination of a text. */
  show(found, text) {
    const { likelihood } = found;
    const words = found.words.map((word) => ({ ...word, bits: bitsOf(word, likelihood) }));
    Object.assign(this, { found: { ...found, words }, text });
    this._showAnswer();
    this._showLabels();
    this._showLikelihood();
    this._showWords();
    this._showCurve();
    this._showDeletions();
    this._showRows();
  }

  _showAnswer() {
    const { found, parts } = this;
    const strong = document.createElement("strong");
    if (found.labels.length === 1) {
      strong.textContent = found.label;
      parts.sentence.replaceChildren(strong, `, ${percent(found.score)}`);
      return;
    }
    strong.textContent = found.labels.length ? found.labels.join(", ") : "No label";
    const reason = found.abstained ? ", because no label is sure enough" : "";
    const best = found.labels.length ? "" : `; nearest: ${found.label}, ${percent(found.score)}`;
    parts.sentence.replaceChildren(strong, reason + best);
  }

  _showLabels() {
    const { found, parts } = this;
    const best = Object.entries(found.scores).sort((a, b) => b[1] - a[1]).slice(0, 6);
    parts.labels.replaceChildren(...best.map(([label, score]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(label === found.explained));
      button.title = `Explain “${label}”`;
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${100 * score}%`;
      const [left, right] = [document.createElement("span"), document.createElement("span")];
      left.className = right.className = "of";
      [left.textContent, right.textContent] = [label, percent(score)];
      button.append(bar, left, right);
      button.addEventListener("click", () => {
        this.label = label;
        this.onLabel();
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }

  /** Shows the bits of the text, and the controls of the surprise, if there is a language model. */
  _showLikelihood() {
    const { found: { likelihood }, parts, surprise } = this;
    if (likelihood === undefined) return; // It will come.
    const none = likelihood === null;
    for (const part of [parts.likelihood, parts.bits, surprise.label]) part.hidden = none;
    if (none) {
      if (surprise.radio.checked) this.element.querySelector("[type=radio]").click();
      return;
    }
    const strong = document.createElement("strong");
    strong.textContent = likelihood.unusual ? " Unlike the texts of its training:" : "";
    const short = likelihood.tokens < FEW_TOKENS ? " Short texts vary more." : "";
    const reason = likelihood.unusual
      ? ` 99 of 100 of them, held out of the training, have fewer bits per token.${short}` : "";
    parts.likelihood.replaceChildren(
      `Surprise, by the language model: ${inBits(likelihood.bits_per_word)} bits per word, ` +
        `${inBits(likelihood.bits_per_token)} per token, ${inBits(likelihood.bits)} in all. ` +
        "Under each word are its bits, given the words before it.",
      strong, reason,
    );
  }

  _showWords() {
    const { found, parts, view } = this;
    const characters = Array.from(this.text); // The places are counted in code points.
    const children = [];
    this.marks = [];
    let end = 0;
    found.words.forEach((word, i) => {
      children.push(characters.slice(end, word.start).join(""));
      children.push(this._mark(word, i, characters.slice(word.start, word.end).join("")));
      end = word.end;
    });
    children.push(characters.slice(end).join(""));
    parts.words.replaceChildren(...children);
    parts.legend.textContent = found.words.length ? view.legend(found.explained) : "";
  }

  _mark(word, i, text) {
    const { found, view } = this;
    const value = view.of(word, found.words, found.scores[found.explained]);
    const mark = document.createElement("mark");
    const colour = view.colour ?? (value < 0 ? "--against" : "--for");
    mark.style.background = `rgba(var(${colour}), ${(0.6 * Math.min(1, Math.abs(value))).toFixed(3)})`;
    if (!view.colour && Math.abs(value) > 0.15) mark.dataset.sign = value < 0 ? "-" : "+";
    mark.title = view.text(word);
    mark.textContent = text;
    mark.addEventListener("pointerenter", () => this._point(i));
    mark.addEventListener("pointerleave", () => this._point(null));
    this.marks.push(mark);
    const plain = word.bits === null || word.end - word.start > LONG_WORD;
    return plain ? mark : AnswerPanel._annotated(mark, word.bits);
  }

  /** A word above its bits, which a screen reader finds in the table. */
  static _annotated(mark, bits) {
    const [ruby, note] = [document.createElement("ruby"), document.createElement("rt")];
    note.textContent = bits.toFixed(0); // The table has the decimals.
    note.setAttribute("aria-hidden", "true");
    ruby.append(mark, note);
    return ruby;
  }

  _point(index) {
    this.marks.forEach((mark, i) => mark.classList.toggle("here", i === index));
    const line = this.parts.curve.querySelector(".here");
    if (line === null) return;
    line.setAttribute("visibility", index === null ? "hidden" : "visible");
    for (const x of ["x1", "x2"]) line.setAttribute(x, String(this._x(index ?? 0)));
  }

  _x(index) {
    return this.found.words.length < 2 ? 300 : (600 * index) / (this.found.words.length - 1);
  }

  _showCurve() {
    const { found, parts } = this;
    const { words, explained } = found;
    const create = (name, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      return element;
    };
    const y = (share) => (150 - 146 * share - 2).toFixed(1);
    const points = words.map((word, i) => `${this._x(i).toFixed(1)},${y(word.after)}`).join(" ");
    const title = words.length
      ? `Probability of “${explained}” after each word: from ${percent(words[0].after)} to ` +
        `${percent(words[words.length - 1].after)}, lowest ` +
        `${percent(Math.min(...words.map((w) => w.after)))}, highest ` +
        `${percent(Math.max(...words.map((w) => w.after)))}`
      : "No words yet";
    parts.curve.setAttribute("aria-label", title);
    parts.curve.replaceChildren(
      create("line", { class: "half", x1: 0, x2: 600, y1: y(0.5), y2: y(0.5) }),
      create("polyline", { class: "line", points }),
      create("line", { class: "here", x1: 0, x2: 0, y1: 0, y2: 150, visibility: "hidden" }),
    );
    parts.caption.textContent =
      `Probability of “${explained}” after each word (0 to 100 %, dashed: 50 %)`;
    parts.curve.onpointermove = (event) => {
      const box = parts.curve.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      if (words.length) this._point(Math.round(share * (words.length - 1)));
    };
    parts.curve.onpointerleave = () => this._point(null);
  }

  _showDeletions() {
    const { found, parts } = this;
    if (!found.words.length) return parts.deletions.replaceChildren();
    if (found.deletions === null) {
      parts.deletions.textContent =
        "No few words decide: the answer stays the same if the words that support it most are left out.";
      return;
    }
    const { words, label, score } = found.deletions;
    const quoted = words.map((i) => `“${found.words[i].word}”`).join(", ");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show them";
    button.addEventListener("click", () =>
      words.forEach((i) => this.marks[i].classList.toggle("delete")));
    parts.deletions.replaceChildren(
      `Without ${quoted} the answer would be ${label === null ? "no label" : `“${label}”`} (${percent(score)}). `, button);
  }

  _showRows() {
    this.parts.rows.replaceChildren(...this.found.words.map((word) => {
      const row = document.createElement("tr");
      const cells = [word.word, signed(word.contribution), percent(word.after),
        percent(word.without), percent(word.remembered)];
      if (!this.parts.bits.hidden) cells.push(inBits(word.bits));
      row.append(...cells.map((text) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        return cell;
      }));
      return row;
    }));
  }
}

/** The controls of the page, and one panel for each chosen model. */
class Playground {
  static PAUSE = 120; // Milliseconds without a key until the models read the text.

  constructor(source) {
    this.source = source;
    this.panels = [];
    this.text = document.getElementById("text");
    this.status = document.getElementById("status");
    this.answers = document.getElementById("answers");
    this.selects = ["first", "second"].map((id) => document.getElementById(id));
  }

  async start() {
    try {
      this._offer(await this.source.models());
    } catch (error) {
      this._report(`The models cannot be reached: ${error.message}`);
      return;
    }
    this.selects.forEach((select) => select.addEventListener("change", () => this._choose()));
    document.getElementById("form").addEventListener("submit", (event) => event.preventDefault());
    this.text.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this._read(), Playground.PAUSE);
    });
    // A link may bring a text and the models, behind the # that browsers do not send.
    const link = new URLSearchParams(location.hash.slice(1));
    this.text.value = link.get("text") ?? this.text.value;
    this.selects.forEach((select) => {
      const name = link.get(select.id);
      if ([...select.options].some(({ value }) => value === name)) select.value = name;
    });
    this._choose();
  }

  _offer(models) {
    const option = ({ name }) => new Option(name, name);
    this.selects[0].replaceChildren(...models.map(option));
    this.selects[1].replaceChildren(new Option("none", ""), ...models.map(option));
    document.getElementById("beside").hidden = models.length < 2;
  }

  _choose() {
    const names = [...new Set(this.selects.map((select) => select.value).filter(Boolean))];
    this.panels = names.map((name) => new AnswerPanel(name, () => this._read()));
    this.answers.replaceChildren(...this.panels.map((panel) => panel.element));
    this._read();
  }

  /** Lets every model read the text; an older reading that is still under way is dropped. */
  async _read() {
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const text = this.text.value;
    document.getElementById("note").textContent = "";
    this.answers.hidden = !text.trim();
    this.status.textContent = "";
    if (!text.trim()) return;
    try {
      let wanted = null;
      for (const panel of this.panels) {
        const onAnswer = (answer) => reading.signal.aborted || panel.show(answer, text);
        const found = await this._examine(panel, text, wanted, reading.signal, onAnswer);
        if (reading.signal.aborted) return;
        panel.show(found, text);
        wanted ??= found.explained; // The models are compared by the same label.
        if (found.cut) this._noteCut(found);
      }
    } catch (error) {
      if (error.name !== "AbortError") this._report(`No answer: ${error.message}`);
    }
  }

  /** Shows a message in place of the answers. */
  _report(message) {
    this.status.textContent = message.replace(/[.]*$/, ".");
    this.answers.hidden = true;
  }

  async _examine(panel, text, wanted, signal, onAnswer) {
    const examine = (label) => this.source.examine(panel.name, text, label, signal, onAnswer);
    const found = await examine(panel.label);
    const other = panel.label === null && wanted in found.scores && wanted !== found.explained;
    return other ? examine(wanted) : found;
  }

  _noteCut({ words }) {
    document.getElementById("note").textContent =
      "The answer is that for the whole text; the colours and the curve end after " +
      `${words.length} words.`;
  }
}

/**
 * Fills the page.
 * @param {object} source Where the models are.
 */
function showPlayground(source) {
  new Playground(source).start();
}
