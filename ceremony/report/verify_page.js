// The verifier on a page: reads what the page carries or the auditor chooses, and shows the verdict.
(() => {
  const at = (id) => document.getElementById(id);
  const form = at("check");
  if (!form) return;
  const carried = new Map();
  for (const block of document.querySelectorAll("script[data-path]")) carried.set(block.dataset.path, KC.fromBase64(block.textContent));
  const words = (at("words")?.textContent ?? "").toLowerCase().split(" ");  // even and odd in turn, a pair a byte

  // A fingerprint is 64 hexadecimal digits, or 32 words as they are read aloud.
  function fingerprintOf(typed) {
    const parts = typed.trim().toLowerCase().split(/[\s:]+/);
    const hex = parts.join("");
    if (/^[0-9a-f]{64}$/.test(hex)) return hex;
    if (parts.length !== 32) throw new Error("a fingerprint has 64 hexadecimal digits or 32 words");
    return parts.map((word, i) => {
      const place = words.findIndex((each, n) => each === word && n % 2 === i % 2);
      if (place < 0) throw new Error(`“${word}” is not word ${i + 1} of a fingerprint`);
      return (place >> 1).toString(16).padStart(2, "0");
    }).join("");
  }

  function showPins(files) {
    const box = at("pins");
    // What was typed before the folder was chosen stays, name by name.
    const typed = new Map([...box.querySelectorAll("label")].map((label) => [label.textContent, label.querySelector("input").value]));
    box.replaceChildren();
    try {
      for (const key of KC.parsePolicy(files.get("policy.txt")).keys) {
        const label = document.createElement("label"), input = document.createElement("input");
        label.textContent = key.name;
        input.type = "text";
        input.autocomplete = "off";
        input.spellcheck = false;
        input.value = typed.get(key.name) ?? "";
        label.append(input);
        box.append(label);
      }
    } catch {
      box.textContent = "This record has no policy that can be read.";
    }
  }

  async function chosenFiles() {
    const chosen = at("folder").files;
    if (!chosen.length) return {files: carried, partial: true};
    const files = new Map();
    for (const file of chosen) {
      const path = file.webkitRelativePath;
      files.set(path.slice(path.indexOf("/") + 1), new Uint8Array(await file.arrayBuffer()));
    }
    return {files, partial: false};
  }

  function line(name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  }

  function show(answer, took) {
    const band = document.createElement("div");
    const tone = {COMPLETE: "good", UNPINNED: "warning"}[answer.verdict] ?? "bad";
    band.className = "band " + tone;
    band.append(line("strong", answer.verdict + (answer.uncompared && tone !== "bad" ? " as far as the log goes" : "")));
    if (answer.why) band.append(line("p", answer.why + (answer.entry === null ? "" : `, at entry ${answer.entry}`)));
    for (const lack of new Set(answer.lacks)) band.append(line("p", lack));
    band.append(line("p", `${answer.entries} entries in ${Math.round(took)} ms; root ${answer.root ?? "unknown"}`));
    if (answer.uncompared) band.append(line("p", `${answer.uncompared} files of the record are not here and were not compared: choose its folder for that.`));
    if (answer.withheld) band.append(line("p", `${answer.withheld} entries and files are withheld; the ledger of this bundle, withheld.jsonl, says why.`));
    if (answer.unseen) band.append(line("p", "That the files which it names are missing, and no others, was not checked: choose the folder of the bundle for that."));
    at("outcome").replaceChildren(band);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      if (!globalThis.crypto?.subtle) throw new Error("this browser offers no WebCrypto here: open the page from a file, or over https");
      const {files, partial} = await chosenFiles(), roster = at("roster").files[0];
      const typed = [...at("pins").querySelectorAll("input")].map((input) => input.value).filter((value) => value.trim());
      const pins = typed.length ? {m: Number(at("threshold").value) || null, fingerprints: new Set(typed.map(fingerprintOf))} : null;
      const began = performance.now();
      const answer = await KC.verifyRecord(files, {roster: roster ? new Uint8Array(await roster.arrayBuffer()) : null, pins, partial, subtle: crypto.subtle});
      show(answer, performance.now() - began);
    } catch (fault) {
      at("outcome").replaceChildren(line("p", fault.message));
    }
  });
  at("folder").addEventListener("change", async () => showPins((await chosenFiles()).files));
  showPins(carried);
})();
