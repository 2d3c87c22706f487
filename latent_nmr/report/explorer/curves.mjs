// The curves at the chosen point, one panel for each quantity that the model decodes.

import { INK, SOFT, colourBar, colourOf, fixed, frame, scale, ticks } from "./figure.mjs";

export const LINES = {
  decoded: { colour: INK, width: 2.2, text: "decoded" },
  nearest: { colour: "#D55E00", width: 1.8, dash: [7, 4], text: "nearest simulated" },
  echo: { colour: "#CC79A7", width: 1.8, dash: [2, 3], text: "your echo" },
};

const LETTER_PX = 7; // of a text at an axis

function range([low, high]) {
  const from = low >= 0 ? 0 : low - 0.04 * (high - low);
  return [from, high + 0.04 * (high - from)];
}

/**
 * Draw rows of features.
 *
 * @param view facts and arrays of the page, `rows` by the names of LINES, and `fan`, the curves of
 *   a traversal, of which every n-th column is decoded, with their positions, or null
 */
export function drawCurves(pen, width, height, view) {
  const { facts, arrays, rows, fan } = view;
  pen.rectangles([[0, 0, width, height]], { fill: "#fff" });
  const top = fan ? 62 : 30;
  const room = (height - top) / facts.blocks.length;
  facts.blocks.forEach((block, number) => {
    const box = [64, top + number * room + 18, width - 12, top + (number + 1) * room - 44];
    drawPanel(pen, box, block, arrays, rows, fan, facts.audit.every);
  });
  let at = width > 420 ? 64 : 10;
  for (const [name, style] of Object.entries(LINES)) {
    if (!rows[name]) continue;
    pen.line([[at, 14], [at + 26, 14]], style);
    at += 32 + pen.text(style.text, at + 32, 18, { size: 12 }) + 14;
  }
  if (fan) {
    const text = `traversal of ${fan.name}`;
    colourBar(pen, [Math.min(200, 0.5 * width), 44, width - 24, 54], fan.limits, facts.traversal_colours, text);
  }
}

/** Name the ends of a traversal where they differ most, for eyes and prints without colour. */
function nameEnds(pen, box, fan, pointsOf) {
  const ends = [0, fan.rows.length - 1];
  const [first, last] = ends.map((i) => pointsOf(fan.rows[i]));
  const apart = (i) => (first[i][0] < box[2] - 40 ? Math.abs(first[i][1] - last[i][1]) : 0);
  let place = 0;
  for (let i = 1; i < first.length; i += 1) {
    if (apart(i) > apart(place)) place = i;
  }
  [first, last].forEach((points, end) => {
    const [px, py] = points[place];
    pen.text(fixed(fan.positions[ends[end]], 1), px + 5, Math.max(py - 3, box[1] + 11), { size: 11, halo: true });
  });
}

function drawPanel(pen, box, block, arrays, rows, fan, every) {
  const time = arrays.time.subarray(block.start, block.stop);
  const [low, high] = range(block.shown);
  const x = scale(time[0], time[time.length - 1], box[0], box[2]);
  const y = scale(low, high, box[3], box[1]);
  const [zero, one] = block.unit;
  const yOf = (value) => y(zero + (one - zero) * value);
  const pointsOf = (row) => Array.from(time, (t, i) => [x(t), yOf(row[block.start + i])]);
  const first = Math.ceil(block.start / every);
  const fewPointsOf = (row) =>
    Array.from(row.subarray(first, Math.ceil(block.stop / every)), (value, i) => [
      x(time[(first + i) * every - block.start]),
      yOf(value),
    ]);
  for (const [name, moment] of Object.entries(block.marks)) {
    if (moment >= time[0] - 1e-6 && moment <= time[time.length - 1] + 1e-6) {
      pen.line([[x(moment), box[1]], [x(moment), box[3]]], { colour: SOFT, width: 1, dash: [1, 3] });
      pen.text(name, x(moment), box[1] - 4, { size: 11, colour: SOFT, anchor: moment - time[0] < 1e-6 ? "start" : "middle" });
    }
  }
  pen.clipped(box, () => {
    if (fan) {
      fan.rows.forEach((row, i) =>
        pen.line(fewPointsOf(row), { colour: colourOf(fan.positions[i], fan.limits, fan.colours), width: 1.1 }),
      );
    }
    for (const name of ["nearest", "echo", "decoded"]) {
      if (rows[name]) pen.line(pointsOf(rows[name]), LINES[name]);
    }
  });
  if (fan) nameEnds(pen, box, fan, fewPointsOf);
  // A text that is longer than its axis stands inside of the panel.
  const isShort = LETTER_PX * block.text.length < box[3] - box[1] + 30;
  if (!isShort) pen.text(block.text, box[2] - 6, box[1] + 14, { size: 12, anchor: "end", halo: true });
  frame(pen, box, x, y, {
    xTicks: ticks(time[0], time[time.length - 1], (box[2] - box[0]) / 70),
    yTicks: ticks(low, high, Math.max(2, (box[3] - box[1]) / 45)),
    xText: "t (µs)",
    yText: isShort ? block.text : "",
  });
}

/** The curves as a table of text, which the page reads back. */
export function curvesAsText(view, head) {
  const { facts, arrays, rows } = view;
  const names = Object.keys(LINES).filter((name) => rows[name]);
  const lines = head.map((line) => `# ${line}`);
  const isOne = facts.blocks.length === 1;
  const text = facts.blocks[0].text;
  const heads = isOne ? names.map((name) => `${name} ${text}`) : ["quantity", ...names];
  lines.push(["time (µs)", ...heads].join(","));
  for (const block of facts.blocks) {
    const [zero, one] = block.unit;
    for (let i = block.start; i < block.stop; i += 1) {
      const values = names.map((name) => (zero + (one - zero) * rows[name][i]).toPrecision(6));
      const quantity = isOne ? [] : [`"${block.text}"`];
      lines.push([arrays.time[i].toFixed(4), ...quantity, ...values].join(","));
    }
  }
  return `${lines.join("\n")}\n`;
}
