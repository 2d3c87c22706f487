// Sentences of the page.

import { fixed, plain } from "./figure.mjs";

/** The chosen point. */
export function pointWords(facts, z) {
  return facts.axes.map((axis, i) => `${axis.name} = ${fixed(z[i])}`).join(", ");
}

/** The symbol of a label, without its unit. */
export function symbolOf(label) {
  return label.text.split(" (")[0];
}

/** A label in a menu, which shows plain text only. */
export function optionWords(label) {
  return label.text.replace("α_x", "αₓ");
}

/** How far the nearest curve is, and whether the model knows it. */
export function apartWords(split, distance, rms) {
  const known = {
    training: "the model was fitted on it",
    validation: "held out for early stopping",
    new: "the model was not fitted on it",
  }[split];
  return `${fixed(distance)} away in latent space, ${fixed(rms, 3)} rms from the decoded curve; ${known}.`;
}

/** Labels of a simulated curve. */
export function labelWords(facts, arrays, row) {
  return facts.labels
    .filter((label) => label.name !== "rms")
    .map((label) => {
      const value = arrays[`label/${label.name}`][row];
      if (label.kind === "class") {
        const text = label.classes[value].text;
        return label.name === "kernel" ? `${text} kernel` : `${label.text} ${text}`;
      }
      const unit = /\(([^)]*)\)/.exec(label.text);
      return `${symbolOf(label)} = ${plain(value)}${unit ? ` ${unit[1]}` : ""}`;
    });
}

/** Whether the decoder can be trusted at a point. */
export function trustWords(facts, judged) {
  const where =
    judged.offData > 0
      ? `No data nearby: the ${facts.audit.n_neighbors} nearest curves are ${plain(judged.distance, 2)} away on average ` +
        `(for 99 % of the data less than ${plain(facts.audit.edge, 2)}). `
      : "";
  const what =
    judged.invents > 0
      ? "The decoder invents: its curve leaves the band of its neighbours by more than nine in ten of them do."
      : "The decoded curve stays within the band of its neighbours.";
  return where + what;
}

/** Where an echo of the reader lies. */
export function echoWords(facts, echo) {
  const place = facts.axes
    .map((axis, i) => `${axis.name} = ${fixed(echo.mean[i])} ± ${fixed(echo.deviation[i])}`)
    .join(", ");
  const reasons = [];
  if (echo.judged.offData > 0) {
    reasons.push(`its ${facts.audit.n_neighbors} nearest curves are ${plain(echo.judged.distance, 2)} away on average (99 % of the data: below ${plain(facts.audit.edge, 2)})`);
  }
  if (echo.rms > facts.rms_edge) {
    reasons.push(`the decoded curve misses it by ${plain(echo.rms, 2)} rms (99 % of the data: below ${plain(facts.rms_edge, 2)}), in which noise counts`);
  }
  const verdict = reasons.length
    ? `Outside what the model knows: ${reasons.join("; ")}.`
    : `Inside: decoded within ${plain(echo.rms, 2)} rms, data around it.`;
  const notes = echo.notes.length ? ` (${echo.notes.join("; ")})` : "";
  return { title: `${echo.name}${notes}`, place, verdict, isInside: !reasons.length };
}
