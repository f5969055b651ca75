
function FindProxyForURL(url, host) {
  var asked = egressAsked(String(url), String(host)), i;
  for (i = 0; i < EGRESS_LISTS.length; i++) {
    if (egressHolds(EGRESS_LISTS[i], asked)) {
      return EGRESS_LISTS[i].to;
    }
  }
  return asked.name && asked.name.indexOf(".") < 0 ? EGRESS_PLAIN : EGRESS_OTHERS;
}

// What is asked for: a name, or an address as four or eight numbers; the port, -1 if unknown; the path of plain http.
function egressAsked(url, host) {
  var asked = {name: "", bytes: null, groups: null, port: -1, path: "", known: null};
  var parts = /^([a-z][a-z0-9+.\-]*):\/\/([^\/?#\\]*)([^#]*)/i.exec(url);
  var bare = host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (parts) {
    asked.port = egressPort(parts[1].toLowerCase(), parts[2]);
    asked.path = parts[1].toLowerCase() == "http" ? parts[3] || "/" : "";
  }
  asked.bytes = egressBytes(bare);
  if (!asked.bytes) {
    asked.groups = egressGroups(bare.toLowerCase());
    if (bare.length < 254 && /^[a-z0-9_\-]{1,63}(\.[a-z0-9_\-]{1,63})*$/i.test(bare)) {
      asked.name = bare.toLowerCase();
    }
  }
  return asked;
}

function egressPort(scheme, authority) {
  var written = /:([0-9]{1,5})$/.exec(authority.replace(/^.*@/, ""));
  if (written) {
    return parseInt(written[1], 10);
  }
  if (scheme == "https" || scheme == "wss") {
    return 443;
  }
  return scheme == "http" || scheme == "ws" ? 80 : scheme == "ftp" ? 21 : -1;
}

function egressHolds(list, asked) {
  var addresses, i;
  if (!asked.name) {
    return egressHoldsAddress(list, asked.bytes, asked.groups, asked.port);
  }
  if (egressHoldsName(list, asked)) {
    return true;
  }
  addresses = EGRESS_RESOLVE && list.lengths.length ? egressAddresses(asked) : [];
  for (i = 0; i < addresses.length; i++) {
    if (!egressHoldsAddress(list, egressBytes(addresses[i]), egressGroups(addresses[i]), asked.port)) {
      return false;
    }
  }
  return addresses.length > 0;
}

// From the whole name to its last label: one look into each table for each of them, however long the list is.
function egressHoldsName(list, asked) {
  var rest = "." + asked.name, dot;
  if (egressOpen(list.exact[rest], asked.port) || egressFits(list.shaped[rest], asked)) {
    return true;
  }
  for (dot = rest.indexOf(".", 1); dot > 0; dot = rest.indexOf(".", 1)) {
    rest = rest.substring(dot);
    if (egressOpen(list.below[rest], asked.port) || egressFits(list.shaped[rest], asked)) {
      return true;
    }
  }
  return false;
}

// The few patterns that need more than a table: a star inside a label or between labels, two or more stars, a path.
function egressFits(shapes, asked) {
  var i;
  for (i = 0; shapes && i < shapes.length; i++) {
    if (shapes[i].name.test(asked.name) && egressOpen(shapes[i].ports, asked.port) &&
        (!shapes[i].path || shapes[i].path == asked.path)) {
      return true;
    }
  }
  return false;
}

function egressOpen(ports, port) {
  var ranges, i;
  if (typeof ports != "number") {
    return false;
  }
  ranges = EGRESS_PORTS[ports];
  for (i = 0; ranges && i < ranges.length; i += 2) {
    if (ranges[i] <= port && port <= ranges[i + 1]) {
      return true;
    }
  }
  return !ranges;
}

function egressHoldsAddress(list, bytes, groups, port) {
  var i, bits, key;
  for (i = 0; i < list.lengths.length; i++) {
    bits = list.lengths[i];
    key = bytes ? egressKey("4/", bytes, bits, 8) : groups ? egressKey("6/", groups, bits, 16) : "";
    if (egressOpen(list.networks[key], port)) {
      return true;
    }
  }
  return false;
}

// The first bits of an address, as the tables have them.
function egressKey(family, numbers, bits, width) {
  var key = family + bits, i, unit;
  for (i = 0; i < numbers.length && i * width < bits; i++) {
    unit = Math.pow(2, Math.max(0, (i + 1) * width - bits));
    key += "/" + (numbers[i] - numbers[i] % unit).toString(16);
  }
  return key;
}

function egressBytes(text) {
  var found = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(text), bytes = [], i;
  for (i = 1; found && i < 5; i++) {
    bytes[i - 1] = parseInt(found[i], 10);
    if (bytes[i - 1] > 255 || String(bytes[i - 1]) != found[i]) {
      return null;
    }
  }
  return found ? bytes : null;
}

function egressGroups(text) {
  var tail = /^(.*:)([0-9.]+)$/.exec(text), bytes = tail ? egressBytes(tail[2]) : null;
  var halves, left, right, groups = [], missing, i;
  if (bytes) {
    text = tail[1] + (bytes[0] * 256 + bytes[1]).toString(16) + ":" + (bytes[2] * 256 + bytes[3]).toString(16);
  }
  halves = text.split("::");
  left = halves[0] ? halves[0].split(":") : [];
  right = halves[1] ? halves[1].split(":") : [];
  missing = 8 - left.length - right.length;
  if (text.indexOf(":") < 0 || halves.length > 2 || missing < 0 || (missing > 0) != (halves.length == 2)) {
    return null;
  }
  for (i = 0; i < missing; i++) {
    left.push("0");
  }
  left = left.concat(right);
  for (i = 0; i < 8; i++) {
    if (!/^[0-9a-f]{1,4}$/.test(left[i])) {
      return null;
    }
    groups[i] = parseInt(left[i], 16);
  }
  return groups;
}

// Asked of DNS only where the script was made with resolve, and once for each question.
function egressAddresses(asked) {
  var text;
  if (!asked.known) {
    text = typeof dnsResolveEx == "function" ? dnsResolveEx(asked.name) : dnsResolve(asked.name);
    asked.known = text ? String(text).toLowerCase().split(";") : [];
  }
  return asked.known;
}
