// Gives the verdict of ceremony/report/verify*.js (the files of its arguments, in order) on one record a line: a JSON object with folder, roster and kept (paths or null).
"use strict";
const fs = require("fs"), path = require("path"), vm = require("vm"), readline = require("readline");
const context = {TextDecoder, TextEncoder, atob, Uint8Array, Uint32Array, DataView};
vm.createContext(context);
vm.runInContext(process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8")).join("") + "\nthis.KC = KC;", context);

function filesOf(top) {
  const files = new Map();
  let links = false;
  const walk = (folder, prefix) => {
    for (const name of fs.readdirSync(folder)) {
      const place = path.join(folder, name), status = fs.lstatSync(place);
      if (status.isSymbolicLink()) links = true;
      else if (status.isDirectory()) walk(place, prefix + name + "/");
      else files.set(prefix + name, new Uint8Array(fs.readFileSync(place)));
    }
  };
  walk(top, "");
  return {files, links};
}

(async () => {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const asked = JSON.parse(line), {files, links} = filesOf(asked.folder);
    const read = (file) => (file ? new Uint8Array(fs.readFileSync(file)) : null);
    for (const left of asked.without ?? []) files.delete(left);
    const began = process.hrtime.bigint();
    const answer = await context.KC.verifyRecord(files, {roster: read(asked.roster), kept: read(asked.kept), links, partial: asked.partial,
      pins: asked.pins && {m: asked.pins.m, fingerprints: new Set(asked.pins.fingerprints)}, subtle: require("crypto").webcrypto.subtle});
    answer.milliseconds = Number(process.hrtime.bigint() - began) / 1e6;
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
})();
