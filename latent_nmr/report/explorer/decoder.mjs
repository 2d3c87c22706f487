// Networks of a β-VAE in plain JavaScript, without dependencies; among them a decoder that
// `latent-nmr export-decoder` wrote:
//
//   import { readDecoder } from "./decoder.mjs";
//   const decoder = readDecoder(await (await fetch("decoder.json")).json());
//   const curve = decoder.decode([0.5, -1]);    // Float64Array of decoder.nFeatures values
//   const time = decoder.metadata.time_us;      // µs, where the model was trained on echoes

/** Numbers of base64 text that holds little-endian float32. */
function floats(text, count) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (bytes.length !== 4 * count) {
    throw new Error(`an array must hold ${count} numbers, but has ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

/** What is done with the sums of a layer, by its name in the file. */
function activationsWith(slope) {
  return {
    linear: (x) => x,
    leaky_relu: (x) => (x < 0 ? slope * x : x),
    gelu: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  };
}

/**
 * Make a function of one row out of layers, each with activation, kernel (n_inputs × n_outputs,
 * row by row) and bias.
 */
export function makeNetwork(layers, slope) {
  const activations = activationsWith(slope);
  return function apply(row) {
    let x = row;
    for (const { activation, kernel, bias } of layers) {
      const sums = Float64Array.from(bias);
      const nOutputs = sums.length;
      // Row by row, as the kernel lies in memory.
      for (let input = 0; input < x.length; input += 1) {
        const value = x[input];
        const first = input * nOutputs;
        for (let output = 0; output < nOutputs; output += 1) {
          sums[output] += value * kernel[first + output];
        }
      }
      const activate = activations[activation];
      for (let output = 0; output < nOutputs; output += 1) {
        sums[output] = activate(sums[output]);
      }
      x = sums;
    }
    return x;
  };
}

/** Refuse layers whose activation is none of those that are known. */
function checkActivations(layers) {
  const unknown = layers.find((layer) => !(layer.activation in activationsWith(0)));
  if (unknown) {
    throw new Error(`this reader does not know the activation ${unknown.activation}`);
  }
}

/** Make a decoder from the parsed JSON. */
export function readDecoder(json) {
  if (json.format !== "latent_nmr.decoder" || json.format_version !== 1) {
    throw new Error(`this must be a latent_nmr.decoder of version 1, but is ${json.format}`);
  }
  checkActivations(json.layers);
  const layers = json.layers.map((layer) => ({
    activation: layer.activation,
    kernel: floats(layer.kernel, layer.n_inputs * layer.n_outputs),
    bias: floats(layer.bias, layer.n_outputs),
  }));
  const apply = makeNetwork(layers, json.negative_slope);

  /** Decode one latent point, an array of nComponents numbers. */
  function decode(point) {
    if (point.length !== json.n_components) {
      throw new Error(`a point must have ${json.n_components} numbers, but has ${point.length}`);
    }
    return apply(point);
  }

  return {
    nComponents: json.n_components,
    nFeatures: json.n_features,
    axes: json.axes,
    metadata: json.metadata,
    decode,
  };
}
