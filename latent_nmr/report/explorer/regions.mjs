// Where in the plane of the first two axes data lie and the decoder can be trusted.

const NODES = 49;
const FINER = 4;
const MOST_TRIED = 100;

/** The simulated curve nearest to the middle of the data of those where the decoder is trusted. */
export function trustedPoint(space, { latent }, facts) {
  const n = facts.axes.length;
  const rows = Array.from({ length: facts.n_shown }, (_, row) => row);
  const pointOf = (row) => Array.from(latent.subarray(row * n, (row + 1) * n));
  const middle = facts.axes.map((_, axis) => {
    const values = rows.map((row) => latent[row * n + axis]).sort((a, b) => a - b);
    return values[values.length >> 1];
  });
  const distance = (row) => Math.hypot(...pointOf(row).map((value, axis) => value - middle[axis]));
  const distances = rows.map(distance);
  rows.sort((a, b) => distances[a] - distances[b]);
  const trusted = rows.slice(0, MOST_TRIED).find((row) => {
    const { offData, invents } = space.judge(pointOf(row));
    return offData <= 0 && invents <= 0;
  });
  return pointOf(trusted ?? rows[0]);
}

/**
 * Judge the nodes of a grid over the plane, the other axes being those of `point`, some at a time:
 * each step of the generator takes about `budget` ms, and the last gives the fields.
 */
export function* judgePlane(space, axes, point, budget) {
  const offData = new Float64Array(NODES * NODES);
  const invents = new Float64Array(NODES * NODES);
  const at = [...point];
  let start = performance.now();
  for (let j = 0; j < NODES; j += 1) {
    at[1] = axes[1].low + ((axes[1].high - axes[1].low) * j) / (NODES - 1);
    for (let i = 0; i < NODES; i += 1) {
      at[0] = axes[0].low + ((axes[0].high - axes[0].low) * i) / (NODES - 1);
      const judged = space.judge(at);
      offData[j * NODES + i] = judged.offData;
      invents[j * NODES + i] = judged.invents;
      if (performance.now() - start > budget) {
        yield null;
        start = performance.now();
      }
    }
  }
  return { offData, invents };
}

/** The part of a box where a field, interpolated between its nodes, is positive: rectangles. */
export function positivePart(field, [x0, y0, x1, y1]) {
  const cells = (NODES - 1) * FINER;
  const [width, height] = [(x1 - x0) / cells, (y1 - y0) / cells];
  const found = [];
  for (let row = 0; row < cells; row += 1) {
    const v = (row + 0.5) / FINER;
    const [j, t] = [Math.floor(v), v - Math.floor(v)];
    let begin = -1;
    for (let column = 0; column <= cells; column += 1) {
      let isIn = false;
      if (column < cells) {
        const u = (column + 0.5) / FINER;
        const [i, s] = [Math.floor(u), u - Math.floor(u)];
        const a = field[j * NODES + i] * (1 - s) + field[j * NODES + i + 1] * s;
        const b = field[(j + 1) * NODES + i] * (1 - s) + field[(j + 1) * NODES + i + 1] * s;
        isIn = a * (1 - t) + b * t > 0;
      }
      if (isIn && begin < 0) begin = column;
      if (!isIn && begin >= 0) {
        // The first row of nodes is the lowest of the second axis, which is at the bottom.
        found.push([x0 + begin * width, y1 - (row + 1) * height, (column - begin) * width, height + 0.3]);
        begin = -1;
      }
    }
  }
  return found;
}
