"use strict";
/* The map: its pixels on a canvas below Bokeh's axes, its windows, and what lies under the pointer. */
window.explorer_map = (function () {
  const PAUSE = 30;  // milliseconds between two windows that are asked for
  const at = (id) => document.getElementById(id);
  let page = null, ask = null, known = null, colours = null, steps_colours = 0;
  const pixels = document.createElement("canvas");
  const windows = { window: { sent: 0, timer: 0 }, field: { sent: 0, timer: 0 } };

  function begin(models, asker, knower) {
    page = models;
    ask = asker;
    known = knower;
    page.cells.properties.data.change.connect(() => { fill(); draw(); });
    for (const [name, plot] of [["window", page.map], ["field", page.contours]]) {
      for (const range of [plot.x_range, plot.y_range]) {
        for (const end of ["start", "end"]) {
          range.properties[end].change.connect(() => moved(name));
        }
      }
    }
    for (const size of ["inner_width", "inner_height"]) {
      page.map.properties[size].change.connect(() => requestAnimationFrame(draw));
    }
    window.addEventListener("resize", () => requestAnimationFrame(draw));
  }

  function palette(list, count) {
    steps_colours = count;
    colours = new Uint32Array(list.length);
    const bytes = new Uint8Array(colours.buffer);
    list.forEach((colour, k) => {
      for (let part = 0; part < 3; part += 1) {
        bytes[4 * k + part] = parseInt(colour.slice(1 + 2 * part, 3 + 2 * part), 16);
      }
      bytes[4 * k + 3] = 255;
    });
    const stops = [];
    for (let k = 0; k <= 20; k += 1) { stops.push(list[Math.round(k / 20 * (count - 1))]); }
    at("bar-colours").style.background = "linear-gradient(to right, " + stops.join(", ") + ")";
  }

  function bar(limits) {
    at("bar").style.visibility = limits ? "visible" : "hidden";  // its place stays: the map keeps its size
    if (!limits) { return; }
    const [low, high] = limits.map((steps) => Math.round(steps).toLocaleString("en"));
    at("bar-low").textContent = "\u2264 " + low;  // a few lucky runs are faster
    at("bar-high").textContent = high;
  }

  /* Codes of colours to pixels; rows of the codes go upwards, those of a canvas downwards. */
  function fill() {
    const codes = page.cells.data.image[0];
    if (!codes || !colours) { return; }
    const [height, width] = codes.shape;
    pixels.width = width;
    pixels.height = height;
    const made = new ImageData(width, height), words = new Uint32Array(made.data.buffer);
    for (let row = 0; row < height; row += 1) {
      const from = row * width, to = (height - 1 - row) * width;
      for (let k = 0; k < width; k += 1) { words[to + k] = colours[codes[from + k]]; }
    }
    pixels.getContext("2d").putImageData(made, 0, 0);
  }

  function draw() {
    const view = Bokeh.index.get_one(page.map), canvas = at("pixels");
    if (!view || !view.frame || !page.cells.data.image.length) { return; }
    const box = view.frame.bbox, ratio = window.devicePixelRatio || 1;
    const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    Object.assign(canvas.style, { left: box.left + "px", top: box.top + "px",
      width: box.width + "px", height: box.height + "px" });
    const data = page.cells.data, is_log = page.map.x_scale.type === "LogScale";
    const [left, right] = along(page.map.x_range, data.x[0], data.x[0] + data.dw[0], is_log);
    const [low, high] = along(page.map.y_range, data.y[0], data.y[0] + data.dh[0], false);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(pixels, left * width, (1 - high) * height, (right - left) * width,
      (high - low) * height);
  }

  /* Where the ends of the pixels lie, as parts of what is shown. */
  function along(range, from, to, is_log) {
    const scaled = is_log ? Math.log : (value) => value;
    const first = scaled(range.start), width = scaled(range.end) - first;
    return [(scaled(from) - first) / width, (scaled(to) - first) / width];
  }

  function ends(plot) {
    return [[plot.x_range.start, plot.x_range.end], [plot.y_range.start, plot.y_range.end]];
  }

  /* A range changed: the old pixels move along at once; all four ends are asked for together. */
  function moved(name) {
    const state = windows[name];
    if (state.moving || state.timer) { return; }
    const wait = state.sent + PAUSE - performance.now();
    const go = () => { state.timer = 0; send(name); };
    if (wait > 0) { state.timer = setTimeout(go, wait); } else { state.timer = -1; queueMicrotask(go); }
    if (name === "window") { requestAnimationFrame(draw); }
  }

  function send(name) {
    const view = known();
    windows[name].sent = performance.now();
    if (!view) { return; }  // the server has said nothing yet
    if (name === "field") {
      const window = ends(page.contours);
      if (JSON.stringify(window) !== JSON.stringify(windows.field.at)) { ask("field", { window }); }
      return;
    }
    const [x, y] = ends(page.map), [across, up] = Object.keys(view.windows);
    if (JSON.stringify([x, y]) !== JSON.stringify([view.windows[across], view.windows[up]])) {
      ask("window", { windows: { [across]: x, [up]: y } });
    }
  }

  /* Go to a window that was not reached by a gesture. */
  function go(name, [x, y]) {
    const plot = name === "window" ? page.map : page.contours, state = windows[name];
    clearTimeout(state.timer);
    state.timer = 0;
    state.moving = true;
    state.at = [x, y];
    plot.x_range.setv({ start: x[0], end: x[1] });
    plot.y_range.setv({ start: y[0], end: y[1] });
    state.moving = false;
    if (name === "window") { draw(); }
  }

  function nearest(values, value) {
    let low = 0, high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) { low = middle; } else { high = middle; }
    }
    return value - values[low] <= values[high] - value ? low : high;
  }

  /* What the pointer is over: the cell's place, its steps and how its run ended. */
  function cell(x, y) {
    const data = page.steps.data;
    if (!data.steps.length || x === null || x === undefined) { return null; }
    const xs = data.x[0], ys = data.y[0], i = nearest(xs, x), j = nearest(ys, y);
    const k = j * xs.length + i;
    return { x: xs[i], y: ys[j], steps: data.steps[0][k], status: data.status[0][k] };
  }

  /* All that is known of the cells, as plain lists. */
  function data() {
    const held = page.steps.data;
    return { steps: Array.from(held.steps[0]), status: Array.from(held.status[0]),
      x: Array.from(held.x[0]), y: Array.from(held.y[0]) };
  }

  return { begin, palette, bar, draw, go, cell, data };
})();
