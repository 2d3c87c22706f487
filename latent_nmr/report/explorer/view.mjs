// What is drawn, and when: one frame holds everything that follows the chosen point.

import { curvesAsText, drawCurves } from "./curves.mjs";
import { drawMap, drawMoving, layOut } from "./map.mjs";
import { canvasPen, svgPen } from "./pen.mjs";
import { byId, canvasOf, fill } from "./screen.mjs";
import { apartWords, labelWords, pointWords, trustWords } from "./words.mjs";

const TRAVERSAL_STEPS = 11;
const PICTURE = { width: 620, height: 620 };

/** Curves along an axis through the chosen point, or null. */
function fanOf({ facts, space, state }) {
  if (!state.traversal) return null;
  const axis = state.traversal - 1;
  const limits = [-facts.span, facts.span];
  const step = (limits[1] - limits[0]) / (TRAVERSAL_STEPS - 1);
  const positions = Array.from({ length: TRAVERSAL_STEPS }, (_, i) => limits[0] + step * i);
  const rows = positions.map((value) => space.decodeThinned(state.z.map((own, i) => (i === axis ? value : own))));
  return { name: facts.axes[axis].name, limits, positions, rows, colours: facts.traversal_colours };
}

/** Rows of features to draw at the chosen point. */
function rowsOf({ space, state, echo }, nearest) {
  return { decoded: space.decode(state.z), nearest: space.curve(nearest), echo: echo && echo.row };
}

/** Add what draws: `stale` where the backdrop has changed, `ask` where only the point has. */
export function addView(app) {
  const [map, curves] = [canvasOf("map"), canvasOf("curves")];
  const backdrop = document.createElement("canvas");
  let [isStale, isAsked] = [true, false];
  const { facts, arrays, space } = app;

  function drawBackdrop() {
    const [width, height] = map.fit();
    app.place = layOut(width, height, facts);
    [backdrop.width, backdrop.height] = [map.canvas.width, map.canvas.height];
    const context = backdrop.getContext("2d");
    context.setTransform(map.context.getTransform());
    drawMap(canvasPen(context), app);
    isStale = false;
  }

  function write(near, rows) {
    const [row] = near.rows;
    fill(byId("point"), pointWords(facts, app.state.z));
    fill(byId("labels"), labelWords(facts, arrays, row).join(", "));
    fill(byId("apart"), apartWords(facts.splits[arrays.split[row]], near.distances[0], space.rms(rows.decoded, rows.nearest)));
    const judged = space.judge(app.state.z, rows.decoded);
    fill(byId("trust"), trustWords(facts, judged));
    byId("trust").className = judged.offData > 0 || judged.invents > 0 ? "doubt" : "";
  }

  app.draw = () => {
    isAsked = false;
    if (isStale) drawBackdrop();
    const near = space.nearest(app.state.z, 1);
    const [nearest] = near.rows;
    map.context.save();
    map.context.setTransform(1, 0, 0, 1, 0, 0);
    map.context.drawImage(backdrop, 0, 0);
    map.context.restore();
    drawMoving(map.pen, { ...app, nearest });
    const [width, height] = curves.fit();
    const rows = rowsOf(app, nearest);
    drawCurves(curves.pen, width, height, { facts, arrays, rows, fan: fanOf(app) });
    write(near, rows);
  };
  app.ask = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(app.draw);
  };
  app.stale = () => {
    isStale = true;
    app.ask();
  };
  new ResizeObserver(app.stale).observe(map.canvas);
  new ResizeObserver(app.ask).observe(curves.canvas);
}

/** Map and curves as one picture, in SVG. */
export function asPicture(app) {
  const { width, height } = PICTURE;
  const { facts, arrays, space, state } = app;
  const pen = svgPen(2 * width, height);
  const [nearest] = space.nearest(state.z, 1).rows;
  const own = { ...app, place: layOut(width, height, facts), nearest };
  drawMap(pen, own);
  drawMoving(pen, own);
  const rows = rowsOf(app, nearest);
  pen.moved(width, 0, () => drawCurves(pen, width, height, { facts, arrays, rows, fan: fanOf(app) }));
  return pen.whole();
}

/** The curves at the chosen point as a table. */
export function asTable(app) {
  const { facts, arrays, space, state } = app;
  const [nearest] = space.nearest(state.z, 1).rows;
  const head = [
    `Latent space of ${facts.title}: decoded at ${pointWords(facts, state.z)}`,
    `nearest simulated curve: ${labelWords(facts, arrays, nearest).join(", ")}`,
  ];
  return curvesAsText({ facts, arrays, rows: rowsOf(app, nearest) }, head);
}
