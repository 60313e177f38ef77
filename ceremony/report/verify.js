"use strict";
// The verdict on a record (docs/record-format.md) in JavaScript without anything but the language and WebCrypto: what
// keyceremony-verify says in C++ and docs/verify_rules.py in Python. It touches no document: a page calls it, and node in the tests.
//
//   verifyRecord(files, {roster, pins, kept, partial, links, subtle}) -> {verdict, why, entry, entries, origin, ...}
//
// files: Map of relative path -> Uint8Array. roster: Uint8Array of a roster file. pins: {m, fingerprints: Set of hex} typed by
// a person. kept: Uint8Array of a checkpoint kept elsewhere. partial: only some files are at hand: those that are missing are
// counted in `uncompared`, not complained of. links: whether there was a symbolic link in the folder.
const KC = (() => {
  const {sha256, Fault, need, encode, hexOf, same, toBase64, fromBase64, strict64, isText, isObject, field, textOf, countOf, DIGEST, NAME, canonicalText, canonical} = KCBytes;
  const {makeKey, Verifier, signatureLine, parseNote, signersOf, parseCheckpoint, parsePolicy, parseRoster, peopleOf, sameSet} = KCSigned;
  const {withheldLeaf, linesOf, parseLedger, checkOpenings} = KCBundle;
  const {parseScript, environmentOf, Steps, Keys} = KCScript;

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

  const isPath = (path) => path.split("/").length <= 8 && path.split("/").every((part) => NAME.test(part));
  const TYPES = new Set("open attend depart step request cosign intent done observe artefact note deviation refusal checkpoint recover close".split(" "));
  function checkCommon(entry, i) {
    for (const name of ["v", "seq", "mono"]) countOf(entry, name);
    need(entry.v === 1 && entry.seq === i, "its number");
    need(entry.mode === "rehearsal" || entry.mode === "production", "mode");
    need(/^[0-9a-f]{32}$/.test(textOf(entry, "salt")) && TYPES.has(entry.type), "fields of every entry");
    if (["open", "attend", "cosign"].includes(entry.type)) {
      need([undefined, true, false].includes(entry.simulated), "simulated");
      need(entry.mode === "rehearsal" || (entry.simulated !== true && entry.environment !== "rehearsal"), "a rehearsal told as production");
    }
    const time = /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/.exec(textOf(entry, "time"));
    need(time, "time");
    const year = Number(time[1]), leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    need(Number(time[3]) >= 1 && Number(time[3]) <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(time[2]) - 1], "day");
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

  // Who is appointed signs with the key that will be theirs.
  async function checkPossession(verifier, entry, origin, estate) {
    if (entry.shown === false) return need(entry.mode === "rehearsal", "nobody was asked to show that a key is theirs");
    const person = textOf(entry, "person"), text = textOf(entry, "text"), begin = `${origin}/possession\n${person}\n`;
    need(entry.shown === true && text.startsWith(begin) && /^[^\n]+\n$/.test(text.slice(begin.length)), "the proof that a key is theirs");
    const line = signatureLine(textOf(entry, "signature")), key = makeKey(estate + "/" + person, strict64(textOf(entry, "sign_key")));
    need(line.mark === key.mark && await verifier.verify(key, text, line.sig), "the signature that shows that a key is theirs");
  }

  // The log key is gone, and the evidence is of no other key or call.
  function isEvidence(evidence, logKey) {
    const {absent, rv, objects, spki_sha256: spki} = evidence;
    return (absent ?? true) === true && (rv ?? "CKR_OK") === "CKR_OK" && (objects === undefined || (Array.isArray(objects) && objects.every((each) => field(each, "rv") === "CKR_OK")))
      && (spki === undefined || !logKey || spki === hexOf(sha256(logKey.spki)));
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
    const {lines, torn} = linesOf(log);
    need(torn <= 65535, "a line without end");
    state.entries = lines.length;
    const tree = new Tree();
    const hidden = [];
    const leaves = lines.map((line, i) => {
      const leaf = withheldLeaf(line);
      if (leaf) hidden.push(i);
      return leaf ?? sha256(Uint8Array.of(0), line);
    });
    const isHidden = new Set(hidden);
    const entries = lines.map((line, i) => { state.entry = i; return isHidden.has(i) ? {type: "withheld"} : canonical(line); });
    state.withheld = hidden.length;
    state.entry = null;
    expect(verifier, entries);
    less(torn === 0, "the last line is torn");
    less(entries.length > 0, "the log is empty");
    const roots = new Map(), askedFor = new Map(), named = new Map(), steps = new Steps(), book = new Keys(), asked = new Set(), calls = new Map(), wrong = [];
    let cosigned = new Set(), origin = null, own = null, logKey = null, closed = null, first = null, lastCall = null, after = null, good = 0, script = null, lastRequest = null, withheldSoFar = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      state.entry = i;
      if (isHidden.has(i)) { withheldSoFar++; need(i > 0, "open"); after = after ?? (closed !== null ? i : null); tree.append(leaves[i]); continue; }
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
          steps.rehearsal = entry.mode === "rehearsal";
          for (const bound of Object.keys(entry.inputs).map((name) => environmentOf(files.get("inputs/" + name))).filter((each) => each)) {
            need(steps.rehearsal || bound !== "rehearsal", "the binding of a rehearsal");
            need((entry.environment ?? "") === "" || entry.environment === bound, "the binding of another environment");
          }
          need(field(entry.previous, "origin") !== origin, "a record that follows itself");
          need(entry.previous === null || (isObject(entry.previous) && ["origin", "size", "root"].every((name) => name in entry.previous)), "previous");
          const scripts = Object.keys(entry.inputs).map((name) => parseScript(files.get("inputs/" + name))).filter((each) => each);
          if (scripts.length === 1) script = steps.plan = scripts[0];
          less(scripts.length === 1, "there is no script among the inputs");
          need(!script || (script.id === own.ceremony && script.estate === own.estate), "script of another ceremony");
          break;
        }
        case "step":
          steps.step(entry, countable);
          if (entry.phase === "end") book.take(entry.effects);
          break;
        case "observe": {
          if (entry.what === "key-possession") await checkPossession(verifier, entry, origin, own.estate);
          if (entry.what !== "share-asked-elsewhere" && entry.what !== "share-handed-over") break;
          const asking = ["token", "set", "person", "request"].map((name) => (isText(field(entry, name)) ? entry[name] : "")).join("\n");
          need(entry.what === "share-asked-elsewhere" || asked.has(asking) || withheldSoFar > 0, "a share that nobody asked for");
          asked.add(asking);
          break;
        }
        case "recover":
          steps.interrupted = steps.now !== null;
          steps.recovered = true;
          for (const call of calls.values()) call.settled = true;
          break;
        case "intent": {
          const call = countOf(entry, "call"), fn = textOf(entry, "fn");
          need(lastCall === null || call > lastCall, "number of the call");
          lastCall = call;
          calls.set(call, {fn, token: textOf(entry, "token"), settled: false, entry});
          steps.intent(entry, countable);
          break;
        }
        case "done": {
          const call = calls.get(entry.call);
          need(call && call.fn === entry.fn && call.token === entry.token, "done of another call");
          for (const name of ["mechanism", "template"]) {
            const [was, is] = [call.entry[name], entry[name]];
            need(was === undefined || is === undefined || JSON.stringify(was) === JSON.stringify(is), `done of another ${name} than its intent`);
          }
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
          for (const name of step === "opening" ? ["origin", "ceremony", "mode", "environment", "log_key"] : []) {
            const said = field(entry.subject, name);
            need(said === undefined || said === entries[0][name], "an opening of another record");
          }
          lastRequest = i;
          const planned = steps.plan?.steps.get(step);
          need(!planned || planned.kind !== "custodian.retire" || (entry.without ?? "") === (field(entry.subject, "person") ?? ""), "own retirement");
          if (countable) {
            steps.requests.set(i, {step, steps: entry.steps ?? [], quorum: name, m: k, keys: ask.keys, met: ask.met, by: new Set(), ended: false, subject: entry.subject});
            steps.newest.set(step, i);
          }
          break;
        }
        case "attend": steps.absent.delete(textOf(entry, "person")); break;
        case "depart": steps.absent.set(textOf(entry, "person"), withheldSoFar); break;
        case "refusal": if (entry.request !== undefined) countOf(entry, "request"); if (steps.requests.has(entry.request)) steps.requests.get(entry.request).ended = true; break;
        case "cosign": {
          if (!countable) break;
          const asked = steps.requests.get(entry.request), size = countOf(entry, "size"), line = signatureLine(textOf(entry, "line"));
          need(asked && roots.has(size) && size > entry.request, "an approval of no request or checkpoint");
          need(askedFor.get(size) === entry.request, "an approval by a checkpoint that does not stand for its request alone");
          need(size !== first || lastCall === null || met(cosigned), "somebody opens the ceremony after the first call");
          need(line.name === own.estate + "/" + textOf(entry, "person") && entries[entry.request].without !== entry.person, "person");
          const by = await signersOf(verifier, `${origin}\n${size}\n${toBase64(roots.get(size))}\n`, [line], asked.keys);
          // Neither counts who has departed, unless an entry that is withheld may tell of their return.
          if (asked.ended || steps.absent.get(entry.person) === withheldSoFar) by.clear();
          for (const key of by) {
            asked.by.add(key);
            const witness = keys.find((each) => each.whole === key.whole);
            if (size === first && witness) cosigned.add(witness);
          }
          break;
        }
        case "artefact": {
          need(isPath(textOf(entry, "name")) && DIGEST.test(textOf(entry, "sha256")), "artefact");
          need(!named.has("artefacts/" + entry.name), "a file that is entered twice");
          named.set("artefacts/" + entry.name, {digest: entry.sha256, size: countOf(entry, "size")});
          break;
        }
        case "checkpoint": {
          const {size, root, by} = await parseCheckpoint(verifier, encode(textOf(entry, "note")), origin, logKey, keys);
          need(size === i, "size of a checkpoint");
          roots.set(i, root);
          askedFor.set(i, lastRequest);
          lastRequest = null;
          if (first === null) { first = i; cosigned = by; }
          if (same(root, tree.root())) good = i; else wrong.push(i);
          break;
        }
        case "close":
          steps.close(entry);
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
    const withheld = parseLedger(files.get("withheld.jsonl"), origin, hidden);
    for (const name of withheld.keys()) need(!files.has(name), "a file is there that the ledger says is withheld: " + name);
    less(checkOpenings(files.get("disclosures.jsonl"), lines, closed !== null), "the entry of a disclosure is not there yet");
    state.withheld += withheld.size;
    state.unseen = partial ? withheld.size : 0;
    for (const [name, {digest, size}] of named) {
      if (withheld.has(name)) continue;
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
      need(title === origin + "/addendum" && evidence !== undefined, "addendum");
      need(isEvidence(canonical(encode(evidence)), logKey), "the addendum says that the log key is not gone");
      const listed = sums.map((line) => { need(DIGEST.test(line.slice(0, 64)) && line.slice(64, 66) === "  " && isPath(line.slice(66)), "line of sha256sum"); return [line.slice(66), line.slice(0, 64)]; });
      const names = listed.map(([name]) => name), left = names.filter((name) => !withheld.has(name));
      need(names.every((name, i) => i === 0 || names[i - 1] < name), "order of the addendum");
      for (const name of withheld.keys()) need(names.includes(name), "the addendum names no such file as the ledger says is withheld: " + name);
      const there = [...files.keys()].filter((name) => name !== "addendum.note" && name !== "disclosures.jsonl" && name !== "withheld.jsonl");
      need(there.every((name) => left.includes(name)) && (partial || left.length === there.length), "files of the addendum");
      for (const [name, digest] of listed) {
        if (name === "log.jsonl" && (!whole || hidden.length)) continue;
        if (files.has(name)) need(hexOf(sha256(files.get(name))) === digest, "digest of " + name);
      }
    }
  }

  async function verifyRecord(files, options) {
    const state = {verdicts: new Set(["COMPLETE"]), lacks: [], entry: null, entries: 0, uncompared: 0, withheld: 0, unseen: 0, origin: null, root: null};
    let why = "";
    try {
      await judge(files, options, state);
    } catch (fault) {
      // Whatever a record does to this program, it does not verify.
      why = fault instanceof Fault ? fault.message : "the record has not the form of one (" + fault.name + ")";
      state.verdicts.add("INVALID");
    }
    const verdict = RANK.findLast ? RANK.findLast((each) => state.verdicts.has(each)) : RANK.filter((each) => state.verdicts.has(each)).pop();
    return {verdict, why, lacks: state.lacks, entry: why ? state.entry : null, entries: state.entries, uncompared: state.uncompared, withheld: state.withheld, unseen: state.unseen, origin: state.origin, root: state.root && hexOf(state.root)};
  }

  return {verifyRecord, parsePolicy, sha256, hexOf, fromBase64, toBase64};
})();
