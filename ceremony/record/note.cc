#include "ceremony/record/note.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/characters.h"
#include "hsm/base/digest.h"
#include "hsm/base/ecdsa_signature.h"
#include "hsm/base/encoding.h"
#include "hsm/base/utf8.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::string_view kSignaturePrefix = "\u2014 ";
constexpr std::size_t kEd25519Bytes = 32;

base::Error NotANote(std::string problem) { return MakeError(ErrorCode::kCorrupt, "not a signed note: " + problem); }

// What the key id is the digest of, and what a vkey carries after the type.
base::Bytes EncodedKey(const base::PublicKey& key, SignatureType type) {
  const base::ByteView spki = key.spki();
  // RFC 8410: the SPKI of Ed25519 ends with its 32 bytes.
  return type == SignatureType::kEd25519 ? base::ToBytes(spki.last(kEd25519Bytes)) : base::ToBytes(spki);
}

KeyId KeyIdOf(std::string_view name, SignatureType type, base::ByteView encoded) {
  base::Bytes input;
  // 0x02 is the exception of the standard: its key id is of the SPKI alone.
  if (type != SignatureType::kEcdsa) {
    input.insert(input.end(), name.begin(), name.end());
    input.push_back('\n');
    input.push_back(static_cast<std::uint8_t>(type));
  }
  input.insert(input.end(), encoded.begin(), encoded.end());
  const base::Sha256Digest digest = base::Sha256Of(input);
  return {digest[0], digest[1], digest[2], digest[3]};
}

// The last part of a key name; all of it when it has no slash.
std::string_view PersonIn(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

bool IsKeyName(std::string_view name) {
  if (name.empty()) return false;
  for (std::size_t i = 0; i < name.size();) {
    const char32_t c = base::NextCodePoint(name, i);
    if (c == base::kNotUtf8 || c < 0x20 || c == 0x7f || c == U'+' || base::IsUnicodeSpace(c)) return false;
  }
  return true;
}

bool IsNoteText(std::string_view text) {
  if (text.empty() || text.back() != '\n') return false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = base::NextCodePoint(text, i);
    if (c == base::kNotUtf8 || (c < 0x20 && c != '\n')) return false;
  }
  return true;
}

VerifierKey::VerifierKey(std::string name, SignatureType type, KeyId key_id, base::PublicKey key)
    : name_(std::move(name)), type_(type), key_id_(key_id), key_(std::move(key)) {}

Result<VerifierKey> VerifierKey::Make(std::string name, base::PublicKey key) {
  if (!IsKeyName(name)) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("\"{}\" is not a key name", base::IsUtf8(name) ? name : "?"))
        .WithHint("a key name has no spaces and no +");
  }
  const bool ecdsa = key.algorithm() == base::KeyAlgorithm::kEcP256;
  if (!ecdsa && key.algorithm() != base::KeyAlgorithm::kEd25519) {
    return MakeError(ErrorCode::kUnsupported,
                     fmt::format("the key of {} is {}; notes are signed with ec-p256 or ed25519", name,
                                 base::FactsOf(key.algorithm()).name));
  }
  const SignatureType type = ecdsa ? SignatureType::kEcdsa : SignatureType::kEd25519;
  const KeyId id = KeyIdOf(name, type, EncodedKey(key, type));
  return VerifierKey(std::move(name), type, id, std::move(key));
}

Result<VerifierKey> VerifierKey::Parse(std::string_view vkey) {
  const auto bad = [&](std::string_view problem) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("not a verifier key: {}", problem))
        .WithHint("a verifier key is name+keyid+base64, with a key id of 8 hex digits");
  };
  const std::size_t first = vkey.find('+');
  if (first == std::string_view::npos) return bad("no +");
  const std::size_t second = vkey.find('+', first + 1);  // base64 may hold further ones
  if (second == std::string_view::npos) return bad("only one +");
  const std::string_view name = vkey.substr(0, first);
  const std::string_view id_text = vkey.substr(first + 1, second - first - 1);
  if (!IsLowerHex(id_text, 8)) return bad("the key id is not 8 lowercase hex digits");
  Result<base::Bytes> blob = base::Base64Decode(vkey.substr(second + 1));
  if (!blob.ok()) return bad("the key is not strict base64");
  if (blob->empty()) return bad("the key is empty");
  const auto type = static_cast<SignatureType>(blob->front());
  const base::ByteView encoded = base::ByteView(*blob).subspan(1);
  if (type != SignatureType::kEcdsa && type != SignatureType::kEd25519) {
    return MakeError(
        ErrorCode::kUnsupported,
        fmt::format("a verifier key has signature type 0x{:02x}; 0x01 (Ed25519) and 0x02 (ECDSA P-256) are known",
                    blob->front()));
  }
  KC_ASSIGN_OR_RETURN(base::PublicKey key, type == SignatureType::kEcdsa ? base::PublicKey::FromSpki(encoded)
                                                                         : base::PublicKey::FromEd25519(encoded));
  KC_ASSIGN_OR_RETURN(VerifierKey made, Make(std::string(name), std::move(key)));
  if (made.type() != type) return bad("the key is of another type than its first byte says");
  if (base::HexEncode(made.key_id()) != id_text) {
    return bad(fmt::format("its key id is {}, but the key's is {}", id_text, base::HexEncode(made.key_id())));
  }
  return made;
}

