"use strict";
window.explorer = (function () {
  const at = (id) => document.getElementById(id);
  const status = ["not run", "converged", "diverged", "out of steps"];
  const words = (name) => name.replace(/^objective_/, "").replace(/_/g, " ");
  let page = null, count = 0, view = null, told = null, link = "", shown = {}, mode = "path";
  let legend = [], theory = [], fastest = null, said = [], forgetting = 0, restarted = null;

  function ask(name, more) {
    count += 1;
    said.push(Object.assign({ n: count, do: name }, more || {}));
    said = said.slice(-100);  // of values that follow each other at once, the last alone may arrive
    page.ask.value = JSON.stringify(said);
    clearTimeout(forgetting);
    forgetting = setTimeout(() => { said = []; }, 2000);
  }

  function begin(models) {
    page = models;
    page.tell.properties.value.change.connect(() => hear(JSON.parse(page.tell.value)));
    const size = () => [page.map.inner_width || 500, page.map.inner_height || 400];
    let last = "", timer = 0;
    const measured = () => {
      const now = JSON.stringify(size());
      if (now !== last) { last = now; ask("pixels", { value: size() }); }
    };
    page.map.properties.inner_width.change.connect(() => { clearTimeout(timer); timer = setTimeout(measured, 150); });
    page.map.properties.inner_height.change.connect(() => { clearTimeout(timer); timer = setTimeout(measured, 150); });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => colour(dark.matches));
    colour(dark.matches);
    last = JSON.stringify(size());
    ask("ready", { value: size() });
  }

  function colour(dark) {
    const ink = dark ? "#ececef" : "#1d1d1f";
    for (const drawing of [page.map, page.contours, page.loss]) {
      drawing.border_fill_color = drawing.background_fill_color = dark ? "#17181b" : "#ffffff";
      for (const axis of drawing.left.concat(drawing.below)) {
        axis.axis_label_text_color = ink;
        axis.major_label_text_color = ink;
        axis.axis_line_color = ink;
        axis.major_tick_line_color = ink;
        axis.minor_tick_line_color = ink;
        axis.axis_label_text_font_style = "normal";
      }
      for (const bar of drawing.right) {
        bar.major_label_text_color = ink;
        bar.title_text_color = ink;
        bar.title_text_font_style = "normal";
      }
    }
  }

  function hear(said) {
    if (said.registries) { told = said.registries; fill(); }
    if (said.go) { location.assign(said.go); return; }
    if (said.view) { view = said.view; show(); }
    if (said.axes) { shown.axes = said.axes; }
    if ("busy" in said) { shown.busy = said.busy; }
    if ("compiling" in said) { shown.compiling = said.compiling; }
    if (said.shown) { shown.map = said.shown; legend = said.shown.legend; fastest = null; }
    if ("theory" in said) { theory = said.theory; fastest = said.fastest; }
    if (said.shown || "theory" in said) { keys(); }
    if (said.errors) { errors(said.errors); }
    if (said.path) { at("run").textContent = said.path.words; shown.path = said.path; }
    if (said.cell && view) { view.cell = said.cell; }
    if ("end" in said) { at("end").textContent = said.end; }
    if (said.notice) { at("notice").textContent = said.notice; at("notice").hidden = false; }
    if (said.toml) { at("toml").textContent = said.toml; }
    if (said.link) { link = said.link; history.replaceState(null, "", link); }
    if ("back" in said) {
      document.querySelector("[data-do=back]").disabled = !said.back;
      document.querySelector("[data-do=forward]").disabled = !said.forward;
    }
    if (said.export) { location.assign("/export/" + said.export); }
    busy();
  }

  function busy() {
    const map = shown.map;
    let text = "";
    if (shown.compiling) { text = shown.compiling + " \u2026"; }
    else if (shown.busy) { text = shown.busy + " \u2026"; }
    else if (map) {
      const where = map.kind === "file" ? "from the file, " : "";
      text = where + map.cells[0] + " \u00d7 " + map.cells[1] + " runs";
    }
    at("busy").textContent = at("busy").title = text;
    at("busy").className = shown.compiling || shown.busy ? "working" : "";
  }

  function keys() {
    const list = at("legend");
    list.replaceChildren();
    const entry = (kind, colour, text) => {
      const item = document.createElement("li"), mark = document.createElement("i");
      if (kind) { mark.className = kind; } else { mark.style.background = colour; }
      item.append(mark, text);
      list.append(item);
    };
    for (const [colour, text] of legend) { entry("", colour, text); }
    if (fastest) {
      const [x, y, steps] = fastest;
      entry("star", "", "fastest: " + steps.toLocaleString("en") + " updates at " + number(x) + ", " + number(y));
    }
    for (const [kind, text] of theory) { entry(kind, "", text); }
    if (shown.map && shown.map.note) { list.append(shown.map.note); }
  }

  function number(value) { return String(Number(value.toPrecision(5))); }

  function errors(found) {
    for (const place of document.querySelectorAll(".error")) { place.textContent = ""; }
    for (const [field, message] of Object.entries(found)) {
      (at("error-" + field) || at("error-map")).textContent = message;
    }
  }

  function option(select, value, text) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    select.append(made);
  }

  function fill() {
    for (const one of told.objectives) {
      option(at("objective"), one.name, one.name === "formula" ? "a formula of your own" : one.name.replace(/_/g, " "));
    }
    for (const one of told.rules) { option(at("rule"), one.name, one.title); }
    for (const [name, meaning] of Object.entries(told.restarts)) {
      option(at("restart"), name, name + ": " + meaning);
    }
  }

  function put(input, value) {
    const text = value === null || value === undefined ? "" : String(value);
    if (document.activeElement !== input || input.dataset.sent === "1") { input.value = text; }
    input.dataset.sent = "";
  }

  function inputs(box, values, change, titles) {
    const names = Object.keys(values);
    if (box.dataset.names !== names.join(",")) {
      box.replaceChildren();
      box.dataset.names = names.join(",");
      for (const name of names) {
        const label = document.createElement("label"), input = document.createElement("input");
        input.id = box.id + "-" + name;
        input.inputMode = "decimal";
        label.title = (titles || {})[name] || "";
        label.append(words(name), input);
        input.addEventListener("change", () => { input.dataset.sent = "1"; change(name, input.value); });
        box.append(label);
      }
    }
    for (const name of names) { put(at(box.id + "-" + name), values[name]); }
  }

  function numeric(text) { const value = Number(text); return text.trim() === "" || isNaN(value) ? text : value; }

  function show() {
    const own = view.objective.name === "formula";
    at("objective").value = view.objective.name;
    at("own").hidden = !own;
    const variables = view.objective.variables || ["x", "y"];
    if (own) {
      put(at("formula"), view.objective.formula);
      const constants = Object.entries(view.objective.constants || {});
      put(at("constants"), constants.map(([k, v]) => k + " = " + v).join(", "));
    }
    const kind = told.objectives.find((one) => one.name === view.objective.name);
    const constants = {};
    for (const [name, usual] of Object.entries(kind ? kind.constants : {})) {
      constants[name] = name in view.objective ? view.objective[name] : usual;
    }
    inputs(at("own-constants"), constants, (name, text) => {
      ask("objective", { table: Object.assign({}, view.objective, { [name]: numeric(text) }) });
    });
    const rule = told.rules.find((one) => one.name === view.rule.name);
    at("rule").value = rule.name;
    at("equation").textContent = rule.equation;
    const parameters = {}, titles = {};
    for (const one of rule.parameters) {
      parameters[one.name] = one.name in view.rule ? view.rule[one.name] : one.default;
      titles[one.name] = one.meaning + "; must " + one.range;
    }
    const changed = (name, value) => {
      const table = Object.assign({}, view.rule, { [name]: value });
      if (value === "") { delete table[name]; }
      ask("rule", { table });
    };
    inputs(at("parameters"), parameters, (name, text) => changed(name, numeric(text.trim())), titles);
    const options = {};
    for (const one of told.options) {
      options[one.name] = one.name in view.rule ? view.rule[one.name] : one.default;
      titles[one.name] = one.meaning + "; must " + one.range;
    }
    inputs(at("options"), options, (name, text) => changed(name, numeric(text.trim())), titles);
    at("restart").value = view.rule.restart || "";
    restarted = (value) => changed("restart", value);
    put(at("steps"), view.steps);
    put(at("target"), view.target);
    put(at("start-x"), number(view.start[0]));
    put(at("start-y"), number(view.start[1]));
    const axes = Object.keys(view.windows);
    for (const [id, chosen] of [["axis-x", axes[0]], ["axis-y", axes[1]]]) {
      const select = at(id);
      const names = view.names.filter((name) => id === "axis-x" || name !== "lr");
      if (select.dataset.names !== names.join(",")) {
        select.replaceChildren();
        select.dataset.names = names.join(",");
        for (const name of names) { option(select, name, name === "lr" ? "learning rate" : words(name)); }
      }
      select.value = chosen;
    }
    const fixed = {};
    if (!axes.includes("lr")) { fixed.lr = view.lr; }
    if (!axes.includes("momentum") && view.names.includes("momentum")) { fixed.momentum = view.momentum; }
    inputs(at("fixed"), fixed, (name, text) => ask("settings", { [name]: text }));
    at("theory").checked = view.theory;
  }

  function nearest(values, value) {
    let low = 0, high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) { low = middle; } else { high = middle; }
    }
    return value - values[low] <= values[high] - value ? low : high;
  }

  function point(x, y) {
    const data = page.steps.data;
    if (!view || !data.steps.length || x === null || x === undefined) { return; }
    const xs = data.x[0], ys = data.y[0];
    const i = nearest(xs, x), j = nearest(ys, y), k = j * xs.length + i;
    const steps = data.steps[0][k], code = data.status[0][k];
    const [name, other] = Object.keys(view.windows);
    let end = status[code];
    if (view.target !== null) {
      if (steps >= 0) { end = "target reached after " + steps.toLocaleString("en") + " updates"; }
      else if (code === 3) { end = "target not reached"; }
    }
    at("point").textContent = words(name) + " " + number(xs[i]) + ", " + words(other) + " " + number(ys[j]) + ": " + end;
  }

  function drag(kind) {
    mode = kind;
    page.box.active = kind === "box";
    page.pan.active = kind === "pan";
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === kind));
    }
    ask("mode", { value: kind });
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function copy(text, button) {
    const said = button.textContent;
    navigator.clipboard.writeText(text).then(
      () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = said; }, 1500); },
      () => { at("notice").textContent = text; at("notice").hidden = false; });
  }

  const tools = {
    in: () => ask("nudge", { factor: 0.5 }),
    out: () => ask("nudge", { factor: 2 }),
    back: () => ask("back"),
    forward: () => ask("forward"),
    reset: () => ask("reset"),
    link: () => copy(location.origin + "/" + link, document.querySelector("[data-do=link]")),
    picture: () => ask("export", { what: "picture" }),
    data: () => ask("export", { what: "data" }),
  };
  const pressed = {
    "+": tools.in, "=": tools.in, "-": tools.out, "b": tools.back, "f": tools.forward, "r": tools.reset,
    "p": () => drag("path"), "x": () => drag("box"), "m": () => drag("pan"),
    "t": () => at("theory").click(),
    "ArrowLeft": () => ask("nudge", { shift: [-0.2, 0] }),
    "ArrowRight": () => ask("nudge", { shift: [0.2, 0] }),
    "ArrowUp": () => ask("nudge", { shift: [0, 0.2] }),
    "ArrowDown": () => ask("nudge", { shift: [0, -0.2] }),
  };

  function listen(id, change) {
    at(id).addEventListener("change", () => { at(id).dataset.sent = "1"; change(at(id).value); });
  }

  const formula = () => ask("objective", { formula: at("formula").value, constants: at("constants").value });
  if (at("objective")) {
    listen("objective", (name) => name === "formula" ? formula() : ask("objective", { table: { name } }));
    listen("formula", formula);
    listen("constants", formula);
    listen("rule", (name) => ask("rule", { table: { name } }));
    listen("restart", (value) => restarted(value));
    listen("steps", (value) => ask("steps", { value }));
    listen("target", (value) => ask("target", { value }));
    const start = () => ask("start", { value: [at("start-x").value, at("start-y").value] });
    listen("start-x", start);
    listen("start-y", start);
    const axes = () => ask("axes", { x: at("axis-x").value, y: at("axis-y").value });
    listen("axis-x", axes);
    listen("axis-y", axes);
    at("theory").addEventListener("change", () => ask("theory", { value: at("theory").checked }));
    at("copy-toml").addEventListener("click", () => copy(at("toml").textContent, at("copy-toml")));
    at("save-toml").addEventListener("click", () => save("explored.toml", at("toml").textContent));
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => drag(button.dataset.mode));
    }
    for (const button of document.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => tools[button.dataset.do]());
    }
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA|PRE)$/.test(event.target.tagName) && event.target.type !== "checkbox";
      if (typing || event.ctrlKey || event.altKey || event.metaKey || !page) { return; }
      const act = pressed[event.key];
      if (act) { event.preventDefault(); act(); }
    });
  }

  function lost() {
    at("notice").textContent = "The explorer has ended, or cannot be reached: start it again, and reload this page.";
    at("notice").hidden = false;
    shown.busy = shown.compiling = "";
    busy();
  }

  const map_data = () => {
    const data = page.steps.data;
    return { steps: Array.from(data.steps[0]), status: Array.from(data.status[0]),
      x: Array.from(data.x[0]), y: Array.from(data.y[0]) };
  };
  const state = () => ({ view, shown, link, mode, legend, theory, fastest });
  return { begin, point, lost, state, ask, map_data };
})();
