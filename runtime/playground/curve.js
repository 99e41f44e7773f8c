/*
 * The probability of a label after each word, as a curve with its axes.
 */

/** The part of a panel that shows the curve. */
class Curve {
  /**
   * @param {object} parts The elements `caption`, `curve`, `from` and `to`.
   * @param {function} onPoint Called with the number of the word at the pointer, or null.
   */
  constructor(parts, onPoint) {
    this.parts = parts;
    this.words = [];
    parts.curve.addEventListener("pointermove", (event) => {
      const box = parts.curve.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      if (this.words.length) onPoint(Math.round(share * (this.words.length - 1)));
    });
    parts.curve.addEventListener("pointerleave", () => onPoint(null));
  }

  /** Shows the probability of a label after each word. */
  show(words, label) {
    this.words = words;
    const { caption, curve, from, to } = this.parts;
    const y = (share) => (150 - 146 * share - 2).toFixed(1);
    const points = words.map((word, i) => `${this._x(i).toFixed(1)},${y(word.after)}`).join(" ");
    curve.replaceChildren(
      Curve._shape("line", { class: "half", x1: 0, x2: 600, y1: y(0.5), y2: y(0.5) }),
      Curve._shape("polyline", { class: "line", points }),
      Curve._shape("line", { class: "here", x1: 0, x2: 0, y1: 0, y2: 150, visibility: "hidden" }),
    );
    curve.setAttribute("aria-label", Curve._description(words, label));
    caption.textContent = `Probability of “${label}” after each word`;
    from.textContent = words.length ? Curve._tick(words, 0) : "";
    to.textContent = words.length > 1 ? Curve._tick(words, words.length - 1) : "";
  }

  /** Marks the place of a word; none if it is null. */
  point(index) {
    const line = this.parts.curve.querySelector(".here");
    if (line === null) return;
    line.setAttribute("visibility", index === null ? "hidden" : "visible");
    for (const x of ["x1", "x2"]) line.setAttribute(x, String(this._x(index ?? 0)));
  }

  _x(index) {
    return this.words.length < 2 ? 300 : (600 * index) / (this.words.length - 1);
  }

  static _tick(words, place) {
    return `${place + 1} “${words[place].word}”`;
  }

  /** What the curve shows, for those who cannot see it. */
  static _description(words, label) {
    if (!words.length) return "No words yet";
    const places = words.map((_, i) => i).sort((a, b) => words[a].after - words[b].after);
    const at = (place) => `${percent(words[place].after)} after word ${Curve._tick(words, place)}`;
    return (
      `Curve. Horizontal axis: the words, 1 to ${words.length}. Vertical axis: the probability of ` +
      `“${label}”, 0 to 100 %. It begins with ${at(0)} and ends with ${at(words.length - 1)}; ` +
      `lowest ${at(places[0])}, highest ${at(places[words.length - 1])}. ` +
      "The table below has every value in the column “up to it”."
    );
  }

  static _shape(name, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }
}
