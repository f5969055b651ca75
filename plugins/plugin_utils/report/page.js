"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SEVERITIES = ["critical", "required", "optional"];
  const SIGNS = { ok: "✓", failed: "✗", not_provable: "?", gone: "–", not_asked: "" };
  const WORDS = { ok: "as intended", failed: "not as intended", not_provable: "not provable", gone: "gone", not_asked: "not asked" };
  const ROWS = 40, COLUMNS = 25, FEW = 4;
  const codeOf = new Map(Array.from(data.alphabet, (char, code) => [char, code]));
  const rows = data.rows.map((text) => Uint8Array.from(Array.from(text), (char) => codeOf.get(char)));
  const byId = (id) => document.getElementById(id);

  function element(name, text, attributes) {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    return made;
  }
  function put(parent, ...children) {
    parent.replaceChildren(...children);
    return parent;
  }
  function count(number, word) {
    return number + " " + word + (number === 1 ? "" : "s");
  }
  function seconds(value) {
    return value < 1 ? Math.round(value * 1000) + " ms" : value + " s";
  }

  function head() {
    const verdict = data.verdict;
    document.title = data.title;
    byId("title").textContent = data.title;
    byId("verdict").textContent = verdict.passed ? "✓ Passed" : "✗ Not passed";
    byId("verdict").className = verdict.passed ? "passed" : "not-passed";
    put(byId("reasons"), ...(verdict.reasons || []).map((reason) => element("li", reason)));
    const counts = verdict.counts;
    const told = [
      ["hosts that answered", verdict.answered + " of " + verdict.total],
      ["checks as intended", counts.ok + " of " + counts.total],
      ["failed", counts.failed], ["not provable", counts.not_provable], ["gone", counts.gone],
    ];
    if (verdict.wildcards && verdict.wildcards.total) told.push(["wildcards provable", verdict.wildcards.provable + " of " + verdict.wildcards.total]);
    put(byId("numbers"), ...told.map(([name, value]) => {
      const pair = element("div");
      pair.append(element("dt", name), element("dd", value));
      return pair;
    }));
    byId("made").textContent = "Made " + data.time + " by egress.allowlist.";
    if (data.leftOut) byId("made").append(" " + count(data.leftOut, "host") + " answered and left no result file: in the numbers above, and not in the table.");
  }

  // A list: the first names at once, also on paper, and all of them on demand.
  function names(title, list, total, shown) {
    const few = list.slice(0, shown === undefined ? FEW : shown), more = total - few.length;
    const said = title + (few.length ? ": " + few.join(", ") : "") + (more > 0 ? (few.length ? " and " + more + " more" : " (" + more + ")") : "");
    if (more <= 0) return element("p", said);
    const made = element("details");
    const inside = element("ul", null, { class: "names" });
    inside.append(...list.map((name) => element("li", name)));
    if (total > list.length) inside.append(element("li", "and " + (total - list.length) + " more"));
    made.append(element("summary", said), inside);
    return made;
  }
  function silent() {
    byId("silent-section").hidden = !data.silentCount;
    const reasons = new Map();
    for (const one of data.silent) reasons.set(one.reason, (reasons.get(one.reason) || []).concat(one.host));
    const more = data.silentCount - data.silent.length;
    put(byId("silent"), ...[...reasons].map(([reason, hosts]) => names(reason + " (" + count(hosts.length, "host") + ")", hosts, hosts.length, 10)),
      ...(more ? [element("p", "and " + count(more, "more host"))] : []));
  }
  function baseline() {
    const verdict = data.verdict;
    byId("worse-section").hidden = !verdict.worse;
    if (!verdict.worse) return;
    const told = [element("p", count(verdict.worse_count, "check") + " worse than then, " + count(verdict.better, "check") + " better.")];
    if (verdict.not_compared) told.push(element("p", count(verdict.not_compared, "host") + " not asked then, and so not compared."));
    const list = element("ul");
    list.append(...verdict.worse.slice(0, 10).map((one) => element("li", one)));
    told.push(list);
    if (verdict.worse.length > 10) told.push(names("More", verdict.worse.slice(10), verdict.worse_count - 10, 0));
    put(byId("worse"), ...told);
  }
  function culprits() {
    const ending = data.culpritCount - data.culprits.length;
    put(byId("culprits"), ...data.culprits.map(culprit), ...(ending ? [element("p", "and " + ending + " more; the table below has them")] : []));
    if (!data.culprits.length) byId("culprits").textContent = "Nobody: nothing failed.";
  }
  function culprit(one) {
    const card = element("article", null, { class: "culprit " + one.severity });
    const meta = [one.outcome, "first suspect: " + one.blame, count(one.hostCount, "host"), count(one.count, "check"), "worst severity: " + one.severity];
    card.append(element("h3", one.headline), element("p", meta.join(" · "), { class: "meta" }), element("p", one.evidence));
    if (one.advice) card.append(element("p", "What to do: " + one.advice, { class: "todo" }));
    const button = element("button", "Show in the table", { type: "button" });
    button.addEventListener("click", () => {
      byId("filters").reset();
      byId("filter-outcome").value = one.outcome;
      filter();
      byId("matrix-head").scrollIntoView();
    });
    card.append(names("Endpoints", one.endpoints.map((index) => data.endpoints[index][0]), one.endpointCount),
      names("Hosts", one.hosts.map((index) => data.hosts[index][0]), one.hostCount), button);
    return card;
  }

  function groups() {
    const table = byId("groups");
    const top = element("tr");
    top.append(...["group", "as intended", "of", "failed", "not provable", "gone"].map((name, at) =>
      element("th", name, { scope: "col", class: at ? "number" : "" })));
    const body = element("tbody");
    const lines = Object.entries(data.verdict.by_group).concat([["all, each once", data.verdict.counts]]);
    for (const [name, numbers] of lines) {
      const line = element("tr");
      line.append(element("th", name, { scope: "row" }), ...["ok", "total", "failed", "not_provable", "gone"].map((key) =>
        element("td", numbers[key] || (key === "ok" || key === "total" ? 0 : "–"), { class: "number" })));
      body.append(line);
    }
    const thead = element("thead");
    thead.append(top);
    put(table, thead, body);
  }

  const view = { endpoints: [], hosts: [], row: 0, column: 0, wanted: [] };
  const outcomes = [...new Set(data.kinds.map((kind) => kind[1]).filter(Boolean))].sort();

  function filter() {
    const endpoint = byId("filter-endpoint").value.trim().toLowerCase();
    const host = byId("filter-host").value.trim().toLowerCase();
    const group = byId("filter-group").value === "" ? -1 : Number(byId("filter-group").value);
    const outcome = byId("filter-outcome").value;
    const onlyBad = byId("filter-bad").checked;
    const wanted = data.kinds.map((kind) => (!outcome || kind[1] === outcome) && (!onlyBad || kind[0] === "failed") && kind[0] !== "not_asked");
    const free = !outcome && !onlyBad;
    const hosts = data.hosts.map((_, index) => index).filter((index) => data.hosts[index][0].toLowerCase().includes(host));
    const endpoints = data.endpoints.map((_, index) => index).filter((index) =>
      data.endpoints[index][0].toLowerCase().includes(endpoint) && (group < 0 || data.endpoints[index][2].includes(group)));
    view.wanted = wanted;
    byId("filtered").hidden = free;
    // What the filter asks for comes first; without one, what failed.
    const sought = free ? data.kinds.map((kind) => kind[0] === "failed") : wanted;
    const ofHost = data.hosts.map(() => 0), ofEndpoint = data.endpoints.map(() => 0);
    let checks = 0;
    for (const one of hosts) for (const other of endpoints) {
      const code = rows[one][other];
      if (wanted[code]) checks += 1;
      if (sought[code]) { ofHost[one] += 1; ofEndpoint[other] += 1; }
    }
    const severity = (index) => SEVERITIES.indexOf(data.endpoints[index][1]);
    view.hosts = hosts.filter((index) => free || ofHost[index]).sort((a, b) => ofHost[b] - ofHost[a] || a - b);
    view.endpoints = endpoints.filter((index) => free || ofEndpoint[index])
      .sort((a, b) => (ofEndpoint[b] > 0) - (ofEndpoint[a] > 0) || severity(a) - severity(b) || ofEndpoint[b] - ofEndpoint[a] || a - b);
    view.row = 0;
    view.column = 0;
    byId("matrix-count").textContent = count(checks, "check") + " of " + count(view.endpoints.length, "endpoint") + " on " + count(view.hosts.length, "host");
    draw();
    drawMap();
  }

  function draw() {
    const hosts = view.hosts.slice(view.column, view.column + COLUMNS);
    const endpoints = view.endpoints.slice(view.row, view.row + ROWS);
    const top = element("tr");
    top.append(element("th", "endpoint", { scope: "col", class: "corner" }), ...hosts.map((host) => {
      const cell = element("th", data.hosts[host][0], { scope: "col", class: "host" });
      cell.title = data.hosts[host][0];
      return cell;
    }));
    const thead = element("thead"), body = element("tbody");
    thead.append(top);
    for (const endpoint of endpoints) {
      const line = element("tr");
      const name = element("th", data.endpoints[endpoint][0], { scope: "row" });
      if (data.endpoints[endpoint][1] !== "required") name.append(" ", element("small", "(" + data.endpoints[endpoint][1] + ")"));
      line.append(name, ...hosts.map((host) => cell(host, endpoint)));
      body.append(line);
    }
    put(byId("matrix"), thead, body);
    put(byId("detail"));
    const first = body.querySelector("button");
    if (first) first.tabIndex = 0;
    place("rows", view.row, ROWS, view.endpoints.length);
    place("columns", view.column, COLUMNS, view.hosts.length);
    byId("paper").textContent = "The table shows endpoints " + byId("rows-at").textContent + " on hosts " + byId("columns-at").textContent + "; the page on a screen shows all.";
  }
  function cell(host, endpoint) {
    const kind = data.kinds[rows[host][endpoint]];
    // With a filter, only what it asks for has its colour.
    const made = element("td", null, { class: "cell " + (view.wanted[rows[host][endpoint]] ? kind[0] : "other") });
    if (kind[0] === "not_asked") return made;
    const button = element("button", SIGNS[kind[0]], { type: "button", tabindex: -1 });
    button.setAttribute("aria-label", data.endpoints[endpoint][0] + " on " + data.hosts[host][0] + ": " + WORDS[kind[0]] + ", " + kind[1]);
    button.dataset.host = host;
    button.dataset.endpoint = endpoint;
    made.append(button);
    return made;
  }
  function place(name, at, size, total) {
    byId(name + "-at").textContent = total ? (at + 1) + "–" + Math.min(at + size, total) + " of " + total : "none";
    byId(name + "-back").disabled = at === 0;
    byId(name + "-on").disabled = at + size >= total;
  }
  function turn(axis, step, size, total) {
    view[axis] = Math.max(0, Math.min(view[axis] + step * size, Math.max(0, total - 1)));
    draw();
  }
  function show(host, endpoint) {
    const code = rows[host][endpoint];
    const kind = data.kinds[code];
    const told = data.details[endpoint + "," + code];
    const lines = [element("strong", data.endpoints[endpoint][0] + " on " + data.hosts[host][0] + ": " + WORDS[kind[0]]),
      element("div", kind[1] + (kind[2] ? ", suspect: " + kind[2] : "") + (told && told[1] ? " (" + told[1] + ")" : ""))];
    // The evidence is kept once for all hosts that found the same, so say whose it is.
    if (told && told[0]) lines.push(element("div", (told[2] === host ? "" : "As " + data.hosts[told[2]][0] + " saw it: ") + told[0]));
    put(byId("detail"), ...lines);
  }
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -COLUMNS], End: [0, COLUMNS] };
  // The table is one stop of the Tab key; the arrow keys go from check to check.
  function move(event) {
    const cell = event.target.closest("td");
    if (!cell || !MOVES[event.key]) return;
    event.preventDefault();
    const [down, right] = MOVES[event.key];
    const line = cell.parentElement, lines = line.parentElement.rows;
    const within = (value, most) => Math.max(0, Math.min(value, most));
    const to = lines[within(line.sectionRowIndex + down, lines.length - 1)].cells;
    const button = to[Math.max(1, within(cell.cellIndex + right, to.length - 1))].querySelector("button");
    if (button) button.focus();
  }

  // All of it at a glance: one dot for each check, failed ones first as in the table.
  function drawMap() {
    const map = byId("map");
    const wide = view.endpoints.length, high = view.hosts.length;
    byId("overview").hidden = high * wide < 200 || !high;
    if (byId("overview").hidden) return;
    const style = getComputedStyle(document.documentElement);
    const colours = {};
    for (const [status, name] of [["ok", "--ok-back"], ["failed", "--bad"], ["not_provable", "--odd"], ["gone", "--gone"], ["not_asked", "--paper"]]) {
      const hex = style.getPropertyValue(name).trim().slice(1);
      const full = hex.length === 3 ? hex.split("").map((c) => c + c).join("") : hex;
      colours[status] = [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
    }
    map.width = wide;
    map.height = high;
    map.style.width = Math.max(240, Math.min(1200, wide * Math.max(1, Math.floor(1000 / wide)))) + "px";
    map.style.height = Math.min(360, Math.max(high * 4, 24)) + "px";
    const context = map.getContext("2d");
    const picture = context.createImageData(wide, high);
    const byKind = data.kinds.map((kind, code) => colours[view.wanted[code] ? kind[0] : "not_asked"]);
    view.hosts.forEach((host, y) => view.endpoints.forEach((endpoint, x) => {
      const colour = byKind[rows[host][endpoint]];
      const at = 4 * (y * wide + x);
      picture.data[at] = colour[0]; picture.data[at + 1] = colour[1]; picture.data[at + 2] = colour[2]; picture.data[at + 3] = 255;
    }));
    context.putImageData(picture, 0, 0);
    const text = "Each dot is a check: across the endpoints, down the hosts, the worst at the top left. The red ones failed.";
    byId("map-caption").textContent = text;
    map.setAttribute("aria-label", text + " The table below says the same.");
  }

  function svg(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function times() {
    const labels = { resolve: "name resolution", connect: "connection", proxy_connect: "connection to the proxy", proxy: "the proxy's tunnel", tls: "TLS handshake", http: "HTTP answer" };
    if (!data.times.length) return put(byId("times"), element("p", "No times were measured."));
    const most = Math.max(...data.times.map((one) => one.p95), 0.001);
    const scale = (value) => 4 + 420 * Math.log1p(value * 200) / Math.log1p(most * 200);
    const high = 40 * data.times.length + 10;
    const picture = svg("svg", { viewBox: "0 0 900 " + high, width: "100%", role: "img", "aria-label": data.times.map((one) => labels[one.step] + ": half within " + seconds(one.p50) + ", 95 % within " + seconds(one.p95)).join("; ") });
    data.times.forEach((one, index) => {
      const y = 40 * index + 8;
      picture.append(svg("text", { x: 0, y: y + 17 }, labels[one.step]),
        svg("rect", { class: "most", x: 190, y: y, width: scale(one.p95), height: 24 }), svg("rect", { class: "half", x: 190, y: y, width: scale(one.p50), height: 24 }),
        svg("text", { x: 200 + scale(one.p95), y: y + 17 }, "half ≤ " + seconds(one.p50) + ", 95 % ≤ " + seconds(one.p95)));
    });
    const slow = data.hosts.map((host, index) => [host[3], index]).sort((a, b) => b[0] - a[0]).slice(0, 10);
    const list = element("ol");
    list.append(...slow.map(([value, index]) => element("li", data.hosts[index][0] + ": " + seconds(value))));
    return put(byId("times"), element("p", "How long each step took, over all targets that got so far. The scale is logarithmic."), picture, element("h3", "The slowest hosts"), list);
  }

  function news() {
    const lists = { not_provable: new Map(), gone: new Map() };
    rows.forEach((row) => row.forEach((code, endpoint) => {
      const list = lists[data.kinds[code][0]];
      if (list) list.set(endpoint, (list.get(endpoint) || 0) + 1);
    }));
    const parts = [];
    for (const [status, title] of [["not_provable", "Not provable: no known name or port could be asked"], ["gone", "Gone: the name does not exist any more; news about the list"]]) {
      const sorted = [...lists[status].entries()].sort((a, b) => b[1] - a[1]);
      if (sorted.length) parts.push(names(title + " (" + count(sorted.length, "endpoint") + ")", sorted.map(([endpoint, number]) => data.endpoints[endpoint][0] + ", on " + count(number, "host")), sorted.length));
    }
    byId("news-section").hidden = !parts.length;
    put(byId("news"), ...parts);
  }

  function controls() {
    byId("filter-group").append(...data.groups.map((name, index) => element("option", name, { value: index })));
    byId("filter-outcome").append(...outcomes.map((name) => element("option", name, { value: name })));
    byId("legend").append(...["ok", "failed", "not_provable", "gone"].map((status) => {
      const item = element("span", null, { class: "item" });
      item.append(element("span", SIGNS[status], { class: "key " + status }), WORDS[status]);
      return item;
    }));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("input", filter);
    byId("filters").addEventListener("reset", () => setTimeout(filter));
    byId("rows-back").addEventListener("click", () => turn("row", -1, ROWS, view.endpoints.length));
    byId("rows-on").addEventListener("click", () => turn("row", 1, ROWS, view.endpoints.length));
    byId("columns-back").addEventListener("click", () => turn("column", -1, COLUMNS, view.hosts.length));
    byId("columns-on").addEventListener("click", () => turn("column", 1, COLUMNS, view.hosts.length));
    for (const kind of ["click", "focusin", "mouseover"]) byId("matrix").addEventListener(kind, (event) => {
      const button = event.target.closest("button");
      if (button && kind === "focusin") {
        for (const one of byId("matrix").querySelectorAll('button[tabindex="0"]')) one.tabIndex = -1;
        button.tabIndex = 0;
      }
      if (button) show(Number(button.dataset.host), Number(button.dataset.endpoint));
    });
    byId("matrix").addEventListener("keydown", move);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
  }

  head();
  culprits();
  silent();
  baseline();
  groups();
  times();
  news();
  controls();
  filter();
  document.documentElement.dataset.ready = "yes";
})();
