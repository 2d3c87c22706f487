// Two pens with the same strokes: one draws on a canvas, the other writes an SVG file.

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/** Corners of a marker about the origin; null for a disc. */
function corners(marker, r) {
  if (marker === "^") return [[0, -1.25 * r], [1.15 * r, 0.8 * r], [-1.15 * r, 0.8 * r]];
  if (marker === "s") return [[-r, -r], [r, -r], [r, r], [-r, r]].map(([x, y]) => [0.9 * x, 0.9 * y]);
  if (marker === "D") return [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]];
  return null;
}

/** Text in pieces, of which those after an underscore stand below the line: α_x. */
function pieces(text) {
  return text.split(/_([a-z])/).map((piece, i) => ({ piece, isLow: i % 2 === 1 }));
}

export function canvasPen(context) {
  const stroke = ({ colour = "#000", width = 1, dash = [], alpha = 1 }) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.globalAlpha = alpha;
    context.lineJoin = "round";
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
  };
  const path = (points, isClosed) => {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    if (isClosed) context.closePath();
  };
  return {
    line(points, style) {
      path(points, false);
      stroke(style);
    },
    shape(points, { fill, alpha = 1, ...style }) {
      path(points, true);
      if (fill) {
        context.globalAlpha = alpha;
        context.fillStyle = fill;
        context.fill();
        context.globalAlpha = 1;
      }
      if (style.colour) stroke(style);
    },
    rectangles(list, { fill }) {
      context.fillStyle = fill;
      list.forEach(([x, y, w, h]) => context.fillRect(x, y, w, h));
    },
    hatch(list, [x0, y0, x1, y1], { colour, gap, width }) {
      if (!list.length) return;
      context.save();
      context.beginPath();
      list.forEach(([x, y, w, h]) => context.rect(x, y, w, h));
      context.clip();
      context.beginPath();
      for (let x = x0 - (y1 - y0); x < x1; x += gap) {
        context.moveTo(x, y1);
        context.lineTo(x + y1 - y0, y0);
      }
      stroke({ colour, width });
      context.restore();
    },
    marker(kind, x, y, r, { fill, alpha = 1, colour, width = 1 }) {
      const own = corners(kind, r);
      context.beginPath();
      if (own) own.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
      else context.arc(x, y, r, 0, 2 * Math.PI);
      context.closePath();
      if (fill) {
        context.globalAlpha = alpha;
        context.fillStyle = fill;
        context.fill();
        context.globalAlpha = 1;
      }
      if (colour) stroke({ colour, width });
    },
    text(text, x, y, { size = 12, colour = "#222", anchor = "start", angle = 0, weight = "", halo = false } = {}) {
      context.save();
      context.translate(x, y);
      context.rotate(angle);
      context.fillStyle = colour;
      context.textAlign = "left";
      const font = (isLow) => `${weight} ${isLow ? 0.75 * size : size}px ${FONT}`;
      const own = pieces(text);
      const widths = own.map(({ piece, isLow }) => {
        context.font = font(isLow);
        return context.measureText(piece).width;
      });
      const whole = widths.reduce((sum, w) => sum + w, 0);
      let at = anchor === "middle" ? -whole / 2 : anchor === "end" ? -whole : 0;
      own.forEach(({ piece, isLow }, i) => {
        context.font = font(isLow);
        if (halo) {
          context.lineWidth = 3;
          context.strokeStyle = "#fff";
          context.strokeText(piece, at, isLow ? 0.25 * size : 0);
        }
        context.fillText(piece, at, isLow ? 0.25 * size : 0);
        at += widths[i];
      });
      context.restore();
      return whole;
    },
    clipped([x0, y0, x1, y1], draw) {
      context.save();
      context.beginPath();
      context.rect(x0, y0, x1 - x0, y1 - y0);
      context.clip();
      draw();
      context.restore();
    },
  };
}

const HALO = ' stroke="#fff" stroke-width="3" paint-order="stroke"';
const short = (number) => String(Math.round(10 * number) / 10);
const safe = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

export function svgPen(width, height) {
  const parts = [];
  let nClips = 0;
  const attributes = ({ colour, width: w = 1, dash = [], alpha = 1, fill = "none" }) =>
    `fill="${fill}"${colour ? ` stroke="${colour}" stroke-width="${w}" stroke-linejoin="round"` : ""}` +
    `${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""}${alpha < 1 ? ` opacity="${alpha.toFixed(2)}"` : ""}`;
  const pathOf = (points, isClosed) =>
    `M${points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}${isClosed ? "Z" : ""}`;
  const boxes = (list) => list.map(([x, y, w, h]) => `M${short(x)} ${short(y)}h${short(w)}v${short(h)}h${short(-w)}Z`).join("");
  const clip = (path) => {
    nClips += 1;
    parts.push(`<clipPath id="c${nClips}"><path d="${path}"/></clipPath><g clip-path="url(#c${nClips})">`);
  };
  const pen = {
    line(points, style) {
      if (points.length) parts.push(`<path d="${pathOf(points, false)}" ${attributes({ colour: "#000", ...style, fill: "none" })}/>`);
    },
    shape(points, style) {
      parts.push(`<path d="${pathOf(points, true)}" ${attributes(style)}/>`);
    },
    rectangles(list, { fill }) {
      if (list.length) parts.push(`<path d="${boxes(list)}" fill="${fill}"/>`);
    },
    hatch(list, [x0, y0, x1, y1], { colour, gap, width: w }) {
      if (!list.length) return;
      clip(boxes(list));
      const lines = [];
      for (let x = x0 - (y1 - y0); x < x1; x += gap) lines.push(`M${short(x)} ${short(y1)}L${short(x + y1 - y0)} ${short(y0)}`);
      parts.push(`<path d="${lines.join("")}" ${attributes({ colour, width: w })}/></g>`);
    },
    marker(kind, x, y, r, style) {
      const own = corners(kind, r);
      if (own) pen.shape(own.map(([dx, dy]) => [x + dx, y + dy]), style);
      else parts.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(r)}" ${attributes(style)}/>`);
    },
    text(text, x, y, { size = 12, colour = "#222", anchor = "start", angle = 0, weight = "", halo = false } = {}) {
      const turn = angle ? ` transform="rotate(${short((angle * 180) / Math.PI)} ${short(x)} ${short(y)})"` : "";
      let isDown = false;
      const spans = pieces(text).map(({ piece, isLow }) => {
        const shift = isLow === isDown ? "" : ` dy="${short(isLow ? 0.25 * size : -0.25 * size)}"`;
        if (piece) isDown = isLow;
        return piece ? `<tspan${shift}${isLow ? ` font-size="${short(0.75 * size)}"` : ""}>${safe(piece)}</tspan>` : "";
      });
      parts.push(
        `<text x="${short(x)}" y="${short(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"` +
          `${weight ? ` font-weight="${weight}"` : ""}${halo ? HALO : ""}${turn}>${spans.join("")}</text>`,
      );
      return 0.55 * size * text.length;
    },
    clipped([x0, y0, x1, y1], draw) {
      clip(boxes([[x0, y0, x1 - x0, y1 - y0]]));
      draw();
      parts.push("</g>");
    },
    moved(x, y, draw) {
      parts.push(`<g transform="translate(${short(x)} ${short(y)})">`);
      draw();
      parts.push("</g>");
    },
    whole() {
      return (
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
        `font-family="${FONT.replace(/"/g, "'")}"><rect width="${width}" height="${height}" fill="#fff"/>${parts.join("\n")}</svg>\n`
      );
    },
  };
  return pen;
}
