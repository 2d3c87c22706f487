// What is chosen on the page, and the part of the address behind # that says it.

export function firstState(facts) {
  return {
    z: facts.axes.map(() => 0),
    colour: facts.labels[0].name,
    traversal: 0, // number of the axis, or none
    isHeld: false,
  };
}

export function asHash(state) {
  const parts = [`colour=${encodeURIComponent(state.colour)}`];
  // A point that follows the pointer is nobody's choice.
  if (state.isHeld) parts.unshift(`z=${state.z.map((value) => String(Math.round(1e4 * value) / 1e4)).join(",")}`);
  if (state.traversal) parts.push(`traversal=${state.traversal}`);
  return `#${parts.join("&")}`;
}

/** The state that an address says; what it does not say, or says wrongly, is as in `before`. */
export function fromHash(hash, before, facts) {
  const said = Object.fromEntries(
    hash.replace(/^#/, "").split("&").map((part) => part.split("=")).filter((pair) => pair.length === 2),
  );
  const state = { ...before, z: [...before.z] };
  const z = (said.z || "").split(",").map(Number);
  if (said.z && z.length === facts.axes.length && z.every(Number.isFinite)) {
    state.z = z.map((value, axis) => within(value, facts.axes[axis]));
    state.isHeld = true;
  }
  let colour = "";
  try {
    colour = decodeURIComponent(said.colour || "");
  } catch {
    // an address that was cut
  }
  if (facts.labels.some((label) => label.name === colour)) state.colour = colour;
  const traversal = Number(said.traversal || 0);
  state.traversal = Number.isInteger(traversal) && traversal >= 1 && traversal <= facts.axes.length ? traversal : 0;
  return state;
}

export function within(value, { low, high }) {
  return Math.min(high, Math.max(low, value));
}
