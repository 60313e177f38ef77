"use strict";
// The verdict on a record (docs/record-format.md) in JavaScript without anything but the language and WebCrypto: what
// keyceremony-verify says in C++ and docs/verify.py in Python. It touches no document: a page calls it, and node in the tests.
//
//   verifyRecord(files, {roster, pins, kept, partial, links, subtle}) -> {verdict, why, entry, entries, origin, ...}
//
// files: Map of relative path -> Uint8Array. roster: Uint8Array of a roster file. pins: {m, fingerprints: Set of hex} typed by
// a person. kept: Uint8Array of a checkpoint kept elsewhere. partial: only some files are at hand: those that are missing are
// counted in `uncompared`, not complained of. links: whether there was a symbolic link in the folder.
const KC = (() => {
  // SHA-256 (FIPS 180-4), synchronous: a tree of ten thousand leaves cannot wait for ten thousand promises.
  const K = new Uint32Array(64), H0 = new Uint32Array(8), W = new Uint32Array(64);
  const frac = (x) => ((x - Math.floor(x)) * 0x100000000) >>> 0;
  for (let n = 2, count = 0; count < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (count < 8) H0[count] = frac(Math.sqrt(n));
    K[count++] = frac(Math.cbrt(n));
  }
  function block(h, data, at) {
    for (let i = 0; i < 16; i++, at += 4) W[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
    }
    let a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (k + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      k = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
  }
  function sha256(...parts) {
    let size = 0;
    for (const part of parts) size += part.length;
    let data = parts[0];
    if (parts.length > 1) {
      data = new Uint8Array(size);
      for (let at = 0, i = 0; i < parts.length; at += parts[i++].length) data.set(parts[i], at);
    }
    const h = H0.slice(), whole = size - (size % 64);
    for (let at = 0; at < whole; at += 64) block(h, data, at);
    const tail = new Uint8Array(size % 64 < 56 ? 64 : 128);
    tail.set(data.subarray(whole));
    tail[size % 64] = 0x80;
    new DataView(tail.buffer).setUint32(tail.length - 8, Math.floor(size / 0x20000000));
    new DataView(tail.buffer).setUint32(tail.length - 4, (size * 8) >>> 0);
    for (let at = 0; at < tail.length; at += 64) block(h, tail, at);
    const out = new Uint8Array(32), view = new DataView(out.buffer);
    for (let i = 0; i < 8; i++) view.setUint32(i * 4, h[i]);
    return out;
  }

  // Bytes and texts, strictly.
  class Fault extends Error {}
  const need = (condition, what) => { if (!condition) throw new Fault(what); };
  const strictText = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true}), toBytes = new TextEncoder();
  const decode = (bytes) => { try { return strictText.decode(bytes); } catch { throw new Fault("not UTF-8"); } };
  const encode = (text) => { need(!/[\ud800-\udfff]/u.test(text), "half a character"); return toBytes.encode(text); };
  const HEX = Array.from({length: 256}, (_, byte) => byte.toString(16).padStart(2, "0"));
  function hexOf(bytes) {
    let out = "";
    for (const byte of bytes) out += HEX[byte];
    return out;
  }
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  function toBase64(bytes) {
    let out = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const n = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
      out += ALPHABET[n >> 18] + ALPHABET[(n >> 12) & 63];
      out += (i + 1 < bytes.length ? ALPHABET[(n >> 6) & 63] : "=") + (i + 2 < bytes.length ? ALPHABET[n & 63] : "=");
    }
    return out;
  }
  function fromBase64(text) {
    need(typeof text === "string" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), "base64");
    const binary = atob(text), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }
  const strict64 = (text) => { const raw = fromBase64(text); need(toBase64(raw) === text, "base64"); return raw; };
  const isText = (value) => typeof value === "string";
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const field = (object, name) => (isObject(object) && Object.prototype.hasOwnProperty.call(object, name) ? object[name] : undefined);
  const textOf = (object, name) => { const value = field(object, name); need(isText(value), `field "${name}"`); return value; };
  const countOf = (object, name) => {
    const value = field(object, name);
    need(Number.isSafeInteger(value) && value >= 0, `field "${name}"`);
    return value;
  };
  const DIGEST = /^[0-9a-f]{64}$/, NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

  // JSON in its one spelling: RFC 8785 with integers alone, nesting at most `levels`.
  function canonicalText(value, levels) {
    if (Array.isArray(value)) {
      need(levels > 0, "nesting");
      return "[" + value.map((each) => canonicalText(each, levels - 1)).join(",") + "]";
    }
    if (isObject(value)) {
      need(levels > 0, "nesting");
      let out = "";
      for (const key of Object.keys(value).sort()) {
        need(/^[A-Za-z0-9_.-]+$/.test(key), "key");
        out += (out ? "," : "") + JSON.stringify(key) + ":" + canonicalText(value[key], levels - 1);
      }
      return "{" + out + "}";
    }
    need(typeof value !== "number" || (Number.isSafeInteger(value) && !Object.is(value, -0)), "number");
    return JSON.stringify(value);
  }
  // IsCanonical is the quick way to the same answer for what the engine itself spells as it should be.
  const goodKeys = new Set();
  function isCanonical(value, levels) {
    if (value === null || typeof value === "string" || typeof value === "boolean") return true;
    if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
    if (levels === 0) return false;
    if (Array.isArray(value)) return value.every((each) => isCanonical(each, levels - 1));
    let last = "";
    for (const key of Object.keys(value)) {
      if (!goodKeys.has(key)) {
        if (!/^[A-Za-z0-9_.-]+$/.test(key)) return false;
        if (goodKeys.size < 10000) goodKeys.add(key);
      }
      if (key <= last || !isCanonical(value[key], levels - 1)) return false;
      last = key;
    }
    return true;
  }
  const parse = (text) => { try { return JSON.parse(text); } catch { throw new Fault("no JSON"); } };
  function canonical(raw) {
    need(raw.length >= 2 && raw.length <= 65535, "size of the line");
    const text = decode(raw);
    need(!text.includes("\u007f") && !/[\ud800-\udfff]/u.test(text) && !/\\ud[89a-f]/.test(text), "characters of the line");
    const value = parse(text);
    need(isObject(value), "no object");
    // An engine puts keys that look like numbers first, whatever their order: then the slow way decides.
    need((JSON.stringify(value) === text && isCanonical(value, 16)) || canonicalText(value, 16) === text, "spelling of the line");
    return value;
  }

  // A script is JSON that no two readers take for different things: no key twice.
  function parseOnce(text, levels) {
    let at = 0;
    const blank = () => { while (/[ \t\r\n]/.test(text[at] ?? "")) at++; };
    const string = () => {
      const begin = at++;
      while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      return parse(text.slice(begin, ++at));
    };
    function value(level) {
      blank();
      const open = text[at];
      if (open === '"') return string();
      if (open !== "{" && open !== "[") {
        const word = /^[^\s,\]}]+/.exec(text.slice(at, at + 400));
        need(word, "no JSON");
        at += word[0].length;
        return parse(word[0]);
      }
      need(level < levels, "nesting");
      const close = open === "{" ? "}" : "]", keys = new Set(), out = open === "{" ? {} : [];
      at++;
      blank();
      if (text[at] === close) { at++; return out; }
      for (;;) {
        blank();
        let key;
        if (open === "{") {
          need(text[at] === '"', "no JSON");
          key = string();
          need(!keys.has(key), "key twice");
          keys.add(key);
          blank();
          need(text[at++] === ":", "no JSON");
        }
        const each = value(level + 1);
        if (open === "{") Object.defineProperty(out, key, {value: each, enumerable: true, configurable: true, writable: true}); else out.push(each);
        blank();
        const next = text[at++];
        if (next === close) return out;
        need(next === ",", "no JSON");
      }
    }
    const whole = value(0);
    blank();
    need(at === text.length, "no JSON");
    return whole;
  }

  // Keys and signatures.
  const P256 = Uint8Array.from([0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0]);
  const ED25519 = Uint8Array.from([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0]);
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const startsWith = (bytes, prefix) => prefix.every((byte, i) => bytes[i] === byte);
  function makeKey(name, spki) {
    const isEc = spki.length === 91 && startsWith(spki, P256);
    need(isEc || (spki.length === 44 && startsWith(spki, ED25519)), "key of another kind");
    const id = hexOf((isEc ? sha256(spki) : sha256(toBytes.encode(name), Uint8Array.of(10, 1), spki.subarray(12))).subarray(0, 4));
    return {name, id, spki, isEc, mark: name + " " + id, whole: name + " " + hexOf(spki)};
  }
  const numberOf = (bytes) => BigInt("0x" + (hexOf(bytes) || "0"));
  // Strict DER with low s becomes the r||s that WebCrypto takes; anything else is none.
  function rawOf(sig) {
    if (sig.length < 8 || sig[0] !== 0x30 || sig[1] !== sig.length - 2 || sig[2] !== 2) return null;
    const rEnd = 4 + sig[3];
    if (rEnd + 2 > sig.length || sig[rEnd] !== 2 || rEnd + 2 + sig[rEnd + 1] !== sig.length) return null;
    const out = new Uint8Array(64);
    for (const [part, place] of [[sig.subarray(4, rEnd), 32], [sig.subarray(rEnd + 2), 64]]) {
      if (part.length === 0 || part.length > 33 || part[0] & 0x80) return null;
      if (part.length > 1 && part[0] === 0 && !(part[1] & 0x80)) return null;
      const number = part[0] === 0 ? part.subarray(1) : part;
      if (number.length > 32) return null;
      const value = numberOf(number);
      if (value === 0n || value >= ORDER || (place === 64 && value > ORDER / 2n)) return null;
      out.set(number, place - number.length);
    }
    return out;
  }
  class Verifier {
    constructor(subtle) { this.subtle = subtle; this.keys = new Map(); this.known = new Map(); }
    imported(key) {
      const mark = key.whole;
      if (!this.keys.has(mark)) {
        const how = key.isEc ? {name: "ECDSA", namedCurve: "P-256"} : {name: "Ed25519"};
        this.keys.set(mark, this.subtle.importKey("spki", key.spki, how, false, ["verify"]).catch(() => null));
      }
      return this.keys.get(mark);
    }
    // A signature that was judged before is not judged again.
    verify(key, text, sig) {
      const mark = key.whole + "\n" + toBase64(sig) + "\n" + text;
      if (!this.known.has(mark)) this.known.set(mark, this.judge(key, text, sig));
      return this.known.get(mark);
    }
    async judge(key, text, sig) {
      const raw = key.isEc ? rawOf(sig) : sig;
      if (raw === null || raw.length !== 64) return false;
      const imported = await this.imported(key);
      need(imported !== null, "a key is not on its curve, or this browser has no Ed25519");
      return this.subtle.verify(key.isEc ? {name: "ECDSA", hash: "SHA-256"} : {name: "Ed25519"}, imported, raw, toBytes.encode(text));
    }
  }
  function signatureLine(line) {
    const parts = line.split(" ");
    need(parts.length === 3 && parts[0] === "\u2014", "signature line");
    const raw = strict64(parts[2]);
    need(raw.length > 4, "signature line");
    return {name: parts[1], id: hexOf(raw.subarray(0, 4)), sig: raw.subarray(4), mark: parts[1] + " " + hexOf(raw.subarray(0, 4))};
  }
  function parseNote(bytes) {
    const whole = decode(bytes), cut = whole.slice(0, -1).lastIndexOf("\n\n");
    need(whole.endsWith("\n") && cut >= 0, "note");
    const sigs = whole.slice(cut + 2, -1).split("\n").map(signatureLine);
    need(sigs.length <= 100 && new Set(sigs.map((sig) => sig.mark)).size === sigs.length, "signature twice");
    return {text: whole.slice(0, cut + 1), sigs};
  }
  // Every line must be by one of the keys, and verify; returns the keys.
  async function signersOf(verifier, text, sigs, keys) {
    const by = new Map(keys.map((key) => [key.mark, key])), found = new Set();
    const good = await Promise.all(sigs.map((sig) => by.has(sig.mark) && verifier.verify(by.get(sig.mark), text, sig.sig)));
    sigs.forEach((sig, i) => { need(good[i], "signature of " + sig.name); found.add(by.get(sig.mark)); });
    return found;
  }
  async function parseCheckpoint(verifier, bytes, origin, logKey, keys) {
    const {text, sigs} = parseNote(bytes), lines = text.split("\n");
    need(lines.length === 4 && lines[0] === origin && /^(0|[1-9][0-9]*)$/.test(lines[1]), "checkpoint");
    const root = strict64(lines[2]);
    need(root.length === 32 && Number.isSafeInteger(Number(lines[1])), "checkpoint");
    const known = keys.length ? sigs : sigs.filter((sig) => sig.mark === logKey.mark);
    const by = await signersOf(verifier, text, known, [...keys, logKey]);
    need(by.has(logKey), "no signature by the log key");
    by.delete(logKey);
    return {size: Number(lines[1]), root, by};
  }

  // Who must have signed: the policy of the record, or what the auditor brings.
  function parsePolicy(bytes) {
    const keys = new Map(), sets = new Map();
    let quorum = null;
    for (const line of decode(bytes).split("\n")) {
      const words = line.split(/[ \t\r\f\v]+/).filter((word) => word);
      if (!words.length || words[0].startsWith("#")) continue;
      if (words[0] === "witness") {
        const parts = /^([^+]*)\+([^+]*)\+(.*)$/.exec(words[2] ?? "");
        need(parts, "policy line");
        const raw = strict64(parts[3]);
        need(raw[0] === 1 || raw[0] === 2, "kind of key");
        const spki = raw[0] === 2 ? raw.subarray(1) : Uint8Array.from([...ED25519, ...raw.subarray(1)]);
        const key = makeKey(parts[1], spki);
        need(key.id === parts[2], "key id");
        keys.set(words[1], key);
      } else if (words[0] === "group") {
        const m = words[2] === "any" ? 1 : words[2] === "all" ? words.length - 3 : Number(words[2]);
        need(Number.isSafeInteger(m) && m > 0, "policy line");
        sets.set(words[1], {m, members: words.slice(3)});
      } else if (words[0] === "quorum") quorum = words[1];
      else need(words[0] === "log", "policy line");
    }
    need(quorum !== null && (sets.has(quorum) || keys.has(quorum)), "no quorum");
    need(new Set([...keys.values()].map((key) => hexOf(key.spki))).size === keys.size, "one key for two people");
    const met = (by, name = quorum) => {  // a person counts once, whatever the number of keys
      if (keys.has(name)) return by.has(keys.get(name)) || [...by].some((key) => key.whole === keys.get(name).whole);
      need(sets.has(name), "policy line");
      const yes = sets.get(name).members.filter((member) => met(by, member));
      return new Set(yes.filter((x) => keys.has(x)).map((x) => keys.get(x).name)).size + yes.filter((x) => sets.has(x)).length >= sets.get(name).m;
    };
    const group = sets.get(quorum) ?? {m: 1, members: [quorum]};
    return {keys: [...keys.values()], met, m: group.m, members: group.members, names: [...keys.keys()]};
  }
  const peopleOf = (by) => new Set([...by].map((key) => key.name)).size;
  function parseRoster(bytes) {
    const roster = parse(decode(bytes)), estate = textOf(roster, "estate");
    return {estate, quorum: (name) => {
      const quorum = field(field(roster, "quorums"), name);
      need(isObject(quorum), "quorum of the roster");
      const m = countOf(quorum, "m");
      const keys = roster.people.filter((person) => person.roles.includes(quorum.role) && (person.state ?? "active") === "active" && "sign_key" in person)
        .map((person) => makeKey(estate + "/" + textOf(person, "id"), strict64(person.sign_key)));
      return {keys, m, met: (by) => peopleOf(by) >= m};
    }};
  }
  const sameSet = (a, b) => a.length === b.length && a.every((each) => b.includes(each));

  // The script among the inputs; null for a file that is none.
  function parseScript(bytes) {
    if (!bytes) return null;
    let script;
    try {
      const text = decode(bytes);
      if (!text.includes("keyceremony-script/1") || text.startsWith("\ufeff")) return null;
      script = parseOnce(text, 64);
      encode(JSON.stringify(script).replace(/\\ud[89a-f]../g, "\ud800"));
    } catch (fault) {
      if (fault instanceof Fault || fault instanceof RangeError) return null;
      throw fault;
    }
    if (field(script, "format") !== "keyceremony-script/1") return null;
    const optional = (object, name) => (field(object, name) === undefined ? "" : textOf(object, name));
    const some = (object, name) => { const list = field(object, name); need(Array.isArray(list) && list.length, name); return list; };
    const steps = new Map(), sections = new Set();
    for (const section of some(script, "sections")) {
      const id = textOf(section, "id"), quorum = optional(section, "quorum");
      need(!sections.has(id), "section twice");
      sections.add(id);
      for (const step of some(section, "steps")) {
        const skippable = field(step, "skippable") ?? false, name = textOf(step, "id");
        need(typeof skippable === "boolean" && !steps.has(name), "steps");
        steps.set(name, {id: name, kind: textOf(step, "do"), quorum: optional(step, "quorum"), skippable, section: "section:" + id, sectionQuorum: quorum});
      }
    }
    return {id: textOf(script, "id"), estate: textOf(script, "estate"), sha256: hexOf(sha256(bytes)), steps, order: [...steps.keys()]};
  }

  // The Merkle tree of RFC 6962, grown leaf by leaf: the complete subtrees from left to right.
  class Tree {
    constructor() { this.stack = []; this.size = 0; }
    append(leaf) {
      for (let size = this.size++; size & 1; size >>= 1) leaf = sha256(Uint8Array.of(1), this.stack.pop(), leaf);
      this.stack.push(leaf);
    }
    root() {
      if (!this.stack.length) return sha256(new Uint8Array(0));
      return this.stack.reduceRight((right, left) => sha256(Uint8Array.of(1), left, right));
    }
  }

  const TYPES = new Set("open attend depart step request cosign intent done observe artefact note deviation refusal checkpoint recover close".split(" "));
  function checkCommon(entry, i) {
    for (const name of ["v", "seq", "mono"]) countOf(entry, name);
    need(entry.v === 1 && entry.seq === i, "its number");
    need(entry.mode === "rehearsal" || entry.mode === "production", "mode");
    need(/^[0-9a-f]{32}$/.test(textOf(entry, "salt")) && TYPES.has(entry.type), "fields of every entry");
    const time = /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/.exec(textOf(entry, "time"));
    need(time, "time");
    const year = Number(time[1]), leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    need(Number(time[3]) >= 1 && Number(time[3]) <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(time[2]) - 1], "day");
  }

  // The steps of a log against its script: which, in which order, and whose approval came before each did anything.
  class Steps {
    constructor() {
      this.plan = null; this.requests = new Map(); this.newest = new Map(); this.absent = new Set();
      this.now = null; this.approval = null; this.interrupted = false; this.recovered = false; this.last = null;
      this.begun = new Set(); this.over = new Set(); this.failed = new Set(); this.approved = new Set(); this.ended = 0; this.quorum = "";
    }
    enough(request) { return !request.ended && peopleOf(request.by) >= request.m && request.met(request.by); }
    governing(name) { return this.newest.has(name) ? this.requests.get(this.newest.get(name)) : this.approval; }
    step(entry, countable) {
      const name = textOf(entry, "id"), kind = textOf(entry, "do"), phase = entry.phase, planned = this.plan?.steps.get(name);
      need(["begin", "end", "skipped", "failed"].includes(phase), "phase");
      need(!this.plan || (planned && planned.kind === kind), "a step that the script does not have");
      need(phase === "end" || phase === "failed" ? this.now === name : this.now === null || this.interrupted, "a step that does not follow");
      if (planned && (phase === "begin" || phase === "skipped")) {
        const order = this.plan.order, after = this.last === null ? 0 : order.indexOf(this.last) + 1;
        need(!this.over.has(name) && (name === this.last || (order[after] === name && (this.last === null || this.over.has(this.last) || this.failed.has(this.last)))), "order of the steps");
        need(phase === "begin" || planned.skippable, "skipped");
      }
      if (phase === "begin") {
        this.quorum = isText(entry.quorum) ? entry.quorum : "";
        need(!planned || this.quorum === planned.quorum, "quorum of the step");
        this.newest.delete(name);  // an approval serves one attempt
        this.approval = "approval" in entry && countable ? this.sectionApproval(entry, planned) : null;
      }
      if (phase === "end" && this.quorum && countable) {
        const request = this.governing(name);
        need(this.approved.has(name) || (request && request.quorum === this.quorum && this.enough(request)), "approval of the step");
      }
      if (phase === "begin" || phase === "skipped") { this.begun.add(name); this.last = name; }
      if (phase === "begin") this.failed.delete(name); else (phase === "failed" ? this.failed : this.over).add(name);
      this.now = phase === "begin" ? name : null;
      this.interrupted = false;
      if (phase === "end") this.ended++;
    }
    sectionApproval(entry, planned) {
      const request = this.requests.get(countOf(entry, "approval"));
      need(request && request.steps.includes(entry.id) && !this.begun.has(entry.id) && this.newest.get(request.step) === entry.approval, "approval");
      need(!planned || (planned.quorum === planned.sectionQuorum && planned.sectionQuorum !== "" && request.step === planned.section), "approval of the section");
      return request;
    }
    intent(fn, countable) {
      if (this.now === null) return need(this.recovered && fn === "C_DestroyObject", "a call outside the steps");
      const request = this.governing(this.now);
      need(request || !this.quorum || !countable, "a call before its quorum was asked");
      need(!request || ((this.quorum === "" || this.quorum === request.quorum) && this.enough(request)), "a call before its quorum had approved");
      if (request) this.approved.add(this.now);
    }
    close() {
      need(this.now === null || this.interrupted, "a step without end");
      need(!this.plan || this.plan.order.every((step) => this.over.has(step) || this.failed.has(step)), "a step of the script was left out");
    }
  }

  // What the log key has signed is judged while the entries are read, not one after the other: answers wait in the verifier.
  function expect(verifier, entries) {
    let logKey;
    try {
      logKey = makeKey(textOf(entries[0], "origin"), strict64(textOf(entries[0], "log_key")));
    } catch { return; }  // it is told where the entry is read
    for (const entry of entries) {
      if (entry.type !== "checkpoint") continue;
      try {
        const {text, sigs} = parseNote(encode(textOf(entry, "note")));
        for (const sig of sigs) if (sig.mark === logKey.mark) verifier.verify(logKey, text, sig.sig).catch(() => {});
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
      }
    }
  }

  const RANK = ["COMPLETE", "UNPINNED", "INCOMPLETE", "FORK", "INVALID"];

  async function judge(files, options, state) {
    const verdicts = state.verdicts, verifier = new Verifier(options.subtle), partial = Boolean(options.partial);
    const less = (condition, why, verdict = "INCOMPLETE") => { if (!condition) { verdicts.add(verdict); state.lacks.push(why); } };
    need(!options.links, "a symbolic link is in the folder");
    // Whose signatures count.
    let keys = [], met = null, m = 0, estate = null, roster = null;
    const policyBytes = files.get("policy.txt"), policy = policyBytes ? parsePolicy(policyBytes) : null;
    less(policy, "there is no policy.txt");
    if (policy) ({keys, met, m} = policy);
    let pinned = null;
    if (options.roster) {
      roster = parseRoster(options.roster);
      estate = roster.estate;
      pinned = roster.quorum("custodians");
    } else if (options.pins && policy) {
      // What a person typed: the keys of the policy whose digests they know, and how many must sign.
      const digests = new Map(policy.keys.map((key) => [hexOf(sha256(key.spki)), key]));
      for (const typed of options.pins.fingerprints) need(digests.has(typed), "a fingerprint that was typed is of no key in policy.txt: " + typed);
      const known = [...digests].filter(([digest]) => options.pins.fingerprints.has(digest)).map(([, key]) => key);
      if (known.length === policy.keys.length && options.pins.m) pinned = {keys: known, m: options.pins.m, met: (by) => peopleOf(by) >= options.pins.m};
    }
    if (pinned) {
      if (policy) {
        need(sameSet(pinned.keys.map((key) => key.whole), policy.keys.map((key) => key.whole)) && m === pinned.m && sameSet(policy.members, policy.names), "policy.txt does not ask for the custodians that were pinned");
      }
      // The keys of the policy are those objects that sets of signers hold.
      keys = policy ? policy.keys : pinned.keys;
      ({met, m} = pinned);
    }
    less(pinned, "the custodians' keys were not pinned", "UNPINNED");
    const countable = keys.length > 0;

    // The log: hash first, check after.
    const log = files.get("log.jsonl");
    need(log, "there is no log.jsonl");
    const lines = [];
    let begin = 0;
    for (let end = log.indexOf(10); end >= 0; begin = end + 1, end = log.indexOf(10, begin)) lines.push(log.subarray(begin, end));
    const torn = log.length - begin;
    need(torn <= 65535, "a line without end");
    state.entries = lines.length;
    const tree = new Tree();
    const leaves = lines.map((line) => sha256(Uint8Array.of(0), line));
    const entries = lines.map((line, i) => { state.entry = i; return canonical(line); });
    state.entry = null;
    expect(verifier, entries);
    less(torn === 0, "the last line is torn");
    less(entries.length > 0, "the log is empty");
    const roots = new Map(), named = new Map(), steps = new Steps(), calls = new Map(), wrong = [];
    let cosigned = new Set(), origin = null, own = null, logKey = null, closed = null, first = null, lastCall = null, after = null, good = 0, script = null;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      state.entry = i;
      checkCommon(entry, i);
      need(entry.mode === entries[0].mode, "mode");
      need((entry.type === "open") === (i === 0), "open");
      switch (entry.type) {
        case "open": {
          origin = textOf(entry, "origin");
          state.origin = origin;
          logKey = makeKey(origin, strict64(textOf(entry, "log_key")));
          const parts = /^(.*)\/([^/]*)\/([0-9a-f]{32})$/.exec(origin);
          need(parts && parts[2] === textOf(entry, "ceremony") && (estate === null || estate === parts[1]) && logKey.isEc, "origin");
          own = {estate: parts[1], ceremony: parts[2]};
          need(isObject(entry.inputs), "inputs");
          for (const [name, digest] of Object.entries(entry.inputs)) {
            need(NAME.test(name) && isText(digest) && DIGEST.test(digest), "inputs");
            named.set("inputs/" + name, {digest, size: null});
          }
          need(entry.previous === null || (isObject(entry.previous) && ["origin", "size", "root"].every((name) => name in entry.previous)), "previous");
          const scripts = Object.keys(entry.inputs).map((name) => parseScript(files.get("inputs/" + name))).filter((each) => each);
          if (scripts.length === 1) script = steps.plan = scripts[0];
          less(scripts.length === 1, "there is no script among the inputs");
          need(!script || (script.id === own.ceremony && script.estate === own.estate), "script of another ceremony");
          break;
        }
        case "step": steps.step(entry, countable); break;
        case "recover":
          steps.interrupted = steps.now !== null;
          steps.recovered = true;
          for (const call of calls.values()) call.settled = true;
          break;
        case "intent": {
          const call = countOf(entry, "call"), fn = textOf(entry, "fn");
          need(lastCall === null || call > lastCall, "number of the call");
          lastCall = call;
          calls.set(call, {fn, token: textOf(entry, "token"), settled: false});
          steps.intent(fn, countable);
          break;
        }
        case "done": {
          const call = calls.get(entry.call);
          need(call && call.fn === entry.fn && call.token === entry.token, "done of another call");
          calls.delete(entry.call);
          break;
        }
        case "request": {
          need("subject" in entry && hexOf(sha256(encode(canonicalText(entry.subject, 16)))) === entry.subject_sha256, "digest of the subject");
          const k = countOf(entry.quorum, "m"), name = textOf(entry.quorum, "name"), step = textOf(entry, "step");
          let ask = {keys, met, m};
          if (roster) ask = roster.quorum(name);
          else if (name !== "custodians") ask = {keys, met: () => true, m: k};
          need(k >= 1 && (k >= ask.m || !countable), "request for too few");
          const opened = step === "opening" && script ? field(entry.subject, "script_sha256") : undefined;
          need(opened === undefined || opened === null || opened === script.sha256, "opening for another script");
          const planned = steps.plan?.steps.get(step);
          need(!planned || planned.kind !== "custodian.retire" || (entry.without ?? "") === (field(entry.subject, "person") ?? ""), "own retirement");
          if (countable) {
            steps.requests.set(i, {step, steps: entry.steps ?? [], quorum: name, m: k, keys: ask.keys, met: ask.met, by: new Set(), ended: false});
            steps.newest.set(step, i);
          }
          break;
        }
        case "attend": steps.absent.delete(String(entry.person)); break;
        case "depart": steps.absent.add(String(entry.person)); break;
        case "refusal": if (steps.requests.has(entry.request)) steps.requests.get(entry.request).ended = true; break;
        case "cosign": {
          if (!countable) break;
          const asked = steps.requests.get(entry.request), size = countOf(entry, "size"), line = signatureLine(textOf(entry, "line"));
          need(asked && roots.has(size) && size > entry.request, "an approval of no request or checkpoint");
          need(line.name === own.estate + "/" + textOf(entry, "person") && entries[entry.request].without !== entry.person, "person");
          const by = await signersOf(verifier, `${origin}\n${size}\n${toBase64(roots.get(size))}\n`, [line], asked.keys);
          if (asked.ended || steps.absent.has(entry.person)) by.clear();  // neither counts
          for (const key of by) {
            asked.by.add(key);
            const witness = keys.find((each) => each.whole === key.whole);
            if (size === first && witness) cosigned.add(witness);
          }
          break;
        }
        case "artefact": {
          const parts = textOf(entry, "name").split("/");
          need(parts.length <= 8 && parts.every((part) => NAME.test(part)) && DIGEST.test(textOf(entry, "sha256")), "artefact");
          named.set("artefacts/" + entry.name, {digest: entry.sha256, size: countOf(entry, "size")});
          break;
        }
        case "checkpoint": {
          const {size, root, by} = await parseCheckpoint(verifier, encode(textOf(entry, "note")), origin, logKey, keys);
          need(size === i, "size of a checkpoint");
          roots.set(i, root);
          if (first === null) { first = i; cosigned = by; }
          if (same(root, tree.root())) good = i; else wrong.push(i);
          break;
        }
        case "close":
          steps.close();
          need(closed === null && entry.steps === steps.ended && [...calls.values()].every((call) => call.settled), "close");
          closed = i;
          break;
      }
      if (closed !== null && i > closed && after === null && !(i === closed + 1 && good === i)) after = i;
      tree.append(leaves[i]);
    }
    state.entry = null;
    if (closed !== null) {
      const count = entries[closed].entries;
      need(count === closed + 1 || (good === closed + 1 && count === closed + 2), "count of entries");
    }
    const rootAt = (size) => { const grown = new Tree(); for (let i = 0; i < size; i++) grown.append(leaves[i]); return grown.root(); };
    less(first === null || !countable || met(cosigned), "no quorum on the first checkpoint");

    // The checkpoints that came as files, and how far signatures carry.
    const held = [], finalBytes = files.get("checkpoint");
    if (finalBytes && logKey) held.push(await parseCheckpoint(verifier, finalBytes, origin, logKey, keys));
    const final = held[0] ?? null;
    if (options.kept && logKey) held.push({...await parseCheckpoint(verifier, options.kept, origin, logKey, keys), by: null});
    let reach = good;
    for (const each of held) {
      if (each.size > entries.length) less(false, "the log is shorter than a checkpoint");
      else if (same(each.root, each.size === entries.length ? tree.root() : rootAt(each.size))) reach = Math.max(reach, each.size);
      else wrong.push(each.size);
    }
    if (new Set(held.map((each) => each.size + toBase64(each.root))).size > new Set(held.map((each) => each.size)).size) less(false, "two checkpoints of one size", "FORK");
    for (const size of wrong) {
      need(size <= reach && reach, "a signed root is not that of the log");
      less(false, `the log key signed another history of ${size} entries`, "FORK");
    }
    less(reach === entries.length || (reach === good && good === entries.length - 1), "the last entries are under no signature");
    need(after === null || after >= reach, "an entry after close");
    if (final) less(!countable || met(final.by), "no quorum on the final checkpoint");
    const whole = closed !== null && final && final.size === closed + 1 && same(final.root, rootAt(closed + 1)) && after === null && torn === 0;
    less(closed !== null, "the ceremony was not closed");
    less(closed === null || (final && final.size === closed + 1), "the final checkpoint is missing");
    state.root = tree.root();

    // Every file.
    for (const [name, {digest, size}] of named) {
      const bytes = files.get(name);
      if (bytes) need(hexOf(sha256(bytes)) === digest && (size === null || size === bytes.length), "digest of " + name);
      else if (partial) state.uncompared++;
      else { need(closed === null, "a file is missing: " + name); less(false, "a file is not there yet: " + name); }
    }
    const addendum = files.get("addendum.note");
    less(addendum, "there is no addendum");
    if (addendum) {
      const {text, sigs} = parseNote(addendum);
      if (countable) less(met(await signersOf(verifier, text, sigs, keys)), "no quorum on the addendum");
      const [title, evidence, ...sums] = text.slice(0, -1).split("\n");
      need(title === origin + "/addendum" && evidence !== undefined && canonical(encode(evidence)), "addendum");
      const listed = sums.map((line) => { need(DIGEST.test(line.slice(0, 64)) && line.slice(64, 66) === "  ", "line of sha256sum"); return [line.slice(66), line.slice(0, 64)]; });
      const names = listed.map(([name]) => name);
      need(names.every((name, i) => i === 0 || names[i - 1] < name), "order of the addendum");
      const there = [...files.keys()].filter((name) => name !== "addendum.note" && name !== "disclosures.jsonl");
      need(there.every((name) => names.includes(name)) && (partial || names.length === there.length), "files of the addendum");
      for (const [name, digest] of listed) {
        if (name === "log.jsonl" && !whole) continue;
        if (files.has(name)) need(hexOf(sha256(files.get(name))) === digest, "digest of " + name);
      }
    }
  }

  async function verifyRecord(files, options) {
    const state = {verdicts: new Set(["COMPLETE"]), lacks: [], entry: null, entries: 0, uncompared: 0, origin: null, root: null};
    let why = "";
    try {
      await judge(files, options, state);
    } catch (fault) {
      // Whatever a record does to this program, it does not verify.
      why = fault instanceof Fault ? fault.message : "the record has not the form of one (" + fault.name + ")";
      state.verdicts.add("INVALID");
    }
    const verdict = RANK.findLast ? RANK.findLast((each) => state.verdicts.has(each)) : RANK.filter((each) => state.verdicts.has(each)).pop();
    return {verdict, why, lacks: state.lacks, entry: why ? state.entry : null, entries: state.entries, uncompared: state.uncompared, origin: state.origin, root: state.root && hexOf(state.root)};
  }

  return {verifyRecord, parsePolicy, sha256, hexOf, fromBase64, toBase64};
})();
