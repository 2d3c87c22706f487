// How what is chosen on the page changes, and what follows from it.

import { judgePlane } from "./regions.mjs";
import { byId } from "./screen.mjs";
import { asHash, fromHash, within } from "./state.mjs";

const JUDGE_MS = 8; // of each frame, at most, while the plane is judged
const NOTE_MS = 200;

/** Judge the plane again when the other axes have moved, a part of a frame at a time. */
function judgeIn(app) {
  let [judgedFor, running] = [null, null];
  return () => {
    const key = app.state.z.slice(2).join();
    if (key === judgedFor) return;
    judgedFor = key;
    const own = judgePlane(app.space, app.facts.axes, app.state.z, JUDGE_MS);
    running = own;
    const go = () => {
      if (running !== own) return; // the axes have moved on
      const { done, value } = own.next();
      if (!done) {
        setTimeout(go, 4);
        return;
      }
      app.regions = value;
      document.body.classList.add("judged");
      app.stale();
    };
    setTimeout(go, 30);
  };
}

/** Add `move`, which changes the point, `set`, which changes the rest, and `goTo` an address. */
export function addChanges(app) {
  const { facts } = app;
  const judge = judgeIn(app);
  let noted = 0;

  function note() {
    clearTimeout(noted);
    noted = setTimeout(() => history.replaceState(null, "", asHash(app.state)), NOTE_MS);
  }

  app.move = (z, { others = false } = {}) => {
    app.state.z = z.map((value, axis) => within(value, facts.axes[axis]));
    if (others && facts.axes.length > 2) {
      app.showSliders();
      judge();
      app.stale();
    }
    note();
    app.ask();
  };

  app.set = (change) => {
    Object.assign(app.state, change);
    const { state } = app;
    byId("colour").value = state.colour;
    for (const button of document.querySelectorAll("[data-traversal]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.traversal) === state.traversal));
    }
    byId("hold").textContent = state.isHeld
      ? "The point is held: click the map, or press Esc on it, to release it."
      : "Click the map to hold the point.";
    note();
    app.stale();
  };

  app.goTo = (hash) => {
    app.state = fromHash(hash, app.state, facts);
    app.set({});
    app.showSliders();
    judge();
  };
}
