"use strict";
// The script among the inputs, and the steps of a log against it (docs/record-format.md section 4).
const KCScript = (() => {
  const {sha256, Fault, need, decode, encode, hexOf, strict64, isText, field, textOf, countOf, parse, isObject} = KCBytes;
  const {peopleOf} = KCSigned;

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

  const OF_EVERY_STEP = ["id", "do", "title", "say", "note", "quorum", "skippable"];  // no parameters

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
        const given = Object.fromEntries(Object.entries(step).filter(([name]) => !OF_EVERY_STEP.includes(name)));
        steps.set(name, {id: name, kind: textOf(step, "do"), quorum: optional(step, "quorum"), skippable, section: "section:" + id, sectionQuorum: quorum, given});
      }
    }
    return {id: textOf(script, "id"), estate: textOf(script, "estate"), sha256: hexOf(sha256(bytes)), steps, order: [...steps.keys()]};
  }

  // The environment of a file that is a binding; empty for another file.
  function environmentOf(bytes) {
    if (!bytes) return "";
    try {
      const text = decode(bytes);
      if (!text.includes("keyceremony-binding/1")) return "";
      const binding = parseOnce(text, 64);
      const environment = field(binding, "format") === "keyceremony-binding/1" ? field(binding, "environment") : "";
      return isText(environment) ? environment : "";
    } catch (fault) {
      if (fault instanceof Fault || fault instanceof RangeError) return "";
      throw fault;
    }
  }

  // What a script gives a step, in the parameters that it became; defaults may have been added.
  function holds(given, now) {
    if (Array.isArray(given)) return Array.isArray(now) && given.length === now.length && given.every((value, i) => holds(value, now[i]));
    if (typeof given !== "object" || given === null) return given === now;
    return typeof now === "object" && now !== null && !Array.isArray(now) && Object.entries(given).every(([name, value]) => Object.hasOwn(now, name) && holds(value, now[name]));
  }

  // Kinds of steps that sign what their quorum was asked for.
  const SIGNS = /^((cert|crl|csr)\.|payload\.sign$)/;
  // Kinds that sign what is made after their approval: it stands in the call, and says itself what it is.
  const PROVES = /^(key\.(clone|import|prove)|firmware\.record)$/;
  const TITLE = "keyceremony proof of copy", SURVIVAL = /^keyceremony survival of a key\n([^\n]*\n){4}$/;
  const PROOF = /^keyceremony proof of copy\nkey ([0-9a-f]{64})\ntoken ([^\n]*)\nnonce [0-9a-f]{32}\n$/;
  const octets = (latin) => Uint8Array.from(latin, (c) => c.charCodeAt(0));

  // A DER value, as latin text.
  function der(tag, ...parts) {
    const content = parts.join("");
    let size = "", left = content.length;
    for (; left > 0; left >>>= 8) size = String.fromCharCode(left & 255) + size;
    return String.fromCharCode(tag) + (content.length < 128 ? String.fromCharCode(content.length) : String.fromCharCode(128 + size.length) + size) + content;
  }

  // Of a certificate request around the text of a proof everything but the key is known, and of the key the digest.
  function isRequestOf(made, text, digest, serial) {
    const name = (oid, value) => der(0x31, der(0x30, oid, der(0x0c, value)));
    const before = der(2, "\0") + der(0x30, name("\x06\x03\x55\x04\x03", TITLE), name("\x06\x03\x55\x04\x05", serial));
    const behind = der(0xa0, der(0x30, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", der(0x31, der(0x0c, text))));
    const head = 2 + (made.charCodeAt(1) < 128 ? 0 : made.charCodeAt(1) & 127);
    const spki = made.slice(head + before.length, made.length - behind.length);
    return made === der(0x30, before, spki, behind) && hexOf(sha256(octets(spki))) === digest;
  }

  function checkProof(call, kind, subject) {
    const bytes = strict64(textOf(call, "input")), made = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    need(hexOf(sha256(bytes)) === call.input_sha256, "bytes are signed that are not the input of the call");
    if (kind === "firmware.record") return need(SURVIVAL.test(made), "bytes are signed that are no statement on the survival of a key");
    const statement = PROOF.exec(made), text = statement ? made : made.slice(Math.max(0, made.lastIndexOf(TITLE)));
    const said = PROOF.exec(text);
    need(said && (statement || isRequestOf(made, text, said[1], said[2])), "bytes are signed that are no proof of copy");
    const own = [[call, "serial", decode(octets(said[2]))], [subject, "spki_sha256", said[1]], [subject, "proof", statement ? "statement" : "certification-request"]];
    for (const [told, name, is] of own) need(!isText(field(told, name)) || told[name] === is, `a proof of another ${name}`);
  }

  // The steps of a log against its script: which, in which order, and whose approval came before each did anything.
  class Steps {
    constructor() {
      this.plan = null; this.requests = new Map(); this.newest = new Map(); this.absent = new Map();
      this.now = null; this.approval = null; this.interrupted = false; this.recovered = false; this.last = null;
      this.begun = new Set(); this.over = new Set(); this.failed = new Set(); this.approved = new Set(); this.ended = 0; this.quorum = ""; this.rehearsal = false;
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
        this.kind = planned?.kind ?? kind;
        need(!planned || this.quorum === planned.quorum, "quorum of the step");
        need(!planned || holds(planned.given, field(entry, "parameters")), "parameters of the step");
        this.newest.delete(name);  // an approval serves one attempt
        this.approval = "approval" in entry && countable ? this.sectionApproval(entry, planned) : null;
      }
      if (phase === "end" && this.quorum && countable) {
        const request = this.governing(name);
        const met = request && request.quorum === this.quorum && this.enough(request);
        need(met || (this.approved.has(name) && !this.newest.has(name)), "approval of the step");  // who asks needs the answer
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
    intent(call, countable) {
      const fn = call.fn;
      if (this.now === null) return need(this.recovered && fn === "C_DestroyObject", "a call outside the steps");
      const request = this.governing(this.now);
      need(request || !this.quorum || !countable, "a call before its quorum was asked");
      need(!request || ((this.quorum === "" || this.quorum === request.quorum) && this.enough(request)), "a call before its quorum had approved");
      if (request) this.approved.add(this.now);
      // An approval serves one attempt, and so do the bytes that it is about.
      if (fn !== "C_Sign") return;
      const asked = field(request?.subject, this.kind === "payload.sign" ? "sha256" : "tbs_sha256");
      need(request || this.rehearsal || !countable || !SIGNS.test(this.kind), "bytes are signed that nobody was asked for");
      need(!request || !SIGNS.test(this.kind) || (isText(asked) && asked === call.input_sha256), "bytes are signed that this attempt was not asked for");
      if (PROVES.test(this.kind)) checkProof(call, this.kind, request?.subject);
    }
    close(entry) {
      need(this.now === null || this.interrupted, "a step without end");
      // Who calls a ceremony off names what was not done.
      const excused = isObject(entry.called_off) ? new Set(entry.open_items.filter(isObject).map((item) => item.step)) : this.failed;
      need(!this.plan || this.plan.order.every((step) => this.over.has(step) || excused.has(step)), "a step of the script was left out");
    }
  }

  // Keys and their copies, by what the ends of steps say of them.
  class Keys {
    constructor() { this.copies = new Map(); this.names = new Set(); this.gone = new Set(); }
    take(effects) {
      if (!Array.isArray(effects)) return;
      for (const effect of effects) {
        if (!isObject(effect)) continue;
        const [what, name, token, issuer, source, spki, wraps] = ["effect", "key", "token", "issuer_key", "source", "spki_sha256", "transport_key"].map((each) => (isText(field(effect, each)) ? effect[each] : ""));
        need(!this.gone.has(name) || !["key-cloned", "key-exported", "key-sealed", "key-deactivated", "request-created"].includes(what), "something is done with a key that was destroyed");
        need(!this.gone.has(issuer) || !["certificate-issued", "crl-issued"].includes(what), "a key signs that was destroyed");
        const copies = this.copies.get(name);
        if (what === "key-destroyed") for (const each of this.copies.values()) each.delete("file for " + name);  // it opens for nobody any more
        if (what === "key-created" || what === "transport-key-created") {
          need(!copies && !this.names.has(spki), "a key is made twice");
          this.copies.set(name, new Set([token]));
          this.names.add(spki);
        } else if (what === "token-retired") for (const each of this.copies.values()) each.delete(token);
        else if (!copies) continue;
        else if (what === "key-cloned" || what === "key-exported") { need(copies.has(source), "a copy of no copy"); copies.add(what === "key-cloned" ? token : "file for " + wraps); }
        else if (what === "copy-destroyed") need(copies.delete(token), "a copy is destroyed that is not there");
        else if (what === "key-destroyed") { need(copies.size === 0, "a key is called destroyed, and a copy is not accounted for"); this.gone.add(name); }
      }
    }
  }

  return {parseScript, environmentOf, Steps, Keys};
})();
