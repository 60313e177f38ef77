"use strict";
// What the verifier of the page is made of below the record: SHA-256, base64, strict JSON.
const KCBytes = (() => {
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

  return {sha256, Fault, need, decode, encode, toBytes, hexOf, same, toBase64, fromBase64, strict64, isText, isObject, field, textOf, countOf, DIGEST, NAME, canonicalText, parse, canonical};
})();
