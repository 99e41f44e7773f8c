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
    this.curve = new Curve(this.parts, (index) => this._point(index));
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

  /**
   * Shows an examination of a text.
   * @param {object} found The examination.
   * @param {string} text The text.
   * @param {string|null} other The model whose label is explained; null: this one.
   */
  show(found, text, other = null) {
    const { likelihood } = found;
    const words = found.words.map((word) => ({ ...word, bits: bitsOf(word, likelihood) }));
    Object.assign(this, { found: { ...found, words }, text, struck: new Set() });
    this._showAnswer();
    this._showLabels();
    this._showExplained(other);
    this._showLikelihood();
    this._showWords();
    this.curve.show(words, found.explained);
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

  /** Says which label the words and the curve explain, if it is not the answer. */
  _showExplained(other) {
    const { found: { explained, label }, parts } = this;
    const of = other === null
      ? "the label that you chose"
      : `the label of ${other}, so that both models can be compared`;
    parts.explained.hidden = explained === label;
    parts.explained.textContent = `The words and the curve explain “${explained}”, ${of}.`;
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
    mark.classList.toggle("delete", this.struck.has(i));
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
    this.curve.point(index);
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
    button.textContent = `Strike ${words.length > 1 ? "these words" : "this word"} through in the text`;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      this.struck = new Set(this.struck.size ? [] : words);
      button.setAttribute("aria-pressed", String(this.struck.size > 0));
      this.marks.forEach((mark, i) => mark.classList.toggle("delete", this.struck.has(i)));
    });
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
    this.hint = document.getElementById("hint");
    this.answers = document.getElementById("answers");
    this.selects = ["first", "second"].map((id) => document.getElementById(id));
  }

  async start() {
    try {
      this._offer(await this.source.models());
    } catch (error) {
      this._report(`The models cannot be reached: ${error.message}`);
      addEventListener("hashchange", () => location.reload()); // Perhaps with a key.
      return;
    }
    this.selects.forEach((select) => select.addEventListener("change", () => this._choose()));
    document.getElementById("form").addEventListener("submit", (event) => event.preventDefault());
    this.text.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this._read(), Playground.PAUSE);
    });
    addEventListener("hashchange", () => this._follow());
    this._follow();
  }

  /** A link may bring a text and the models, behind the # that browsers do not send. */
  _follow() {
    const link = new URLSearchParams(location.hash.slice(1));
    this.text.value = link.get("text") ?? this.text.value;
    const names = [...this.selects[0].options].map(({ value }) => value);
    const unknown = [];
    this.selects.forEach((select) => {
      const name = link.get(select.id);
      if (names.includes(name)) select.value = name;
      else if (name) unknown.push(`“${name}”`);
    });
    document.getElementById("unknown").textContent = unknown.length
      ? `The address of this page names ${unknown.join(" and ")}, but there is no such model; ` +
        `there is ${names.join(", ")}.`
      : "";
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
    this.hint.hidden = !this.answers.hidden;
    this.status.textContent = "";
    if (!text.trim()) return;
    try {
      let wanted = null;
      for (const panel of this.panels) {
        const other = panel.label === null && wanted !== null ? this.panels[0].name : null;
        const onAnswer = (answer) => reading.signal.aborted || panel.show(answer, text, other);
        const found = await this._examine(panel, text, wanted, reading.signal, onAnswer);
        if (reading.signal.aborted) return;
        panel.show(found, text, other);
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
