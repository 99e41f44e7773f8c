/*
 * The ways to look at the words of a text, and the forms of their numbers.
 */

const percent = (share) =>
  share > 0.999 && share < 1 ? "over 99.9 %"
    : share < 0.001 && share > 0 ? "under 0.1 %"
      : `${(100 * share).toFixed(1)} %`;
const inBits = (value) => (value === null ? "\u2013" : value.toFixed(1));
const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(2);

/** The bits that are shown in the strongest colour: one of 65,536 words would be this surprising. */
const MOST_BITS = 16;

/** The ways to colour the words; `of` returns a number in -1 .. 1, or with a colour in 0 .. 1. */
const VIEWS = [
  {
    name: "what it adds",
    of: (word, all) => word.contribution / Math.max(...all.map((w) => Math.abs(w.contribution)), 1e-9),
    text: (word) => `adds ${signed(word.contribution)} to the logit`,
    legend: (label) =>
      `Blue and underlined: the word speaks for “${label}”. Orange and dotted: against it.`,
  },
  {
    name: "the change without it",
    of: (word, all, score) =>
      (score - word.without) / Math.max(...all.map((w) => Math.abs(score - w.without)), 1e-9),
    text: (word) => `without it ${percent(word.without)}`,
    legend: (label) =>
      `Blue: without the word, “${label}” would be less probable. Orange: more probable.`,
  },
  {
    name: "what the state remembers",
    colour: "--memory",
    of: (word, all) => word.remembered / Math.max(...all.map((w) => w.remembered), 1e-9),
    text: (word) => `remembered ${percent(word.remembered)}`,
    legend: () => "The stronger the colour, the more the last state would differ if the word were left out.",
  },
];

/** The way that needs a language model. */
const SURPRISE = {
  name: "how surprising it is",
  colour: "--surprise",
  of: (word) => Math.max(word.bits, 0) / MOST_BITS,
  text: (word) => `${inBits(word.bits)} bits of surprise`,
  legend: () => "The stronger the colour, the less probable the word was after the words before it.",
};

/** The number of tokens below which a text is often unusual by chance. */
const FEW_TOKENS = 30;

/** The length of the words that stay in one piece, so that their bits can be under them. */
const LONG_WORD = 24;

/** The bits of a word: those of the words of the language model that begin in it. */
function bitsOf({ start, end }, likelihood) {
  const inside = likelihood?.words.filter((word) => start <= word.start && word.start < end) ?? [];
  return inside.length ? inside.reduce((sum, word) => sum + word.bits, 0) : null;
}
