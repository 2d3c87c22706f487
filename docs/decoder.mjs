// Decodes latent points with a decoder that `latent-nmr export-decoder` wrote, in plain JavaScript.
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
  return Float64Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

/** Make a decoder from the parsed JSON. */
export function readDecoder(json) {
  if (json.format !== "latent_nmr.decoder" || json.format_version !== 1) {
    throw new Error(`this must be a latent_nmr.decoder of version 1, but is ${json.format}`);
  }
  const slope = json.negative_slope;
  const activations = {
    leaky_relu: (x) => (x < 0 ? slope * x : x),
    gelu: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  };
  const unknown = json.layers.find((layer) => !(layer.activation in activations));
  if (unknown) {
    throw new Error(`this reader does not know the activation ${unknown.activation}`);
  }
  const layers = json.layers.map((layer) => ({
    nOutputs: layer.n_outputs,
    activation: activations[layer.activation],
    kernel: floats(layer.kernel, layer.n_inputs * layer.n_outputs),
    bias: floats(layer.bias, layer.n_outputs),
  }));

  /** Decode one latent point, an array of nComponents numbers. */
  function decode(point) {
    if (point.length !== json.n_components) {
      throw new Error(`a point must have ${json.n_components} numbers, but has ${point.length}`);
    }
    let x = point;
    for (const { nOutputs, activation, kernel, bias } of layers) {
      const sums = Float64Array.from(bias);
      // Row by row, as the kernel lies in memory.
      for (let row = 0; row < x.length; row += 1) {
        for (let column = 0; column < nOutputs; column += 1) {
          sums[column] += x[row] * kernel[row * nOutputs + column];
        }
      }
      x = sums.map(activation);
    }
    return x;
  }

  return {
    nComponents: json.n_components,
    nFeatures: json.n_features,
    axes: json.axes,
    metadata: json.metadata,
    decode,
  };
}
