// An echo in a text file: its columns, and the features that a model makes of them.

const UNITS = { s: 1e6, ms: 1e3, "µs": 1, "μs": 1, us: 1, ns: 1e-3 };
const SCALED = /\/\s*\|M\(0\)\|/;

/** Numbers of the lines of a table, and the row of names above them if there is one. */
function tableOf(text) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).filter((line) => line.trim());
  const split = (line) => {
    const own = line.trim();
    if (own.includes(";")) return own.split(";");
    if (own.includes("\t")) return own.split(/\t+/);
    return own.includes(",") ? own.split(",") : own.split(/\s+/);
  };
  const number = (cell) => {
    const own = cell.trim();
    return own === "" ? NaN : Number(/^[-+\d]*,\d+(e[-+]?\d+)?$/i.test(own) ? own.replace(",", ".") : own);
  };
  const rows = [];
  let names = null;
  for (const line of lines.filter((own) => !/^\s*[#%]/.test(own))) {
    const cells = split(line);
    const numbers = cells.map(number);
    if (Number.isFinite(numbers[0]) && Number.isFinite(numbers[1])) {
      rows.push(numbers);
    } else if (rows.length) {
      throw new Error(`every line must hold numbers, but one is “${line.trim().slice(0, 40)}”`);
    } else {
      names = cells.map((cell) => cell.trim().replace(/^"|"$/g, ""));
    }
  }
  return { rows, names };
}

/**
 * Time (µs) and |M| of a text with a column of times and one of |M|, or two of Re M and Im M.
 * `isScaled` says that its header calls |M| a fraction of |M(0)|.
 */
export function readRecord(text) {
  if (/^# latent_nmr echo table/.test(text)) {
    throw new Error(
      "the file must hold one echo, with a column of times, but is a table of many curves; " +
        "use latent-nmr embed for it",
    );
  }
  const { rows, names } = tableOf(text);
  if (rows.length < 20) {
    throw new Error(`the file must hold at least 20 lines of numbers, but holds ${rows.length}`);
  }
  const width = rows[0].length;
  const short = rows.findIndex((row) => row.length < Math.min(width, 3) || row.slice(0, Math.min(width, 3)).some((v) => !Number.isFinite(v)));
  if (width < 2 || short >= 0) {
    throw new Error("the file must hold a column of times and one or two of the signal");
  }
  const found = /[([]\s*(s|ms|µs|μs|us|ns)\s*[)\]]|_(s|ms|us|ns)\b/.exec(names ? names[0] : "");
  const unit = found ? found[1] || found[2] : "µs";
  const times = rows.map((row) => row[0] * UNITS[unit]);
  if (times.some((time, i) => i > 0 && !(time > times[i - 1]))) {
    throw new Error("times must rise from line to line");
  }
  // Columns that this page or the package writes beside |M| are no imaginary part.
  const isComplex = width > 2 && (!names || /^(im|my|y\b|quad)/i.test(names[2] || ""));
  const signal = rows.map((row) => (isComplex ? Math.hypot(row[1], row[2]) : Math.abs(row[1])));
  return {
    times,
    re: isComplex ? rows.map((row) => row[1]) : signal,
    im: isComplex ? rows.map((row) => row[2]) : null,
    isScaled: SCALED.test(names ? names[1] : ""),
    unitWasSaid: Boolean(found),
  };
}

/** |M| at the given times, from straight lines between samples; NaN beyond the record. */
function magnitudeAt({ times, re, im }, wanted) {
  let place = 0;
  return wanted.map((time) => {
    while (place < times.length - 2 && times[place + 1] < time) place += 1;
    while (place > 0 && times[place] > time) place -= 1;
    const part = (time - times[place]) / (times[place + 1] - times[place]);
    if (part < -1e-6 || part > 1 + 1e-6) return NaN;
    const at = (own) => own[place] + part * (own[place + 1] - own[place]);
    return Math.abs(im ? Math.hypot(at(re), at(im)) : at(re));
  });
}

/** Means over a Gaussian about each sample, of those that are measured. */
function smoothed(row, width) {
  const reach = Math.ceil(6 * width);
  return row.map((_, middle) => {
    let [sum, weights] = [0, 0];
    for (let i = Math.max(0, middle - reach); i <= Math.min(row.length - 1, middle + reach); i += 1) {
      if (Number.isFinite(row[i])) {
        const weight = Math.exp(-0.5 * ((i - middle) / width) ** 2);
        sum += weight * row[i];
        weights += weight;
      }
    }
    return weights > 0 ? sum / weights : 0;
  });
}

function highest(row, from, to) {
  let place = from;
  for (let i = from; i < to; i += 1) {
    if (row[i] > row[place]) place = i;
  }
  return place;
}

/** Interval of samples: times are kept in single precision, so that two of them give few digits. */
function intervalOf(grid) {
  return (grid.at(-1) - grid[0]) / (grid.length - 1);
}

/** The window about the highest point of the echo, and its smoothed height. */
function aboutTop(record, grid, echo, settings) {
  const step = intervalOf(grid);
  const first = record.times[0];
  const count = Math.floor((record.times.at(-1) - first) / step) + 1;
  const whole = magnitudeAt(record, Array.from({ length: count }, (_, i) => first + i * step));
  const smooth = smoothed(whole, settings.smoothing);
  // A record from the first pulse on is highest there; its echo is where the model's is.
  const middle = Math.round((echo - first) / step);
  const isWhole = first < step && middle + settings.reach < count;
  const from = isWhole ? Math.max(0, middle - settings.reach) : 0;
  const top = highest(smooth, from, isWhole ? middle + settings.reach + 1 : count);
  const half = Math.floor(grid.length / 2);
  const row = grid.map((_, i) => whole[top - half + i] ?? NaN);
  return { row: row.map((v) => (Number.isFinite(v) ? v : 0)), height: smooth[top], top: first + top * step };
}

/** Whether the page makes features for a model itself. */
export function placesRecords({ part, n_protocols: nProtocols }) {
  return part === "magnitude" && nProtocols === 1;
}

/**
 * Features of a record.
 *
 * @param record what `readRecord` gives
 * @param grid times of the model's samples, µs
 * @param settings how its features are made
 * @param m0 |M(0)| in the unit of the record, or null if it is not known
 */
export function featuresOf(record, grid, settings, m0 = null) {
  if (!placesRecords(settings)) {
    throw new Error(
      "this model needs the phase of M in a way that the page does not compute; " +
        "use latent-nmr embed or ln.embed for the echo",
    );
  }
  const { window, normalisation } = settings;
  const step = intervalOf(grid);
  let [row, height] = [null, NaN];
  const notes = [];
  if (window === "top") {
    ({ row, height } = aboutTop(record, grid, settings.echo_us, settings));
  } else {
    row = magnitudeAt(record, grid);
    if (row.some((value) => !Number.isFinite(value))) {
      const ends = [record.times[0], record.times.at(-1)].map((t) => t.toFixed(1));
      throw new Error(
        `the record must reach from ${grid[0].toFixed(1)} to ${grid.at(-1).toFixed(1)} µs, the ` +
          `model's window, but reaches from ${ends[0]} to ${ends[1]} µs`,
      );
    }
    if (normalisation === "height") {
      const smooth = smoothed(row, settings.smoothing);
      const middle = Math.floor(row.length / 2);
      height = smooth[highest(smooth, Math.max(0, middle - settings.reach), Math.min(row.length, middle + settings.reach + 1))];
    }
  }
  let divisor = 1;
  if (normalisation === "height") {
    divisor = height / settings.headroom;
  } else if (normalisation === "window_max") {
    divisor = Math.max(...row);
  } else if (m0 !== null) {
    divisor = m0;
  } else if (record.isScaled) {
    notes.push("taken as a fraction of |M(0)|, as its header says");
  } else if (Math.abs(record.times[0]) <= 1.5 * step) {
    [divisor] = magnitudeAt(record, [record.times[0]]);
  } else {
    const error = new Error(
      "this model sees |M| as a fraction of |M(0)|, but the record begins at " +
        `${record.times[0].toFixed(1)} µs; enter |M(0)| in the unit of the record`,
    );
    error.needsM0 = true;
    throw error;
  }
  if (!(divisor > 0)) {
    throw new Error("the record must not be zero where it is normalised");
  }
  if (!record.unitWasSaid) notes.push("times taken as µs");
  return { row: row.map((value) => Math.min(value / divisor, 1)), notes };
}
