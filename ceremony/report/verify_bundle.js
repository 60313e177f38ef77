"use strict";
// Withheld entries, the ledger and disclosures (docs/record-format.md section 6).
const KCBundle = (() => {
  const {sha256, need, decode, toBytes, toBase64, strict64, isText, isObject, field, textOf, countOf, DIGEST, NAME, canonicalText, parse, canonical} = KCBytes;

  // What a published bundle leaves out (docs/record-format.md section 6).
  const HIDEABLE = new Set(["attend", "depart", "intent", "done", "observe", "artefact", "note"]);
  // The leaf hash that stands in the place of a withheld entry; null for a line that is one, or should be.
  function withheldLeaf(line) {
    if (line.length !== 64) return null;
    const leaf = new Uint8Array(32);
    for (let i = 0; i < 64; i++) {
      const digit = line[i] >= 48 && line[i] <= 57 ? line[i] - 48 : line[i] >= 97 && line[i] <= 102 ? line[i] - 87 : -1;
      if (digit < 0) return null;
      leaf[i >> 1] = (leaf[i >> 1] << 4) | digit;
    }
    return leaf;
  }
  function linesOf(bytes) {
    const lines = [];
    let begin = 0;
    for (let end = bytes.indexOf(10); end >= 0; begin = end + 1, end = bytes.indexOf(10, begin)) lines.push(bytes.subarray(begin, end));
    return {lines, torn: bytes.length - begin};
  }
  const members = (object, ...names) => isObject(object) && Object.keys(object).sort().join(" ") === names.join(" ");
  // The files that the ledger says are withheld. Entries that are, and no others, stand in it.
  function parseLedger(bytes, origin, hidden) {
    if (!bytes) { need(!hidden.length, "entries are withheld, and there is no ledger"); return new Map(); }
    const {lines, torn} = linesOf(bytes);
    need(torn === 0 && lines.length, "lines of the ledger");
    const [head, ...rows] = lines.map(canonical);
    const label = (row) => need(["green", "amber", "red"].includes(row.label), "a label of the ledger");
    need(members(head, "annex", "format", "label", "origin", "reasons") && head.format === "keyceremony-withheld/1", "head of the ledger");
    need(isText(head.origin) && (origin === null || head.origin === origin), "the ledger is of another record");
    label(head);
    need(isObject(head.reasons) && Object.keys(head.reasons).length <= 100 && Object.values(head.reasons).every((why) => isText(why) && why), "reasons of the ledger");
    need(head.annex === null || (members(head.annex, "sha256", "size") && DIGEST.test(textOf(head.annex, "sha256")) && countOf(head.annex, "size") >= 0), "annex of the ledger");
    const files = new Map();
    let at = 0, last = "";
    for (const row of rows) {
      label(row);
      need(field(head.reasons, textOf(row, "reason")) !== undefined, "a reason of the ledger");
      if ("file" in row) {
        const parts = textOf(row, "file").split("/");
        need(members(row, "file", "label", "reason") && at === 0 && row.file > last, "a file of the ledger");
        need(parts.length <= 8 && parts.every((part) => NAME.test(part)) && (/^torn-/.test(row.file) || (parts.length > 1 && /^(inputs|artefacts)$/.test(parts[0]))), "a file that may not be withheld");
        last = row.file;
        files.set(row.file, row.reason);
      } else {
        need(members(row, "entry", "label", "reason", "type") && HIDEABLE.has(row.type), "an entry of the ledger");
        need(at < hidden.length && row.entry === hidden[at++], "an entry that the ledger names is not the next one that is withheld");
      }
    }
    need(at === hidden.length, "an entry is withheld, and the ledger does not say so");
    return files;
  }
  // Whether each disclosure opens one salted digest of the log, under its name. Before the close its entry may not be there yet.
  function checkOpenings(bytes, lines, closed) {
    if (!bytes) return true;
    const {lines: rows, torn} = linesOf(bytes);
    need(torn <= 65535 && !(torn && closed) && bytes.length - torn <= 1 << 25, "size of the disclosures");
    const salted = /(?:([A-Za-z0-9_.-]+)":)?\{"_sd":"([A-Za-z0-9_-]{43})"\}/g, held = new Map(), seen = new Set();
    for (const line of lines) {
      for (const [, name, digest] of decode(line).matchAll(salted)) held.set(digest, [...(held.get(digest) ?? []), name ?? ""]);
    }
    const urlBase64 = (raw) => toBase64(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    let all = torn === 0;
    for (const row of rows) {
      const object = canonical(row);
      need(members(object, "d") && isText(object.d) && /^[A-Za-z0-9_-]+$/.test(object.d), "form of a disclosure");
      const d = object.d, raw = strict64(d.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (d.length % 4)) % 4)), text = decode(raw);
      need(!text.includes("\u007f"), "characters of a disclosure");
      const parts = parse(text), digest = urlBase64(sha256(toBytes.encode(d)));
      need(Array.isArray(parts) && parts.length === 3 && canonicalText(parts, 16) === text && !salted.test(text), "content of a disclosure");
      salted.lastIndex = 0;
      need(isText(parts[0]) && /^[A-Za-z0-9_-]{21}[AQgw]$/.test(parts[0]), "salt of a disclosure");
      need(isText(parts[1]) && /^[A-Za-z0-9_.-]+$/.test(parts[1]) && !seen.has(digest), "name of a disclosure");
      seen.add(digest);
      const names = held.get(digest) ?? [];
      need((names.length === 1 && names[0] === parts[1]) || (!names.length && !closed), "a disclosure that opens nothing of the log");
      all = all && names.length === 1;
    }
    return all;
  }

  return {withheldLeaf, linesOf, parseLedger, checkOpenings};
})();
