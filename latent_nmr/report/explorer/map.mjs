// The map: points of the curves, where the decoder can be trusted, the chosen point.

import { INK, SOFT, colourBar, colourOf, fixed, frame, scale, ticks } from "./figure.mjs";
import { positivePart } from "./regions.mjs";
import { symbolOf } from "./words.mjs";

const OFF_DATA = "#e9e9e6";
const HATCH = "#8d9299";
const ECHO = "#CC79A7";
// Beyond about this distance along the axes that are not drawn, points fade.
const FADE = 0.5;
// Axes shorter than this have short texts, px.
const NARROW = 300;

/** Places of the parts of the map in a drawing of a size. */
export function layOut(width, height, facts) {
  const box = [54, 76, width - 10, height - 48];
  const [first, second] = facts.axes;
  return {
    width,
    height,
    box,
    x: scale(first.low, first.high, box[0], box[2]),
    y: scale(second.low, second.high, box[3], box[1]),
  };
}

/** The strongest relation of an axis to a label, in words; few where there is little room. */
export function axisText(axis, facts, room) {
  const known = Object.entries(axis.rank_correlation).filter(([, rho]) => rho !== null);
  known.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  if (!known.length || Math.abs(known[0][1]) < 0.3) return axis.name;
  const [name, rho] = known[0];
  const words = room > NARROW ? "rank correlation with" : "ρ with";
  return `${axis.name} (${words} ${symbolOf(labelOf(facts, name))}: ${fixed(rho)})`;
}

function labelOf(facts, name) {
  return facts.labels.find((label) => label.name === name) || facts.labels[0];
}

/** What stands above the map: the colour bar or classes, then what hatching means. */
function drawLegend(pen, view, label) {
  const { box, width } = view.place;
  const kernels = view.facts.labels.find((own) => own.name === "kernel");
  if (label.kind === "number") {
    const room = Math.min(width - 30, 160 + 0.25 * (box[2] - box[0]));
    colourBar(pen, [Math.max(room, 190), 20, box[2] - 14, 30], label.limits, label.colours, label.text);
  }
  const classes = label.kind === "class" ? label.classes : kernels ? kernels.classes : [];
  let at = box[0];
  for (const { text, colour, marker } of classes) {
    const fill = label.kind === "class" ? colour : "#777";
    pen.marker(marker === "o" ? null : marker, at + 5, 45, 4.5, { fill });
    at += 14 + pen.text(text, at + 13, 49, { size: 12 }) + 12;
  }
  const sample = (x, draw, text) => {
    const own = [x, 57, 20, 12];
    draw(own);
    pen.shape([[x, 57], [x + 20, 57], [x + 20, 69], [x, 69]], { colour: SOFT, width: 0.6 });
    return x + 26 + pen.text(text, x + 25, 67, { size: 12 }) + 12;
  };
  at = sample(box[0], (own) => pen.hatch([own], [own[0], own[1], own[0] + 20, own[1] + 12], { colour: HATCH, gap: 6, width: 1 }), "decoder invents");
  sample(at, (own) => pen.rectangles([own], { fill: OFF_DATA }), "no data nearby");
}

/** What changes with the colour, the size and the other axes, but not with the chosen point. */
export function drawMap(pen, view) {
  const { facts, arrays, place, state, regions } = view;
  const { box, x, y } = place;
  const label = labelOf(facts, state.colour);
  const values = arrays[`label/${label.name}`];
  const kernels = facts.labels.find((own) => own.name === "kernel");
  const kernelCodes = arrays["label/kernel"];
  const n = facts.axes.length;
  pen.rectangles([[0, 0, place.width, place.height]], { fill: "#fff" });
  if (regions) {
    pen.rectangles(positivePart(regions.offData, box), { fill: OFF_DATA });
    pen.hatch(positivePart(regions.invents, box), box, { colour: HATCH, gap: 8, width: 0.8 });
  }
  pen.clipped(box, () => {
    const size = Math.min(3.6, Math.max(1.6, 160 / Math.sqrt(facts.n_shown)));
    for (let k = 0; k < facts.n_shown; k += 1) {
      // A fixed shuffle, so that no value hides the others by coming last.
      const row = (k * 7919) % facts.n_shown;
      let square = 0;
      for (let axis = 2; axis < n; axis += 1) square += ((arrays.latent[row * n + axis] - state.z[axis]) / FADE) ** 2;
      const alpha = 0.8 * Math.max(0.06, Math.exp(-square / 2));
      const style = label.kind === "class" ? label.classes[values[row]] : null;
      const fill = style ? style.colour : colourOf(values[row], label.limits, label.colours);
      const kind = kernelCodes ? kernels.classes[kernelCodes[row]].marker : style ? style.marker : null;
      pen.marker(kind === "o" ? null : kind, x(arrays.latent[row * n]), y(arrays.latent[row * n + 1]), size, { fill, alpha });
    }
  });
  drawLegend(pen, view, label);
  frame(pen, box, x, y, {
    xTicks: ticks(facts.axes[0].low, facts.axes[0].high, (box[2] - box[0]) / 70),
    yTicks: ticks(facts.axes[1].low, facts.axes[1].high, (box[3] - box[1]) / 60),
    xText: axisText(facts.axes[0], facts, box[2] - box[0]),
    yText: axisText(facts.axes[1], facts, box[3] - box[1]),
  });
}

/** Ellipse of two standard deviations about a point. */
function ellipse(x, y, mean, deviation) {
  return Array.from({ length: 60 }, (_, i) => {
    const angle = (i / 30) * Math.PI;
    return [x(mean[0] + 2 * deviation[0] * Math.cos(angle)), y(mean[1] + 2 * deviation[1] * Math.sin(angle))];
  });
}

/** What moves: the chosen point, the curve nearest to it, the traversal, an echo. */
export function drawMoving(pen, view) {
  const { arrays, place, state, facts } = view;
  const { box, x, y } = place;
  const n = facts.axes.length;
  const [px, py] = [x(state.z[0]), y(state.z[1])];
  pen.clipped(box, () => {
    if (state.traversal === 1) pen.line([[box[0], py], [box[2], py]], { colour: INK, dash: [6, 4] });
    if (state.traversal === 2) pen.line([[px, box[1]], [px, box[3]]], { colour: INK, dash: [6, 4] });
    if (view.nearest !== null) {
      const [nx, ny] = [x(arrays.latent[view.nearest * n]), y(arrays.latent[view.nearest * n + 1])];
      pen.line([[px, py], [nx, ny]], { colour: "#D55E00", width: 1 });
      pen.marker(null, nx, ny, 6, { colour: "#fff", width: 4 });
      pen.marker(null, nx, ny, 6, { colour: "#D55E00", width: 2 });
    }
    if (view.echo) {
      const { mean, deviation } = view.echo;
      pen.shape(ellipse(x, y, mean, deviation), { colour: ECHO, width: 2, fill: ECHO, alpha: 0.25 });
      pen.marker("D", x(mean[0]), y(mean[1]), 4.5, { fill: ECHO, colour: INK, width: 1 });
    }
    for (const [colour, width] of [["#fff", 5], [INK, 2]]) {
      pen.line([[px - 11, py], [px - 3, py]], { colour, width });
      pen.line([[px + 3, py], [px + 11, py]], { colour, width });
      pen.line([[px, py - 11], [px, py - 3]], { colour, width });
      pen.line([[px, py + 3], [px, py + 11]], { colour, width });
    }
  });
}
