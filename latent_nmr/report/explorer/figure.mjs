// What the two figures of the page have in common: scales, ticks, frames, colour bars.

export const INK = "#1c1e21";
export const SOFT = "#5a616b";
const TICK_PX = 42; // room of a tick's text on a colour bar

/** Round numbers between two ends, about as many as asked for. */
export function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) found.push(i * step);
  return found;
}

/** A number as text, with a minus sign and no superfluous digits. */
export function plain(value, digits = 3) {
  if (!Number.isFinite(value)) return "unknown";
  const text = value === 0 ? "0" : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

/** A number with a fixed number of decimals. */
export function fixed(value, decimals = 2) {
  return (value + 0).toFixed(decimals).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
}

/** Where a value stands between two ends of the drawing. */
export function scale(low, high, from, to) {
  const to_ = (value) => from + ((value - low) / (high - low)) * (to - from);
  to_.back = (place) => low + ((place - from) / (to - from)) * (high - low);
  return to_;
}

/** Frame, ticks and labels of axes. */
export function frame(pen, box, x, y, { xTicks, yTicks, xText, yText, size = 12 }) {
  const [x0, y0, x1, y1] = box;
  pen.shape([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], { colour: INK, width: 1 });
  for (const tick of xTicks) {
    pen.line([[x(tick), y1], [x(tick), y1 + 4]], { colour: INK });
    pen.text(plain(tick), x(tick), y1 + 6 + size, { size, colour: INK, anchor: "middle" });
  }
  for (const tick of yTicks) {
    pen.line([[x0 - 4, y(tick)], [x0, y(tick)]], { colour: INK });
    pen.text(plain(tick), x0 - 7, y(tick) + 0.35 * size, { size, colour: INK, anchor: "end" });
  }
  if (xText) pen.text(xText, (x0 + x1) / 2, y1 + 12 + 2 * size, { size: size + 1, colour: INK, anchor: "middle" });
  if (yText) pen.text(yText, 0.5 * size + 7, (y0 + y1) / 2, { size: size + 1, colour: INK, anchor: "middle", angle: -Math.PI / 2 });
}

/** Colour of a number in a table of colours. */
export function colourOf(value, [low, high], colours) {
  if (!Number.isFinite(value)) return "#9a9a9a";
  const part = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return colours[Math.round(part * (colours.length - 1))];
}

/** A horizontal colour bar with its ticks above and its label at the left. */
export function colourBar(pen, [x0, y0, x1, y1], limits, colours, text, size = 11) {
  const width = (x1 - x0) / colours.length;
  colours.forEach((colour, i) => pen.rectangles([[x0 + i * width, y0, width + 0.5, y1 - y0]], { fill: colour }));
  pen.shape([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], { colour: INK, width: 0.8 });
  const at = scale(limits[0], limits[1], x0, x1);
  const count = Math.min(5, Math.max(1, (x1 - x0) / TICK_PX));
  let found = ticks(limits[0], limits[1], count);
  if (found.length < 2) found = ticks(limits[0], limits[1], 2 * count);
  for (const tick of found) {
    pen.line([[at(tick), y0 - 3], [at(tick), y0]], { colour: INK });
    pen.text(plain(tick), at(tick), y0 - 5, { size, colour: INK, anchor: "middle" });
  }
  pen.text(text, x0 - 8, y1, { size: size + 1, colour: INK, anchor: "end" });
}