std::string VerifierKey::Text() const {
  base::Bytes blob = EncodedKey(key_, type_);
  blob.insert(blob.begin(), static_cast<std::uint8_t>(type_));
  return fmt::format("{}+{}+{}", name_, base::HexEncode(key_id_), base::Base64Encode(blob));
}

std::string_view VerifierKey::person() const { return PersonIn(name_); }

std::string_view SignatureLine::person() const { return PersonIn(name); }

Result<void> VerifierKey::Verify(std::string_view text, base::ByteView signature) const {
  if (type_ == SignatureType::kEd25519)
    return key_.Verify(base::SignatureScheme::kEd25519, base::AsBytes(text), signature);
  KC_RETURN_IF_ERROR(base::CheckStrictLowSDer(base::Curve::kP256, signature));
  return key_.Verify(base::SignatureScheme::kEcdsa, base::AsBytes(text), signature);
}

Result<SignatureLine> SignatureLine::Parse(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix))
    return NotANote("a signature line does not begin with an em dash and a space");
  const std::string_view rest = line.substr(kSignaturePrefix.size());
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return NotANote("a signature line has no space after the key name");
  SignatureLine parsed;
  parsed.name = rest.substr(0, space);
  if (!IsKeyName(parsed.name)) return NotANote("a signature line has a malformed key name");
  Result<base::Bytes> blob = base::Base64Decode(rest.substr(space + 1));
  if (!blob.ok()) return NotANote("the signature of " + parsed.name + " is not strict base64");
  if (blob->size() <= parsed.key_id.size()) return NotANote("the signature of " + parsed.name + " is too short");
  std::copy_n(blob->begin(), parsed.key_id.size(), parsed.key_id.begin());
  parsed.signature.assign(blob->begin() + static_cast<std::ptrdiff_t>(parsed.key_id.size()), blob->end());
  return parsed;
}

std::string SignatureLine::Text() const {
  base::Bytes blob(key_id.begin(), key_id.end());
  blob.insert(blob.end(), signature.begin(), signature.end());
  return fmt::format("{}{} {}", kSignaturePrefix, name, base::Base64Encode(blob));
}

Result<Note> Note::Parse(std::string_view note) {
  if (note.size() > kMaxNoteBytes) return NotANote(fmt::format("{} bytes, at most {}", note.size(), kMaxNoteBytes));
  if (!IsNoteText(note)) return NotANote("it is not UTF-8, holds a control character, or does not end with a newline");
  // The text may hold empty lines of its own: the last one parts it from the signatures.
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return NotANote("no empty line before the signatures");
  Note parsed;
  parsed.text = note.substr(0, blank + 1);
  std::string_view lines = note.substr(blank + 2);
  if (lines.empty()) return NotANote("no signature");
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    KC_ASSIGN_OR_RETURN(SignatureLine line, SignatureLine::Parse(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
    const bool twice = std::ranges::any_of(parsed.signatures, [&](const SignatureLine& other) {
      return other.name == line.name && other.key_id == line.key_id;
    });
    if (twice) return NotANote("two signatures by " + line.name + " with one key id");
    parsed.signatures.push_back(std::move(line));
    if (parsed.signatures.size() > kMaxNoteSignatures)
      return NotANote(fmt::format("more than {} signatures", kMaxNoteSignatures));
  }
  return parsed;
}

std::string Note::Serialise() const {
  std::string out = text + "\n";
  for (const SignatureLine& line : signatures) out += line.Text() + "\n";
  return out;
}

Result<NoteVerdict> VerifyNote(const Note& note, std::span<const VerifierKey> keys) {
  NoteVerdict verdict;
  std::vector<bool> signed_by(keys.size(), false);
  for (const SignatureLine& line : note.signatures) {
    bool known = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!line.IsBy(keys[i])) continue;
      known = true;
      if (Result<void> verified = keys[i].Verify(note.text, line.signature); !verified.ok()) {
        return MakeError(ErrorCode::kCorrupt, fmt::format("the signature of {} ({}) on a note: {}", line.name,
                                                          base::HexEncode(line.key_id), verified.error().message));
      }
      signed_by[i] = true;
    }
    if (!known) ++verdict.unknown;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (signed_by[i]) verdict.signers.push_back(i);
  }
  return verdict;
}

Result<SignatureLine> SignText(std::string_view text, NoteSigner& signer) {
  if (!IsNoteText(text)) return MakeError(ErrorCode::kInternal, "a text that is no note text was to be signed");
  const VerifierKey& key = signer.key();
  KC_ASSIGN_OR_RETURN(base::Bytes signature, signer.Sign(text));
  if (Result<void> verified = key.Verify(text, signature); !verified.ok()) {
    return MakeError(ErrorCode::kCorrupt,
                     fmt::format("{} made a signature that does not verify: {}", key.name(), verified.error().message))
        .WithHint("the token or the key file of this signer is not what it says it is");
  }
  return SignatureLine{key.name(), key.key_id(), std::move(signature)};
}

}  // namespace ceremony::record
