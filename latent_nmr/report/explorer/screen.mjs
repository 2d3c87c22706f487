// What the page is drawn on and reads from: elements, canvases, files to save.

import { canvasPen } from "./pen.mjs";

export const byId = (id) => document.getElementById(id);

/** A canvas with its pen; `fit` gives it the pixels of the screen. */
export function canvasOf(id) {
  const canvas = byId(id);
  const context = canvas.getContext("2d");
  return {
    canvas,
    context,
    pen: canvasPen(context),
    /** Width and height in CSS pixels. */
    fit() {
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      const wanted = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== wanted[0] || canvas.height !== wanted[1]) [canvas.width, canvas.height] = wanted;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      return [width, height];
    },
  };
}

/** Have the browser save a text. */
export function saveText(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Write a text into an element, with what follows an underscore below the line: α_x. */
export function fill(element, text) {
  const parts = text.split(/(?<=α)_([xyz])/);
  element.replaceChildren(
    ...parts.map((part, i) => {
      if (i % 2 === 0) return part;
      const low = document.createElement("sub");
      low.textContent = part;
      return low;
    }),
  );
}
