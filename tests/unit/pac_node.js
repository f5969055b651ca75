// Runs PAC files in Node. Each line that comes in is a batch as JSON, {pac, questions: [[url, host], ...], dns}, and each
// line that goes out its answers, {answers, seconds, first}. A script sees the functions of PAC files and what ES3 has.
"use strict";
const vm = require("node:vm");
const readline = require("node:readline");

const ASKS_DNS = ["isResolvable", "isResolvableEx", "isInNet", "isInNetEx", "dnsResolve", "dnsResolveEx", "myIpAddress",
  "myIpAddressEx"];
const ASKS_NOTHING = ["isPlainHostName", "dnsDomainIs", "localHostOrDomainIs", "dnsDomainLevels", "shExpMatch",
  "sortIpAddressList", "weekdayRange", "dateRange", "timeRange", "alert"];
// Standard names that came after ES3; a script that is ES3 does not miss them.
const LATER = `
  (function (keep) {
    var gone = [];
    for (var kind in keep) {
      var owner = kind === "global" ? this : kind.split(".").reduce(function (o, k) { return o[k] }, this);
      Object.getOwnPropertyNames(owner).forEach(function (name) {
        if (keep[kind].indexOf(name) < 0) gone.push([owner, name]);
      });
    }
    for (var i = 0; i < gone.length; i++) delete gone[i][0][gone[i][1]];
  })`;
const OBJECT = "constructor toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable".split(" ");
const KEEP = {
  "Array.prototype": "constructor toString toLocaleString concat join pop push reverse shift slice sort splice unshift",
  "String.prototype": "constructor toString valueOf charAt charCodeAt concat indexOf lastIndexOf localeCompare match" +
    " replace search slice split substring toLowerCase toLocaleLowerCase toUpperCase toLocaleUpperCase length" +
    " substr",
  Object: "prototype length name",
  Array: "prototype length name",
  global: "Object Function Array String Boolean Number Date RegExp Error Math NaN Infinity undefined parseInt parseFloat" +
    " isNaN isFinite decodeURI encodeURI decodeURIComponent encodeURIComponent escape unescape eval EvalError" +
    " RangeError ReferenceError SyntaxError TypeError URIError",
};

function realm(dns) {
  const box = vm.createContext(Object.create(null));
  vm.runInContext("var told = " + JSON.stringify(JSON.stringify(dns)) + "; told = JSON.parse(told);", box);
  const keep = Object.fromEntries(Object.entries(KEEP).map(([kind, names]) => [kind, names.split(" ")]));
  keep.global.push("told");
  keep["Object.prototype"] = OBJECT;
  vm.runInContext(`${LATER}(${JSON.stringify(keep)})`, box);
  const throws = (name) => `function ${name}() { throw new Error("asked for ${name}") }`;
  const absent = dns ? ["dnsResolve", "dnsResolveEx"] : [];
  vm.runInContext([...ASKS_DNS, ...ASKS_NOTHING].filter((name) => !absent.includes(name)).map(throws).join("\n"), box);
  if (dns) vm.runInContext("function dnsResolve(name) { return told['.' + name] || null }", box);
  return box;
}

// The limits of a browser: whatever is thrown is an answer of its own, so that a test sees it.
function asked(find, url, host) {
  try {
    return String(find(url, host));
  } catch (error) {
    return `throws ${error}`;
  }
}

function batch({pac, questions, dns}) {
  const started = process.hrtime.bigint();
  const box = realm(dns);
  const seconds = () => Number(process.hrtime.bigint() - started) / 1e9;
  const made = seconds();
  vm.runInContext(pac, box);
  const find = vm.runInContext("FindProxyForURL", box);
  const answers = questions.length ? [asked(find, ...questions[0])] : [];
  const first = seconds() - made;
  for (const [url, host] of questions.slice(1)) answers.push(asked(find, url, host));
  return {answers, first, seconds: seconds() - made};
}

readline.createInterface({input: process.stdin}).on("line", (line) => {
  let told;
  try {
    told = batch(JSON.parse(line));
  } catch (error) {
    told = {error: String(error)};
  }
  process.stdout.write(JSON.stringify(told) + "\n");
});
