// Arrays of the page: base64 text of one compressed block, and a list that says what lies where.

const SIZES = { f2: 2, f4: 4, u1: 1, i2: 2 };
const INT16_ZERO = 2 ** 15 + 128;

/** Values of all numbers of half precision, by their bits. */
function halfTable() {
  const values = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits += 1) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? (fraction ? NaN : Infinity)
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[bits] = bits & 32768 ? -size : size;
  }
  return values;
}

/** Bytes of base64 text of what zlib compressed. */
export async function inflate(text) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old for this page; use one of 2023 or later");
  }
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Numbers of an array: the first bytes of all come first, then the second. */
function numbersOf(bytes, type, half) {
  const size = SIZES[type];
  const count = bytes.length / size;
  if (type === "u1") return bytes.slice();
  const together = new Uint8Array(bytes.length);
  for (let place = 0; place < size; place += 1) {
    for (let i = 0; i < count; i += 1) together[size * i + place] = bytes[place * count + i];
  }
  const view = new DataView(together.buffer);
  const read = {
    f2: (i) => half[view.getUint16(2 * i, true)],
    f4: (i) => view.getFloat32(4 * i, true),
    i2: (i) => view.getUint16(2 * i, true) - INT16_ZERO,
  }[type];
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = read(i);
  return values;
}

/**
 * Arrays by their names: Float32Array, or bytes as they are. Of `curves`, whose rows hold
 * differences from one sample to the next, the sums are taken.
 */
export function unpack(bytes, list) {
  const half = halfTable();
  const arrays = {};
  let offset = 0;
  for (const { name, type, shape } of list) {
    const count = shape.reduce((product, size) => product * size, 1);
    const end = offset + count * SIZES[type];
    if (end > bytes.length) {
      throw new Error(`the page is cut short: ${name} is missing`);
    }
    const values = numbersOf(bytes.subarray(offset, end), type, half);
    offset = end;
    if (name === "curves") {
      const length = shape[1];
      for (let i = 0; i < count; i += 1) {
        values[i] += i % length ? values[i - 1] : 0; // modulo 256, as bytes are
      }
    }
    arrays[name] = values;
  }
  return arrays;
}
