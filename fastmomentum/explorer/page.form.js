"use strict";
/* The form beside the map: it shows a view, and asks for another. */
window.explorer_form = (function () {
  const at = (id) => document.getElementById(id);
  const words = (name) => name === "lr" ? "learning rate" : name.replace(/^objective_/, "").replace(/_/g, " ");
  const number = (value) => String(Number(value.toPrecision(5)));
  let ask = null, told = null, view = null, keeping = false;

  function option(select, value, text) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    select.append(made);
  }

  /* What can be chosen, once. */
  function fill(registries) {
    told = registries;
    for (const one of told.objectives) {
      option(at("objective"), one.name, one.name === "formula" ? "a formula of your own" : one.name.replace(/_/g, " "));
    }
    for (const one of told.rules) { option(at("rule"), one.name, one.title); }
    for (const [name, meaning] of Object.entries(told.restarts)) {
      option(at("restart"), name, name + ": " + meaning);
    }
    for (const [of, kinds] of Object.entries(told.schedules)) {
      for (const kind of kinds) { option(at("schedule-" + of), kind.name, kind.title); }
      option(at("schedule-" + of), "several", "several in a row");
      at("schedule-" + of).lastChild.disabled = true;
    }
  }

  function put(input, value) {
    const text = value === null || value === undefined ? "" : String(value);
    if (keeping) { return; }
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
        input.placeholder = "none";
        label.title = (titles || {})[name] || "";
        label.append(words(name), input);
        input.addEventListener("change", () => { input.dataset.sent = "1"; change(name, input.value); });
        box.append(label);
      }
    }
    for (const name of names) { put(at(box.id + "-" + name), values[name]); }
  }

  function numeric(text) { const value = Number(text); return text.trim() === "" || isNaN(value) ? text : value; }

  /* Numbers with commas between them are a list. */
  function listed(text) {
    const parts = text.replace(/[[\]]/g, "").split(",");
    return parts.length > 1 || /\[/.test(text) ? parts.map(numeric) : numeric(text);
  }

  function parameters_of(known, given, titles) {
    const values = {};
    for (const one of known) {
      values[one.name] = one.name in given ? given[one.name] : one.default;
      titles[one.name] = one.meaning + "; must " + one.range;
    }
    return values;
  }

  function changed_rule(name, value) {
    const table = Object.assign({}, view.rule, { [name]: value });
    if (value === "") { delete table[name]; }
    ask("rule", { table });
  }

  /* Fill the form from a view; after a refusal what was typed stays. */
  function show(shown, keeps) {
    view = shown;
    keeping = Boolean(keeps);
    objective();
    const rule = told.rules.find((one) => one.name === view.rule.name), titles = {};
    const changed = (name, text) => changed_rule(name, numeric(text.trim()));
    at("rule").value = rule.name;
    at("equation").textContent = rule.equation;
    inputs(at("parameters"), parameters_of(rule.parameters, view.rule, titles), changed, titles);
    inputs(at("options"), parameters_of(told.options, view.rule, titles), changed, titles);
    at("restart").value = view.rule.restart || "";
    put(at("steps"), view.steps);
    put(at("target"), view.target);
    const starts = view.names.filter((name) => name.startsWith("start_"));
    ["x", "y"].forEach((which, k) => {
      put(at("start-" + which), number(view.start[k]));
      at("start-" + which + "-name").textContent = words(starts[k]);
    });
    axes();
    const others = view.others || {};
    for (const of of Object.keys(told.schedules)) { schedule(of, (others.schedule || {})[of]); }
    put(at("noise"), (others.noise || {}).gaussian);
    put(at("seed"), ((others.grid || {}).seed || [0])[0]);
    at("theory").checked = view.theory;
    keeping = false;
  }

  function objective() {
    const own = view.objective.name === "formula";
    at("objective").value = view.objective.name;
    at("own").hidden = !own;
    if (own) {
      put(at("formula"), view.objective.formula);
      const constants = Object.entries(view.objective.constants || {});
      put(at("constants"), constants.map(([k, v]) => k + " = " + v).join(", "));
    }
    const kind = told.objectives.find((one) => one.name === view.objective.name), constants = {};
    for (const [name, usual] of Object.entries(kind ? kind.constants : {})) {
      constants[name] = name in view.objective ? view.objective[name] : usual;
    }
    inputs(at("own-constants"), constants, (name, text) => {
      ask("objective", { table: Object.assign({}, view.objective, { [name]: numeric(text) }) });
    });
  }

  function axes() {
    const axes = Object.keys(view.windows), fixed = {};
    for (const [id, chosen] of [["axis-x", axes[0]], ["axis-y", axes[1]]]) {
      const select = at(id);
      const names = view.names.filter((name) => id === "axis-x" || name !== "lr");
      if (select.dataset.names !== names.join(",")) {
        select.replaceChildren();
        select.dataset.names = names.join(",");
        for (const name of names) { option(select, name, words(name)); }
      }
      select.value = chosen;
    }
    if (!axes.includes("lr")) { fixed.lr = view.lr; }
    if (!axes.includes("momentum") && view.names.includes("momentum")) { fixed.momentum = view.momentum; }
    inputs(at("fixed"), fixed, (name, text) => ask("settings", { [name]: text }));
  }

  function schedule(of, given) {
    const select = at("schedule-" + of), is_list = Array.isArray(given);
    const kind = told.schedules[of].find((one) => given && one.name === given.kind);
    select.value = is_list ? "several" : (kind ? kind.name : "");
    at("equation-" + of).textContent = kind ? kind.equation : "";
    const values = {};
    for (const one of kind ? kind.parameters : []) {
      const value = one.name in given ? given[one.name] : one.default;
      values[one.name] = Array.isArray(value) ? value.join(", ") : value;
    }
    inputs(at("numbers-" + of), values, (name, text) => {
      const table = Object.assign({}, view.others.schedule[of], { [name]: listed(text) });
      if (text.trim() === "") { delete table[name]; }
      ask("schedule", { of, table });
    });
  }

  function listen(id, change) {
    at(id).addEventListener("change", () => { at(id).dataset.sent = "1"; change(at(id).value); });
  }

  function begin(asker) {
    ask = asker;
    if (!at("objective")) { return; }  // a page that says that too many are open
    const formula = () => ask("objective", { formula: at("formula").value, constants: at("constants").value });
    listen("objective", (name) => name === "formula" ? formula() : ask("objective", { table: { name } }));
    listen("formula", formula);
    listen("constants", formula);
    listen("rule", (name) => ask("rule", { table: { name } }));
    listen("restart", (value) => changed_rule("restart", value));
    for (const name of ["steps", "target", "noise", "seed"]) { listen(name, (value) => ask(name, { value })); }
    for (const of of ["lr", "momentum"]) {
      listen("schedule-" + of, (kind) => ask("schedule", { of, table: kind ? { kind } : {} }));
    }
    const start = () => ask("start", { value: [at("start-x").value, at("start-y").value] });
    listen("start-x", start);
    listen("start-y", start);
    const chosen = () => ask("axes", { x: at("axis-x").value, y: at("axis-y").value });
    listen("axis-x", chosen);
    listen("axis-y", chosen);
    at("theory").addEventListener("change", () => ask("theory", { value: at("theory").checked }));
  }

  return { begin, fill, show, words, number };
})();
