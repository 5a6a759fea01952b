"use strict";
window.explorer = (function () {
  const drawn = window.explorer_map, form = window.explorer_form, at = (id) => document.getElementById(id);
  const status = ["not run", "converged", "diverged", "out of steps"];
  const { words, number } = form;
  let page = null, count = 0, view = null, link = "", shown = {}, mode = "path";
  let legend = [], theory = [], fastest = null, said = [], forgetting = 0;

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
    drawn.begin(page, ask, () => view);
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
      for (const axis of drawing.left.concat(drawing.below)) {
        axis.axis_label_text_color = ink;
        axis.major_label_text_color = ink;
        axis.axis_line_color = ink;
        axis.major_tick_line_color = ink;
        axis.minor_tick_line_color = ink;
        axis.axis_label_text_font_style = "normal";
      }
    }
  }

  function hear(said) {
    if (said.registries) { form.fill(said.registries); drawn.palette(said.registries.palette, said.registries.colours_of_steps); }
    if (said.go) { location.assign(said.go); return; }
    if (said.view) { seen(said.view); }
    if (said.moves) { drawn.go("window", Object.values(view.windows)); }
    if (said.field) { drawn.go("field", said.field); }
    if (said.axes) { shown.axes = said.axes; }
    if ("busy" in said) { shown.busy = said.busy; }
    if ("compiling" in said) { shown.compiling = said.compiling; }
    if (said.shown) { shown.map = said.shown; legend = said.shown.legend; fastest = null; drawn.bar(said.shown.limits); }
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

  function errors(found) {
    for (const place of document.querySelectorAll(".error")) { place.textContent = ""; }
    for (const [field, message] of Object.entries(found)) {
      (at("error-" + field) || at("error-map")).textContent = message;
    }
    if (Object.keys(found).length && view) { form.show(view, true); }
  }

  /* The form is filled anew only where it changes: a gesture tells its view three times. */
  function seen(next) {
    const fields = (one) => JSON.stringify(Object.assign({}, one, { cell: null, windows: one && Object.keys(one.windows) }));
    const is_other = !view || fields(next) !== fields(view);
    view = next;
    if (is_other) { form.show(view); }
  }

  function point(x, y) {
    const under = view && drawn.cell(x, y);
    if (!under) { return; }
    const [name, other] = Object.keys(view.windows);
    let end = status[under.status];
    if (view.target !== null) {
      if (under.steps >= 0) { end = "target reached after " + under.steps.toLocaleString("en") + " updates"; }
      else if (under.status === 3) { end = "target not reached"; }
    }
    at("point").textContent = words(name) + " " + number(under.x) + ", " + words(other) + " " + number(under.y) + ": " + end;
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

  if (at("objective")) {
    form.begin(ask);
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

  const state = () => ({ view, shown, link, mode, legend, theory, fastest });
  return { begin, point, lost, state, ask, map_data: drawn.data };
})();
