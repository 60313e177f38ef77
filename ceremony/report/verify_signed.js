"use strict";
// Keys, signed notes, checkpoints, and who must have signed (docs/record-format.md sections 3 and 4).
const KCSigned = (() => {
  const {sha256, need, decode, toBytes, hexOf, toBase64, strict64, isObject, field, textOf, countOf, parse} = KCBytes;

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
  function parseVkey(word) {
    const parts = /^([^\p{White_Space}+\x00-\x1f\x7f]+)\+([0-9a-f]{8})\+(.+)$/u.exec(word);
    need(parts, "verifier key");
    const raw = strict64(parts[3]);
    need(raw[0] === 1 || raw[0] === 2, "kind of key");
    const key = makeKey(parts[1], raw[0] === 2 ? raw.subarray(1) : Uint8Array.from([...ED25519, ...raw.subarray(1)]));
    need(key.id === parts[2] && key.isEc === (raw[0] === 2), "key id");
    return key;
  }
  // C2SP tlog-policy; and below one group each person answers for one member.
  function parsePolicy(bytes) {
    const keys = new Map(), sets = new Map(), people = new Map(), inside = new Set(), logs = new Set(), text = decode(bytes);
    let quorum = null;
    need(text.endsWith("\n") && !/[\x00-\x08\x0b-\x1f\x7f]/.test(text), "policy text");
    const isDefined = (name) => keys.has(name) || sets.has(name);
    const thresholdOf = (word, most) => {
      if (word === "any" || word === "all") return word === "any" ? 1 : most;
      need(/^[1-9][0-9]*$/.test(word) && Number(word) <= most, "threshold");
      return Number(word);
    };
    const addGroup = (name, threshold, members) => {
      need(members.length && members.every((member) => isDefined(member) && !inside.has(member)) && new Set(members).size === members.length, "members of a group");
      for (const member of members) inside.add(member);
      const direct = new Set(members.filter((x) => keys.has(x)).map((x) => keys.get(x).name));
      const through = members.filter((x) => sets.has(x)).flatMap((x) => [...people.get(x)]), all = new Set([...direct, ...through]);
      need(all.size === direct.size + through.length, "a person could count twice");
      people.set(name, all);
      sets.set(name, {m: thresholdOf(threshold, members.length), members});
    };
    for (const line of text.split("\n")) {
      const [what, ...words] = line.split(/[ \t]+/).filter((word) => word), name = words[0];
      if (what === undefined || what.startsWith("#")) continue;
      const few = {witness: [2, 3], quorum: [1], log: [1, 2], group: [words.length]}[what];
      need(few && words.length && few.includes(words.length), "policy line");
      if (what === "witness" || what === "group") need(name !== "none" && !isDefined(name), "a name that is defined twice");
      if (what === "witness") keys.set(name, parseVkey(words[1]));
      else if (what === "group") addGroup(name, words[1] ?? "", words.slice(2));
      else if (what === "quorum") { need(quorum === null && isDefined(name), "quorum line"); quorum = name; }
      else { const log = hexOf(parseVkey(name).spki); need(!logs.has(log), "a log twice"); logs.add(log); }
    }
    need(quorum !== null, "no quorum");
    need(new Set([...keys.values()].map((key) => hexOf(key.spki))).size === keys.size, "one key for two people");
    need(keys.size <= 256 && sets.size <= 256 && logs.size <= 64, "size of the policy");
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

  return {makeKey, Verifier, signatureLine, parseNote, signersOf, parseCheckpoint, parsePolicy, parseRoster, peopleOf, sameSet};
})();
