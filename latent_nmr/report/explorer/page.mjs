// The page: its facts and arrays, and what is attached to them.

import { inflate, unpack } from "./arrays.mjs";
import { addChanges } from "./changes.mjs";
import { addControls } from "./controls.mjs";
import { addEchoes, placed } from "./echoes.mjs";
import { addPointer } from "./pointer.mjs";
import { readRecord } from "./record.mjs";
import { trustedPoint } from "./regions.mjs";
import { byId } from "./screen.mjs";
import { makeSpace } from "./space.mjs";
import { firstState } from "./state.mjs";
import { addView, asPicture, asTable } from "./view.mjs";

export async function start() {
  const facts = JSON.parse(byId("facts").textContent);
  const arrays = unpack(await inflate(byId("arrays").textContent.trim()), facts.arrays);
  const space = makeSpace(facts, arrays);
  const state = { ...firstState(facts), z: trustedPoint(space, arrays, facts) };
  const app = { facts, arrays, space, state, echo: null, regions: null, place: null };
  addView(app);
  addChanges(app);
  addControls(app);
  addPointer(app);
  addEchoes(app);
  window.addEventListener("hashchange", () => app.goTo(location.hash));
  app.goTo(location.hash);
  app.draw();
  document.body.classList.add("ready");
  // For the console, as explorer.decode([0.5, -1]), and for tests.
  return {
    app,
    ...space,
    place: (text, name, m0 = null) => placed(app, readRecord(text), name, m0),
    asPicture: () => asPicture(app),
    asTable: () => asTable(app),
  };
}
