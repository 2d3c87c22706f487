// The pointer or finger on the map: over the plane it moves the point, along a scale it traverses.

import { byId } from "./screen.mjs";

const CLICK_PX = 4; // a shorter way is no drag
const HIT_PX = 6; // so near a curve's point is hit

const CURSORS = { plane: "crosshair", first: "ew-resize", second: "ns-resize", "": "default" };

/** Where an event is: in pixels, in latent coordinates, and in which part of the map. */
function whereIs(app, canvas, event) {
  const bounds = canvas.getBoundingClientRect();
  const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
  const [x0, y0, x1, y1] = app.place.box;
  const zone = py > y1 ? "first" : px < x0 ? "second" : px <= x1 && py >= y0 ? "plane" : "";
  return { px, py, zone, first: app.place.x.back(px), second: app.place.y.back(py) };
}

/** The row of the curve under the pointer, or -1. */
function curveAt({ facts, arrays, place, state }, { px, py }) {
  const n = facts.axes.length;
  let [best, row] = [HIT_PX ** 2, -1];
  for (let k = 0; k < facts.n_shown; k += 1) {
    const at = (axis) => arrays.latent[k * n + axis];
    let apart = (place.x(at(0)) - px) ** 2 + (place.y(at(1)) - py) ** 2;
    for (let axis = 2; axis < n; axis += 1) apart += (at(axis) - state.z[axis]) ** 2;
    if (apart < best) [best, row] = [apart, k];
  }
  return row;
}

export function addPointer(app) {
  const canvas = byId("map");
  let drag = null;

  function follow(at, zone) {
    const z = [...app.state.z];
    if (zone !== "second") z[0] = at.first;
    if (zone !== "first") z[1] = at.second;
    app.move(z);
  }

  /** A click holds the point, on a curve if one is hit; with a mouse, the next one releases it. */
  function click(at, isMouse) {
    if (isMouse && app.state.isHeld) {
      app.set({ isHeld: false });
      follow(at, "plane");
      return;
    }
    const [row, n] = [curveAt(app, at), app.facts.axes.length];
    app.set({ isHeld: true });
    if (row >= 0) app.move(Array.from(app.arrays.latent.subarray(row * n, (row + 1) * n)), { others: true });
    else follow(at, "plane");
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!app.place || event.button > 0) return;
    const at = whereIs(app, canvas, event);
    if (!at.zone) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { zone: at.zone, px: at.px, py: at.py, isClick: true };
    if (at.zone !== "plane") {
      app.set({ traversal: at.zone === "first" ? 1 : 2, isHeld: true });
      follow(at, at.zone);
    } else if (event.pointerType !== "mouse") {
      follow(at, "plane");
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!app.place) return;
    const at = whereIs(app, canvas, event);
    if (drag) {
      if (Math.hypot(at.px - drag.px, at.py - drag.py) > CLICK_PX) drag.isClick = false;
      if (!drag.isClick || drag.zone !== "plane") follow(at, drag.zone);
    } else {
      canvas.style.cursor = CURSORS[at.zone];
      if (at.zone === "plane" && !app.state.isHeld && event.pointerType === "mouse") follow(at, "plane");
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && drag.zone === "plane") {
      if (drag.isClick) click(whereIs(app, canvas, event), event.pointerType === "mouse");
      else app.set({ isHeld: true });
    }
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => {
    drag = null;
  });
}
