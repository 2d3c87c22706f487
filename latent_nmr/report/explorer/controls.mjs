// Buttons, menus, sliders and keys.

import { fixed } from "./figure.mjs";
import { byId, saveText } from "./screen.mjs";
import { asPicture, asTable } from "./view.mjs";
import { optionWords } from "./words.mjs";

const STEP = 0.05;
const SPEAK_MS = 400;

/** A slider for every axis that the map does not show. */
function addSliders(app) {
  const others = app.facts.axes.map((axis, i) => ({ axis, i })).slice(2);
  for (const { axis, i } of others) {
    const label = document.createElement("label");
    const [name, input, output] = ["span", "input", "output"].map((tag) => document.createElement(tag));
    name.textContent = axis.name;
    Object.assign(input, { type: "range", min: axis.low, max: axis.high, step: 0.01, value: 0, id: `slider-${i + 1}` });
    output.id = `value-${i + 1}`;
    input.addEventListener("input", () => {
      app.set({ isHeld: true });
      app.move(app.state.z.map((own, number) => (number === i ? Number(input.value) : own)), { others: true });
    });
    label.append(name, input, output);
    byId("sliders").append(label);
  }
  app.showSliders = () => {
    for (const { i } of others) {
      byId(`slider-${i + 1}`).value = app.state.z[i];
      byId(`value-${i + 1}`).textContent = fixed(app.state.z[i]);
    }
  };
}

function addTraversals(app) {
  app.facts.axes.forEach((axis, i) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: `Traverse ${axis.name}` });
    button.dataset.traversal = i + 1;
    button.addEventListener("click", () => app.set({ traversal: app.state.traversal === i + 1 ? 0 : i + 1 }));
    byId("traversals").append(button);
  });
}

/** What a key does, or nothing. */
function keyActions(app) {
  const by = (first, second) => (step) => {
    app.set({ isHeld: true });
    const { z } = app.state;
    app.move([z[0] + first * step, z[1] + second * step, ...z.slice(2)]);
  };
  return {
    ArrowLeft: by(-1, 0),
    ArrowRight: by(1, 0),
    ArrowUp: by(0, 1),
    ArrowDown: by(0, -1),
    Home() {
      app.set({ isHeld: true });
      app.move(app.state.z.map(() => 0), { others: true });
    },
    Escape: () => app.set({ traversal: 0, isHeld: false }),
    c() {
      const names = app.facts.labels.map((label) => label.name);
      app.set({ colour: names[(names.indexOf(app.state.colour) + 1) % names.length] });
    },
    t: () => app.set({ traversal: (app.state.traversal + 1) % (app.facts.axes.length + 1) }),
  };
}

function addKeys(app) {
  const actions = keyActions(app);
  let spoken = 0;
  byId("map").addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    action(event.shiftKey ? 5 * STEP : STEP);
    event.preventDefault();
    clearTimeout(spoken);
    spoken = setTimeout(() => {
      const [point, labels, trust] = ["point", "labels", "trust"].map((id) => byId(id).textContent);
      byId("spoken").textContent = `${point}. Nearest: ${labels}. ${trust}`;
    }, SPEAK_MS);
  });
}

export function addControls(app) {
  for (const label of app.facts.labels) byId("colour").add(new Option(optionWords(label), label.name));
  byId("colour").addEventListener("change", (event) => app.set({ colour: event.target.value }));
  byId("picture").addEventListener("click", () => saveText("latent-map.svg", "image/svg+xml", asPicture(app)));
  byId("table").addEventListener("click", () => saveText("decoded-curve.csv", "text/csv", asTable(app)));
  addSliders(app);
  addTraversals(app);
  addKeys(app);
}
