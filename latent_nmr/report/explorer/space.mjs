// The latent space of the page: its networks, the curves shown, and where the decoder can be
// trusted.

import { makeNetwork } from "./decoder.mjs";

/** Layers of one network of the page; kernels of whole numbers come with a scale per output. */
function layersOf(facts, arrays, network) {
  return facts.networks[network].map(({ activation, n_outputs: nOutputs }, number) => {
    const [stored, bias, scale] = ["kernel", "bias", "scale"].map((part) => arrays[`${network}.${number}.${part}`]);
    const kernel = scale ? stored.map((value, i) => value * scale[i % nOutputs]) : stored;
    return { activation, kernel, bias };
  });
}

/** The last layer with every n-th of its outputs. */
function thinned(layers, every) {
  if (every === 1) {
    return layers;
  }
  const last = layers[layers.length - 1];
  const nOutputs = last.bias.length;
  const nKept = Math.ceil(nOutputs / every);
  const nInputs = last.kernel.length / nOutputs;
  const kernel = new Float32Array(nInputs * nKept);
  const bias = new Float32Array(nKept);
  for (let kept = 0; kept < nKept; kept += 1) {
    bias[kept] = last.bias[kept * every];
    for (let input = 0; input < nInputs; input += 1) {
      kernel[input * nKept + kept] = last.kernel[input * nOutputs + kept * every];
    }
  }
  return [...layers.slice(0, -1), { ...last, kernel, bias }];
}

/** Quantile of sorted numbers, between two of them where it falls there. */
function quantile(sorted, part) {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

export function makeSpace(facts, arrays) {
  const nComponents = facts.axes.length;
  const nFeatures = facts.networks.decoder.at(-1).n_outputs;
  const nCurves = facts.n_shown;
  const { latent, curves } = arrays;
  const { audit, levels, negative_slope: slope } = facts;
  const unit = (levels.high - levels.low) / levels.n;
  const network = (name) => makeNetwork(layersOf(facts, arrays, name), slope);
  const decoderLayers = layersOf(facts, arrays, "decoder");
  const decode = makeNetwork(decoderLayers, slope);
  const hidden = network("encoder");
  const [meanHead, varianceHead] = [network("mean"), network("log_variance")];
  const decodeThinned = makeNetwork(thinned(decoderLayers, audit.every), slope);

  /** Mean and standard deviation of the posterior of one row of features. */
  function encode(row) {
    const h = hidden(row);
    return { mean: meanHead(h), deviation: varianceHead(h).map((v) => Math.exp(v / 2)) };
  }

  /** The simulated curves nearest to a point, nearest first, and their distances. */
  function nearest(point, count) {
    const rows = new Int32Array(count);
    const squares = new Float64Array(count).fill(Infinity);
    for (let row = 0; row < nCurves; row += 1) {
      let square = 0;
      for (let axis = 0; axis < nComponents; axis += 1) {
        const step = latent[row * nComponents + axis] - point[axis];
        square += step * step;
      }
      if (square < squares[count - 1]) {
        let place = count - 1;
        while (place > 0 && squares[place - 1] > square) {
          squares[place] = squares[place - 1];
          rows[place] = rows[place - 1];
          place -= 1;
        }
        squares[place] = square;
        rows[place] = row;
      }
    }
    return { rows, distances: squares.map(Math.sqrt) };
  }

  /** Features of a simulated curve. */
  function curve(row) {
    const own = curves.subarray(row * nFeatures, (row + 1) * nFeatures);
    return Float64Array.from(own, (level) => levels.low + unit * level);
  }

  /**
   * Whether data lie around a point, and whether its decoded curve stays within the band of the
   * curves of its neighbours, which is their mean ± 2 standard deviations: as
   * latent_nmr.analysis.audit, without new simulations.
   *
   * `offData` is positive where the neighbours are farther away than those of 99 % of the data;
   * `invents` where what exceeds the band is more than for 90 % of the neighbours themselves, each
   * with respect to the others. `whole` is the decoded curve, where it is known already.
   */
  function judge(point, whole = null) {
    const n = audit.n_neighbors;
    const { rows, distances } = nearest(point, n);
    const decoded = whole ? whole.filter((_, column) => column % audit.every === 0) : decodeThinned(point);
    const squares = new Float64Array(n);
    let beyond = 0;
    const own = new Float64Array(n);
    for (let column = 0; column < decoded.length; column += 1) {
      let sum = 0;
      let sumOfSquares = 0;
      for (let i = 0; i < n; i += 1) {
        own[i] = curves[rows[i] * nFeatures + column * audit.every];
        sum += own[i];
        sumOfSquares += own[i] * own[i];
      }
      const mean = sum / n;
      const spread = Math.sqrt(Math.max(sumOfSquares - n * mean * mean, 0) / (n - 1));
      const value = (decoded[column] - levels.low) / unit;
      const excess = Math.abs(value - mean) - audit.band_width * spread;
      if (excess > 0) {
        beyond += excess * excess;
      }
      for (let i = 0; i < n; i += 1) {
        const restMean = (sum - own[i]) / (n - 1);
        const rest = sumOfSquares - own[i] * own[i] - (n - 1) * restMean * restMean;
        const further =
          Math.abs(own[i] - restMean) - audit.band_width * Math.sqrt(Math.max(rest, 0) / (n - 2));
        if (further > 0) {
          squares[i] += further * further;
        }
      }
    }
    const rms = (square) => unit * Math.sqrt(square / decoded.length);
    const limit = quantile(squares.map(rms).sort(), audit.quantile);
    const distance = distances.reduce((total, d) => total + d, 0) / n;
    const excess = rms(beyond);
    return { distance, excess, limit, offData: distance - audit.edge, invents: excess - limit };
  }

  /** Root mean square of the difference of two rows. */
  function rms(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i += 1) {
      sum += (a[i] - b[i]) ** 2;
    }
    return Math.sqrt(sum / a.length);
  }

  return { nComponents, nFeatures, nCurves, decode, decodeThinned, encode, nearest, curve, judge, rms };
}
