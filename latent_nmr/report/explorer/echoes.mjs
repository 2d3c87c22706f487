// An echo that the reader opens or drops: its point, its ellipse, whether it lies inside.

import { featuresOf, placesRecords, readRecord } from "./record.mjs";
import { byId, fill } from "./screen.mjs";
import { echoWords } from "./words.mjs";

function complain(text) {
  byId("complaint").textContent = text;
  byId("complaint").hidden = !text;
}

/** What the model makes of a record; raises an error that says what is wrong with it. */
export function placed({ facts, arrays, space }, record, name, m0) {
  const { row, notes } = featuresOf(record, Array.from(arrays.time), facts.echo, m0);
  const { mean, deviation } = space.encode(row);
  return { name, row, notes, mean, deviation, rms: space.rms(row, space.decode(mean)), judged: space.judge(mean) };
}

export function addEchoes(app) {
  let pending = null;

  function show(echo) {
    app.echo = echo;
    const words = echoWords(app.facts, echo);
    for (const part of ["title", "place", "verdict"]) fill(byId(`echo-${part}`), words[part]);
    byId("echo").className = words.isInside ? "inside" : "outside";
    byId("echo").hidden = false;
    app.set({ isHeld: true });
    app.move(Array.from(echo.mean), { others: true });
  }

  function tryEcho(record, name, m0 = null) {
    byId("m0").hidden = true;
    complain("");
    try {
      show(placed(app, record, name, m0));
    } catch (error) {
      complain(`${name}: ${error.message}.`);
      pending = error.needsM0 ? { record, name } : null;
      byId("m0").hidden = !error.needsM0;
    }
  }

  async function take(file) {
    try {
      tryEcho(readRecord(await file.text()), file.name);
    } catch (error) {
      complain(`${file.name}: ${error.message}.`);
    }
  }

  byId("opener").hidden = !placesRecords(app.facts.echo);
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  window.addEventListener("dragleave", () => document.body.classList.remove("over"));
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) take(file);
    event.target.value = "";
  });
  byId("m0").addEventListener("submit", (event) => {
    event.preventDefault();
    const m0 = Number(byId("m0-value").value.replace(",", "."));
    if (pending && m0 > 0) tryEcho(pending.record, pending.name, m0);
  });
  byId("echo-away").addEventListener("click", () => {
    app.echo = null;
    byId("echo").hidden = true;
    app.ask();
  });
}
